//! What looks like a secret: by the name that it has, or by how it begins.

use std::ops::Range;

/// Words in a variable's or header's name that say its value is a secret.
const SECRET_WORDS: [&str; 13] = [
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "api_key",
    "api-key",
    "credential",
    "private_key",
    "pat",
    "authorization",
    "auth_key",
];

/// How well-known secrets begin.
const SECRET_PREFIXES: [&str; 12] = [
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "sk-",
    "sk_live_",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "AIza",
    "hf_",
];

/// What begins as a secret does is one from this length on, in bytes.
const SHAPED: usize = 16;

/// What stands behind a scheme is a secret from this length on, in bytes.
const SCHEMED: usize = 8;

/// Returns what stands before the secret of `value` (as `Bearer `), and the secret; `None` when there is none.
///
/// A value that refers to something else (`${..}`, `{env:..}`) is no secret itself.
pub fn secret_in<'v>(key: &str, value: &'v str) -> Option<(&'v str, &'v str)> {
    let scheme =
        ["Bearer ", "bearer ", "Basic ", "Token ", "token "].into_iter().find(|s| value.starts_with(*s));
    let (before, secret) = value.split_at(scheme.map_or(0, str::len));
    if secret.is_empty() || secret.contains("${") || secret.contains("{env:") || secret.starts_with('$') {
        return None;
    }
    let named = names_secret(key);
    let shaped = SECRET_PREFIXES.iter().any(|prefix| secret.starts_with(prefix) && secret.len() >= SHAPED);
    (named || shaped || scheme.is_some_and(|_| secret.len() >= SCHEMED)).then_some((before, secret))
}

/// Returns where secrets stand in a text that anybody may have written: behind a name that says so (`token=..`,
/// `"password": ".."`, `Authorization: Bearer ..`), or by their look. Quotes may be escaped, as they are in JSON.
///
/// A name with a value is enough: what is hidden for nothing is the smaller harm. Spans are in order.
pub fn secrets_in_text(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(is_of_name).map(|found| at + found) {
        let name = run(text, start, is_of_name);
        let look = run(text, start, is_of_value);
        let value = if SECRET_PREFIXES.iter().any(|prefix| text[look.clone()].starts_with(prefix))
            && look.len() >= SHAPED
        {
            look
        } else if names_secret(&text[name.clone()]) {
            assigned(text, name.end)
        } else {
            let value = behind_scheme(text, &name);
            if value.len() >= SCHEMED { value } else { name.end..name.end }
        };
        at = name.end.max(value.end);
        if !value.is_empty() {
            spans.push(value);
        }
    }
    spans
}

/// Returns the value that a name which ends here is given; an empty one where it is given none.
fn assigned(text: &str, name_end: usize) -> Range<usize> {
    let sign = run(text, run(text, name_end, is_quote).end, is_blank).end;
    if !text[sign..].starts_with([':', '=']) {
        return sign..sign;
    }
    let opening = run(text, run(text, sign + 1, is_blank).end, is_quote);
    if !opening.is_empty() {
        return run(text, opening.end, |c| !is_quote(c));
    }
    let value = run(text, opening.end, is_of_value);
    let behind = behind_scheme(text, &value);
    if behind.is_empty() { value } else { behind }
}

/// Returns what stands behind a scheme of HTTP's authorization; an empty span where this is none.
fn behind_scheme(text: &str, word: &Range<usize>) -> Range<usize> {
    let is_scheme = ["bearer", "basic"].iter().any(|scheme| text[word.clone()].eq_ignore_ascii_case(scheme));
    let start = run(text, word.end, |c| c == ' ').end;
    if is_scheme && start > word.end { run(text, start, is_of_value) } else { word.end..word.end }
}

/// Returns the span from here on of characters of one kind.
fn run(text: &str, start: usize, kind: impl Fn(char) -> bool) -> Range<usize> {
    let rest = &text[start..];
    start..start + rest.find(|c| !kind(c)).unwrap_or(rest.len())
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn is_of_value(c: char) -> bool {
    !c.is_whitespace() && !is_quote(c) && !",;&<>{}()[]".contains(c)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\\')
}

/// What stands where a secret is not shown.
pub const HIDDEN: &str = "***";

/// Returns a text that anybody may have written with [`HIDDEN`] in the place of whatever [`secrets_in_text`] finds.
pub fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in secrets_in_text(text) {
        out.push_str(&text[at..span.start]);
        out.push_str(HIDDEN);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Returns whether a variable or header of this name holds a secret.
pub fn names_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| match *word {
        // Short words only count as whole words: PATH is no PAT.
        "pat" | "key" => key.split(['_', '-']).any(|part| part == *word),
        word => key.contains(word),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_name_or_their_look() {
        for (key, value, secret) in [
            ("GITHUB_PERSONAL_ACCESS_TOKEN", "ghp_0123456789abcdef", Some(("", "ghp_0123456789abcdef"))),
            ("Authorization", "Bearer abcdefgh1234", Some(("Bearer ", "abcdefgh1234"))),
            ("Authorization", "Bearer ${env:LINEAR_TOKEN}", None),
            ("GITHUB_PAT", "${GITHUB_PAT}", None),
            ("X", "sk-0123456789abcdef0", Some(("", "sk-0123456789abcdef0"))),
            ("PATH", "/usr/bin", None),
            ("GITHUB_PAT", "abc", Some(("", "abc"))),
            ("LOG_LEVEL", "debug", None),
            ("API_KEY", "", None),
        ] {
            assert_eq!(secret_in(key, value), secret, "{key}={value}");
        }
    }

    #[test]
    fn secrets_in_a_text_are_found_wherever_they_stand() {
        for (text, hidden) in [
            ("your new token is ghp_0123456789abcdef.", "your new token is *"),
            ("GITHUB_TOKEN=abc next", "GITHUB_TOKEN=* next"),
            ("export API_KEY='a b c'; ls", "export API_KEY='*'; ls"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer *"),
            ("sent with bearer 0123456789, twice", "sent with bearer *, twice"),
            (r#"{"token":"abc","n":1}"#, r#"{"token":"*","n":1}"#),
            (r#"{\"password\": \"$up3r\", \"a\": \"b\"}"#, r#"{\"password\": \"*\", \"a\": \"b\"}"#),
            ("https://a.example/?access_token=abc&b=1", "https://a.example/?access_token=*&b=1"),
            ("password:", "password:"),
            ("a monkey: 5, the token is new, sk-short", "a monkey: 5, the token is new, sk-short"),
            ("é key=é", "é key=*"),
        ] {
            let mut shown = text.to_owned();
            for span in secrets_in_text(text).into_iter().rev() {
                shown.replace_range(span, "*");
            }
            assert_eq!(shown, hidden);
        }
    }

    proptest::proptest! {
        #[test]
        fn spans_follow_each_other_between_characters(text in r#"([a-z]{0,6}(key|token|ghp_|Bearer |[=: "'\\é])){0,9}"#) {
            let mut end = 0;
            for span in secrets_in_text(&text) {
                assert!(end <= span.start && span.start < span.end && text.get(span.clone()).is_some(), "{text:?}");
                end = span.end;
            }
        }
    }
}
