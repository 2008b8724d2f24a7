//! What a document says, without how it is laid out.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A value of any of the three formats.
///
/// Numbers, dates and the like keep their spelling: `1.0` is not `1`, and thirty digits stay thirty digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// `null`; also a YAML key without a value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as it is spelt.
    Number(String),
    /// A text, decoded.
    Text(String),
    /// What no other variant holds, as it is spelt: a TOML date, a YAML alias or tagged node.
    Other(String),
    /// A list.
    List(Vec<Value>),
    /// A map in the order of the text. Keys are unique: documents with duplicate keys do not parse.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Returns a text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns a list of texts.
    pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Self::text).collect())
    }

    /// Returns a map of texts.
    pub fn text_map<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, value)| (key.into(), Self::text(value))).collect())
    }

    /// Returns the member of a map with this key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a word for what kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Other(_) => "a special value",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Returns whether both say the same; the order of keys in maps does not count.
    pub fn same_as(&self, other: &Value) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_as(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.len() != b.len() {
                    return false;
                }
                // Nearly always the order is the same too; only where it is not, a look-up table is built.
                if a.iter().zip(b).all(|((k, _), (l, _))| k == l) {
                    return a.iter().zip(b).all(|((_, v), (_, w))| v.same_as(w));
                }
                let by_key: HashMap<&str, &Value> = b.iter().map(|(k, v)| (k.as_str(), v)).collect();
                a.iter().all(|(k, v)| by_key.get(k.as_str()).is_some_and(|w| v.same_as(w)))
            }
            _ => self == other,
        }
    }
}
