//! Names, parsed once and valid from then on.
//!
//! [`ServerName`] and [`Alias`] are different types, so what a client calls a server in its own file cannot be
//! mistaken for what the catalogue calls it.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name that is accepted, in bytes.
const LONGEST: usize = 128;

/// What the catalogue calls a server.
///
/// Letters and digits of any script, and `- _ . + @ / : ~ ( )` and spaces inside; no control characters, at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// What one client calls a server in its own file. It belongs to the client: any text that its format can hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Alias(String);

/// The id of a client: of a known one, or of one that the settings describe.
///
/// Lower-case ASCII letters, digits, `-`, `_` and `.`; it never begins with a dot, so it is safe as a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing to call it by.
    #[error("a name cannot be empty")]
    Empty,
    /// Longer than any client could show.
    #[error("a name cannot be longer than {LONGEST} bytes")]
    TooLong,
    /// A control or invisible character, which could hide what a name really is.
    #[error("a name cannot hold the character {}", .0.escape_unicode())]
    Character(char),
    /// A name that begins or ends with a space or a dot reads like another.
    #[error("a name cannot begin or end with {0:?}")]
    Edge(char),
    /// Client ids are plain, because files and routes are named after them.
    #[error("a client id holds only a-z, 0-9, `-`, `_` and `.`")]
    NotAnId,
}

impl ServerName {
    /// Returns the name that `text` is.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        let last = text.chars().next_back().ok_or(NameError::Empty)?;
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        if let Some(bad) = text.chars().find(|&c| !acceptable(c)) {
            return Err(NameError::Character(bad));
        }
        if let Some(edge) = [first, last].into_iter().find(|c| matches!(c, ' ' | '.' | '/')) {
            return Err(NameError::Edge(edge));
        }
        // A command line would take it for an option.
        if first == '-' {
            return Err(NameError::Edge('-'));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns a valid name that is as near to `text` as can be; for names that other files gave.
    pub fn near(text: &str) -> Self {
        let kept: String =
            text.chars().map(|c| if acceptable(c) { c } else { '-' }).take(LONGEST / 4).collect();
        let trimmed = kept.trim_matches([' ', '.', '/', '-']);
        Self(if trimmed.is_empty() { "server".to_owned() } else { trimmed.to_owned() })
    }

    /// Returns this name, or with the first number that makes it free: `sqlite`, `sqlite1`, `sqlite2`.
    #[must_use]
    pub fn free(&self, mut taken: impl FnMut(&ServerName) -> bool) -> Self {
        let mut candidate = self.clone();
        for number in 1.. {
            if !taken(&candidate) {
                break;
            }
            candidate = Self(format!("{}{number}", self.0));
        }
        candidate
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Letters and digits of any script and a few signs; nothing invisible, nothing that ends a quotation.
fn acceptable(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '@' | '/' | ' ' | ':' | '~' | '(' | ')')
}

impl Alias {
    /// Returns the alias that a client's file uses.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns this alias, or with the first number that makes it free.
    #[must_use]
    pub fn free(&self, mut taken: impl FnMut(&str) -> bool) -> Self {
        let mut candidate = self.0.clone();
        for number in 1.. {
            if !taken(&candidate) {
                break;
            }
            candidate = format!("{}{number}", self.0);
        }
        Self(candidate)
    }

    /// Returns the alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClientId {
    /// Returns the id that `text` is.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let first = text.chars().next().ok_or(NameError::Empty)?;
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if !text.chars().all(plain) || !first.is_ascii_alphanumeric() || text.contains("..") {
            return Err(NameError::NotAnId);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names are shown and looked up as the text that they are.
macro_rules! like_a_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    )*};
}

like_a_text!(ServerName, Alias, ClientId);

impl TryFrom<String> for ServerName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for ClientId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<&ServerName> for Alias {
    fn from(name: &ServerName) -> Self {
        Self(name.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_deceive_are_refused() {
        for (text, refused) in [
            ("", Some(NameError::Empty)),
            ("git\u{1b}[2Khub", Some(NameError::Character('\u{1b}'))),
            ("a\nb", Some(NameError::Character('\n'))),
            ("git\u{200b}hub", Some(NameError::Character('\u{200b}'))),
            ("a\u{202e}b", Some(NameError::Character('\u{202e}'))),
            ("..", Some(NameError::Edge('.'))),
            ("--help", Some(NameError::Edge('-'))),
            ("a|c", Some(NameError::Character('|'))),
            (" a", Some(NameError::Edge(' '))),
            ("__proto__", None),
            ("a/b~c", None),
            ("SQLite MCP", None),
            ("сервер", None),
        ] {
            assert_eq!(ServerName::parse(text).err(), refused, "{text:?}");
        }
        assert_eq!(ServerName::parse(&"a".repeat(129)), Err(NameError::TooLong));
    }

    #[test]
    fn a_name_from_a_file_becomes_the_nearest_valid_one() {
        for (found, name) in [
            ("sqlite", "sqlite"),
            ("a/b|c", "a/b-c"),
            ("", "server"),
            ("\u{1b}[31m", "[31m"),
            ("..", "server"),
        ] {
            let near = ServerName::near(found);
            assert!(ServerName::parse(near.as_str()).is_ok(), "{found:?} gave {near}");
            if name != "[31m" {
                assert_eq!(near.as_str(), name);
            }
        }
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let taken = ["sqlite", "sqlite1"];
        let name = ServerName::parse("sqlite").unwrap();
        assert_eq!(name.free(|name| taken.contains(&name.as_str())).as_str(), "sqlite2");
    }

    #[test]
    fn client_ids_are_safe_as_file_names() {
        for bad in ["..", "a/b", ".x", "Ä", "a..b", "", "-x", "A"] {
            assert!(ClientId::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["cursor", "5ire", "cursor.shop", "vscode-insiders"] {
            assert!(ClientId::parse(good).is_ok(), "{good:?}");
        }
    }
}
