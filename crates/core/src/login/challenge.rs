//! What a server says when it lets nobody in: the header `WWW-Authenticate` (RFC 9110, 6750).

use super::scopes::{self, Scopes};

/// What a server asks of those who come with a bearer token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearer {
    /// The code of what is wrong, such as `invalid_token`.
    pub error: Option<String>,
    /// What a token should be good for.
    pub scopes: Scopes,
}

impl Bearer {
    /// Returns whether the token is a good one that permits too little.
    pub fn is_short_of_scopes(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// Returns what `headers`, the values of `WWW-Authenticate`, ask of a bearer token; `None` if that is not what they ask for.
///
/// Of several challenges the one that names an error counts.
pub fn bearer<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<Bearer> {
    let challenges = headers.into_iter().flat_map(parse);
    let mut found: Option<Bearer> = None;
    for challenge in challenges.filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer")) {
        let error = challenge.param("error").map(str::to_owned);
        let scopes = scopes::parse(challenge.param("scope").unwrap_or_default());
        if found.as_ref().is_none_or(|found| found.error.is_none() && error.is_some()) {
            found = Some(Bearer { error, scopes });
        }
    }
    found
}

/// One challenge of a header.
struct Challenge<'h> {
    scheme: &'h str,
    params: Vec<(&'h str, String)>,
}

impl Challenge<'_> {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Reads a header: words that an equals sign follows are parameters, others begin the next challenge.
fn parse(header: &str) -> Vec<Challenge<'_>> {
    let mut challenges: Vec<Challenge<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let length = rest.find(|c| !is_token(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        if word.is_empty() {
            // What cannot be understood is passed over.
            let Some(odd) = rest.chars().next() else { return challenges };
            rest = &rest[odd.len_utf8()..];
            continue;
        }
        match (behind.trim_start_matches([' ', '\t']).strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, behind) = value_of(value.trim_start_matches([' ', '\t']));
                challenge.params.push((word, value));
                rest = behind;
            }
            (Some(_), None) => rest = behind,
            (None, _) => {
                challenges.push(Challenge { scheme: word, params: Vec::new() });
                rest = behind;
            }
        }
    }
}

/// Splits off the value that `text` begins with, in quotes or not.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let length = text.find(|c| !is_token(c)).unwrap_or(text.len());
        return (text[..length].to_owned(), &text[length..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(error: Option<&str>, scopes: &[&str]) -> Bearer {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Bearer { error: error.map(str::to_owned), scopes }
    }

    #[test]
    fn what_is_asked_of_a_token_is_found() {
        for (headers, expected) in [
            (&[][..], None),
            (&["Basic realm=\"x\""], None),
            (&["Bearer"], Some(of(None, &[]))),
            (&["bearer realm=\"a, b\", scope=\"read write\""], Some(of(None, &["read", "write"]))),
            (
                &[
                    "Bearer error=\"insufficient_scope\", scope=\"files:write\", resource_metadata=\"https://x/y\"",
                ],
                Some(of(Some("insufficient_scope"), &["files:write"])),
            ),
            (&["Bearer error=invalid_token"], Some(of(Some("invalid_token"), &[]))),
            (&["Basic YWJj==, Bearer scope=a"], Some(of(None, &["a"]))),
            (
                &["Bearer scope=a, DPoP algs=\"ES256\", Bearer error=\"invalid_token\""],
                Some(of(Some("invalid_token"), &[])),
            ),
            (&["Bearer scope=\"first\"", "Bearer scope=\"second\""], Some(of(None, &["first"]))),
            // What an error's description says is not what the parameters say.
            (&["Bearer error_description=\"scope=all, error=none\""], Some(of(None, &[]))),
            (&["Bearer error=\"in\\\"valid\" , scope = \"a\""], Some(of(Some("in\"valid"), &["a"]))),
            (&["Bearer scope=\"not closed"], Some(of(None, &["not", "closed"]))),
            (&["error=\"invalid_token\""], None),
            (&["=,;Bearer ;error=x"], Some(of(Some("x"), &[]))),
        ] {
            assert_eq!(bearer(headers.iter().copied()), expected, "{headers:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_to_its_end(header in "[ -~äß\t]{0,80}") {
            let _ = bearer([header.as_str()]);
        }
    }
}
