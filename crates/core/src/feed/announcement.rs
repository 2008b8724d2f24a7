//! What an event of a feed says.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The kind of an event that announces tools.
const KIND: &str = "tools_list";

/// So many tools of one server are taken, as from the server itself.
pub const MOST_TOOLS: usize = 50_000;

/// What a tool takes of which nothing is said: clients refuse a list with one that says nothing.
const ANYTHING: &str = r#","inputSchema":{"type":"object"}}"#;

/// Tools that were announced: all that the server has from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcement<'a> {
    /// The tools, in the order of the announcement.
    pub tools: Vec<Tool<'a>>,
    /// So many were left out because they have no name.
    pub nameless: usize,
    /// So many were left out because another one before has the same name.
    pub repeated: usize,
}

/// One tool that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool<'a> {
    /// What it is called.
    pub name: String,
    /// The object that describes it, as it was written; with an `inputSchema`, where there is none.
    pub raw: Cow<'a, str>,
}

/// Why an announcement is not to be understood. Nothing of it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Utf8,
    /// It is not JSON.
    #[error("it is not JSON")]
    Json,
    /// It is JSON of another shape.
    #[error("it is not an object with a list of `tools`")]
    Shape,
    /// None of its tools has a name.
    #[error("none of its tools has a name")]
    Nameless,
    /// It has too many tools.
    #[error("it has {0} tools, and {MOST_TOOLS} are taken of one server")]
    TooMany(usize),
}

/// Reads an event of a feed; `None` where it does not announce tools.
///
/// It is an event of the kind `tools_list` whose data is `{"tools": [..]}`, or one of any kind whose data says so itself:
/// `{"type": "tools_list", "tools": [..]}` (or `event` for `type`). In both the tools may stand one level deeper, in
/// `data`. What else an event says is of no interest.
pub fn announced<'a>(kind: &str, data: &'a [u8]) -> Option<Result<Announcement<'a>, Garbage>> {
    let said = said(data);
    let is_ours = kind == KIND || said.as_ref().is_ok_and(|said| said.names(KIND));
    is_ours.then(|| said.and_then(|said| said.tools().ok_or(Garbage::Shape)).and_then(list))
}

fn said(data: &[u8]) -> Result<Said<'_>, Garbage> {
    let text = std::str::from_utf8(data).map_err(|_| Garbage::Utf8)?;
    serde_json::from_str(text).map_err(|error| {
        let is_other = matches!(error.classify(), serde_json::error::Category::Data);
        if is_other { Garbage::Shape } else { Garbage::Json }
    })
}

fn list(text: &str) -> Result<Announcement<'_>, Garbage> {
    let list: List<'_> = serde_json::from_str(text).map_err(|_| Garbage::Shape)?;
    if list.all > MOST_TOOLS {
        return Err(Garbage::TooMany(list.all));
    }
    let mut announcement = Announcement::default();
    let mut names = HashSet::new();
    for raw in list.items {
        match tool(raw.get()) {
            None => announcement.nameless += 1,
            // Of two with one name the first counts: a call could not say which is meant.
            Some(tool) if names.insert(tool.name.clone()) => announcement.tools.push(tool),
            Some(_) => announcement.repeated += 1,
        }
    }
    // Nothing but garbage is not the word that there is no tool any more.
    let is_garbage = announcement.tools.is_empty() && announcement.nameless > 0;
    if is_garbage { Err(Garbage::Nameless) } else { Ok(announcement) }
}

fn tool(raw: &str) -> Option<Tool<'_>> {
    #[derive(Deserialize)]
    struct Item {
        name: String,
        #[serde(default, rename = "inputSchema")]
        input: Present,
    }
    let Item { name, input } = serde_json::from_str(raw).ok()?;
    let raw = match raw.trim_end().strip_suffix('}') {
        Some(open) if input == Present(false) => Cow::Owned(format!("{open}{ANYTHING}")),
        _ => Cow::Borrowed(raw),
    };
    (!name.is_empty()).then_some(Tool { name, raw })
}

/// Whether a member stands there, whatever it says.
#[derive(Default, PartialEq, Eq)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// An event's data, as far as it is of interest.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
}

impl<'a> Said<'a> {
    /// Returns whether it says of itself that it is of this kind.
    fn names(&self, kind: &str) -> bool {
        let is_it = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).is_ok_and(|text| text == kind);
        self.kind.is_some_and(is_it) || self.event.is_some_and(is_it)
    }

    fn tools(&self) -> Option<&'a str> {
        let inner = || serde_json::from_str::<Said<'a>>(self.data?.get()).ok()?.tools;
        self.tools.or_else(inner).map(RawValue::get)
    }
}

/// A list of which no more is kept than may be taken.
struct List<'a> {
    items: Vec<&'a RawValue>,
    /// How many there are.
    all: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
                let mut list = List { items: Vec::new(), all: 0 };
                while let Some(item) = seq.next_element::<&RawValue>()? {
                    list.all += 1;
                    if list.all <= MOST_TOOLS {
                        list.items.push(item);
                    }
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Items)
    }
}

#[cfg(test)]
mod tests;
