//! What a caller must hold to call a tool, and what it holds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest permission that is read, in bytes.
const LONGEST: usize = 512;

/// What a call needs: `server:resource:action`, such as `k8s:pod:delete`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission(String);

/// Why a text is no permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// A part between the colons is empty, or all of it.
    #[error("a part of it is empty")]
    Empty,
    /// A star within a permission that is needed: only what a caller holds may have one.
    #[error("`*` may only stand in what a caller holds")]
    Star,
    /// A star beside other letters.
    #[error("`*` stands for a whole part between colons")]
    HalfStar,
    /// A character that could hide what it says.
    #[error("it cannot hold the character {}", .0.escape_unicode())]
    Character(char),
    /// Longer than any real one.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
}

impl Permission {
    /// Returns the permission that `text` is: parts between colons, usually three.
    pub fn parse(text: &str) -> Result<Self, PermissionError> {
        check(text)?;
        if text.contains('*') { Err(PermissionError::Star) } else { Ok(Self(text.to_owned())) }
    }

    /// Returns `server:resource:action`.
    ///
    /// A server's name may hold a colon, which is written otherwise: who holds `a:*` must not be let in to `a:b`.
    pub(super) fn of(server: &str, resource: &str, action: &str) -> Self {
        let server: String = server.chars().flat_map(escaped).collect();
        Self(format!("{server}:{resource}:{action}"))
    }

    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (plain, spelt) = match c {
        ':' => (None, "%3A"),
        '*' => (None, "%2A"),
        ' ' => (None, "%20"),
        c => (Some(c), ""),
    };
    plain.into_iter().chain(spelt.chars())
}

fn check(text: &str) -> Result<(), PermissionError> {
    if text.len() > LONGEST {
        return Err(PermissionError::TooLong);
    }
    if let Some(bad) = text.chars().find(|&c| c.is_whitespace() || super::skeleton::is_hidden(c)) {
        return Err(PermissionError::Character(bad));
    }
    for part in text.split(':') {
        if part.is_empty() {
            return Err(PermissionError::Empty);
        }
        if part.contains('*') && part != "*" {
            return Err(PermissionError::HalfStar);
        }
    }
    Ok(())
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.0
    }
}

impl TryFrom<String> for Permission {
    type Error = PermissionError;

    fn try_from(text: String) -> Result<Self, PermissionError> {
        Self::parse(&text)
    }
}

/// What a caller holds: permissions in which `*` stands for any part, and at the end for all that follow.
///
/// `k8s:*:list` is every list of `k8s`, `k8s:*` all of `k8s`, `*` everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held(Vec<String>);

impl Held {
    /// Returns that nothing is held.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Returns that everything is held.
    pub fn everything() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Returns whether everything is held.
    pub fn is_everything(&self) -> bool {
        matches!(self.0.as_slice(), [all] if all == "*")
    }

    /// Returns what `patterns` say.
    ///
    /// # Errors
    /// The first that says nothing, with why.
    pub fn parse<'p>(
        patterns: impl IntoIterator<Item = &'p str>,
    ) -> Result<Self, (&'p str, PermissionError)> {
        let mut held = Vec::new();
        for pattern in patterns {
            check(pattern).map_err(|error| (pattern, error))?;
            held.push(pattern.to_owned());
        }
        Ok(Self(held))
    }

    /// Returns whether `permission` is among what is held.
    pub fn holds(&self, permission: &Permission) -> bool {
        self.0.iter().any(|pattern| covers(pattern, &permission.0))
    }
}

fn covers(pattern: &str, permission: &str) -> bool {
    let mut needed = permission.split(':');
    let mut parts = pattern.split(':').peekable();
    while let Some(part) = parts.next() {
        let Some(need) = needed.next() else { return false };
        if part == "*" {
            if parts.peek().is_none() {
                return true;
            }
        } else if part != need {
            return false;
        }
    }
    needed.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_a_part_and_at_the_end_for_the_rest() {
        for (pattern, permission, holds) in [
            ("k8s:pod:delete", "k8s:pod:delete", true),
            ("k8s:pod:delete", "k8s:pods:delete", false),
            ("k8s:*:list", "k8s:pods:list", true),
            ("k8s:*:list", "k8s:pods:delete", false),
            ("k8s:*", "k8s:pods:delete", true),
            ("k8s:*", "k8s", false),
            ("k8s:*", "k8sx:pods:delete", false),
            ("k8s", "k8s:pods:list", false),
            ("k8s:pods", "k8s:pods:list", false),
            ("*", "k8s:pods:list", true),
            ("*", "anything", true),
            ("*:list", "k8s:list", true),
            ("*:*:list", "k8s:pods:list", true),
            ("*:list", "k8s:pods:list", false),
            ("k8s:pods:list:deep", "k8s:pods:list", false),
        ] {
            let held = Held::parse([pattern]).unwrap();
            assert_eq!(held.holds(&Permission::parse(permission).unwrap()), holds, "{pattern} {permission}");
        }
        assert!(!Held::nothing().holds(&Permission::parse("a").unwrap()));
        assert!(Held::everything().holds(&Permission::parse("a:b:c").unwrap()));
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for (text, error) in [
            ("", PermissionError::Empty),
            ("a::b", PermissionError::Empty),
            ("a:b:", PermissionError::Empty),
            ("a:*:b", PermissionError::Star),
            ("a:b*:c", PermissionError::HalfStar),
            ("a b", PermissionError::Character(' ')),
            ("a\u{200b}", PermissionError::Character('\u{200b}')),
        ] {
            assert_eq!(Permission::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Held::parse(["k8s:*", "a::"]), Err(("a::", PermissionError::Empty)));
        assert!(Permission::parse(&"a".repeat(600)).is_err());
    }

    #[test]
    fn a_colon_in_a_servers_name_opens_no_other_server() {
        let permission = Permission::of("a:b", "pod", "delete");
        assert_eq!(permission.as_str(), "a%3Ab:pod:delete");
        assert!(!Held::parse(["a:*"]).unwrap().holds(&permission));
    }

    proptest! {
        #[test]
        fn what_is_held_word_for_word_is_held(text in "[a-z]{1,3}(:[a-z]{1,3}){0,3}", other in "[a-z]{1,3}(:[a-z]{1,3}){0,3}") {
            let held = Held::parse([text.as_str()]).unwrap();
            prop_assert_eq!(held.holds(&Permission::parse(&other).unwrap()), text == other);
            let parsed = Permission::parse(&text).unwrap();
            prop_assert_eq!(parsed.as_str(), &text);
        }

        #[test]
        fn no_text_makes_it_panic(pattern in ".{0,20}", permission in ".{0,20}") {
            if let (Ok(held), Ok(needed)) = (Held::parse([pattern.as_str()]), Permission::parse(&permission)) {
                prop_assert!(!held.holds(&needed) || pattern == permission || pattern.contains('*'));
            }
        }
    }
}
