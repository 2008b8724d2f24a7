//! What a token is good for, in the words of its server.

use std::collections::BTreeSet;

/// Scopes, each once, in order.
pub type Scopes = BTreeSet<String>;

/// So many scopes of somebody else's are looked at, and none that is longer.
const MOST: usize = 100;
const LONGEST: usize = 200;

/// Returns the scopes that stand in `text`, told apart by blanks. What is not written as a scope is left out (RFC 6749):
/// it comes from a server, and is shown to people.
pub fn parse(text: &str) -> Scopes {
    text.split_ascii_whitespace().filter(|scope| is_scope(scope)).take(MOST).map(str::to_owned).collect()
}

/// Returns whether `text` is written as one scope.
pub fn is_scope(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Returns the scopes as a server wants to read them.
pub fn text<'s>(scopes: impl IntoIterator<Item = &'s String>) -> String {
    scopes.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// What a server that wants more scopes can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum More {
    /// These have not been asked for yet: whoever logs in anew may get them.
    Ask(Scopes),
    /// All of them have been asked for, and that was not enough: another login would come to the same.
    Denied(Scopes),
}

/// Returns what becomes of a refusal that names `scopes`, when `asked` were asked for at the last login.
pub fn more(scopes: &Scopes, asked: &Scopes) -> More {
    if scopes.is_subset(asked) { More::Denied(scopes.clone()) } else { More::Ask(scopes.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &[&str]) -> Scopes {
        scopes.iter().map(|&scope| scope.to_owned()).collect()
    }

    #[test]
    fn scopes_are_words_without_quotes_and_controls() {
        for (text, scopes) in [
            ("", &[][..]),
            ("read", &["read"]),
            ("  b a\ta ", &["a", "b"]),
            ("https://x.example/auth/a files:*", &["files:*", "https://x.example/auth/a"]),
            ("good b\"ad b\\ad b\u{1b}[2Jad bäd", &["good"]),
        ] {
            assert_eq!(parse(text), set(scopes), "{text:?}");
        }
        assert_eq!(parse(&"x".repeat(LONGEST + 1)), Scopes::new());
        let many: Vec<String> = (0..1000).map(|n| format!("s{n}")).collect();
        assert_eq!(parse(&many.join(" ")).len(), MOST);
        assert_eq!(super::text(&set(&["b", "a"])), "a b");
    }

    #[test]
    fn a_login_is_worth_while_only_for_what_was_not_asked_for() {
        for (scopes, asked, expected) in [
            (&["write"][..], &["read"][..], More::Ask(set(&["write"]))),
            (&["read", "write"], &["read"], More::Ask(set(&["read", "write"]))),
            (&["read"], &["read", "write"], More::Denied(set(&["read"]))),
            (&[], &["read"], More::Denied(set(&[]))),
            (&[], &[], More::Denied(set(&[]))),
        ] {
            assert_eq!(more(&set(scopes), &set(asked)), expected, "{scopes:?} {asked:?}");
        }
    }
}
