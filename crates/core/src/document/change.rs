//! What a document should say instead.

use super::{Document, Form, NodeKind};
use crate::value::Value;

/// One step down into a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// To the value under a key. Keys are literal: a dot or a slash in one is a part of it.
    Key(String),
    /// To the item of a list of maps whose `key` is `value` (Continue names its servers so).
    Item {
        /// The key by which items are told apart.
        key: String,
        /// The text that the wanted item has there.
        value: String,
    },
}

impl Step {
    /// Returns the step to the value under `key`.
    pub fn key(key: impl Into<String>) -> Self {
        Self::Key(key.into())
    }

    /// Returns the step to the item whose `key` is `value`.
    pub fn item(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Item { key: key.into(), value: value.into() }
    }
}

/// What a document should say instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The value at `path` is `value`; maps and lists on the way are made where they are missing.
    ///
    /// Where both the old and the new value are maps, only the members that differ are touched.
    Set {
        /// The way from the root; not empty.
        path: Vec<Step>,
        /// What stands there afterwards.
        value: Value,
    },
    /// Nothing stands at `path`.
    Remove {
        /// The way from the root; not empty.
        path: Vec<Step>,
        /// What the container of `path` was like before we first wrote into it: containers that we made go with
        /// their last member.
        footing: Option<Footing>,
    },
}

impl Change {
    /// Returns the change that `path` says `value`.
    pub fn set(path: impl Into<Vec<Step>>, value: Value) -> Self {
        Self::Set { path: path.into(), value }
    }

    /// Returns the change that nothing stands at `path`; its containers stay.
    pub fn remove(path: impl Into<Vec<Step>>) -> Self {
        Self::Remove { path: path.into(), footing: None }
    }

    pub(super) fn path(&self) -> &[Step] {
        match self {
            Self::Set { path, .. } | Self::Remove { path, .. } => path,
        }
    }
}

/// What a container was like before we first wrote into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Footing {
    /// How many steps of the container's path existed; `None` when the document was blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// What stood between the brackets of the deepest existing level, when that was empty; of a blank document, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
}

impl Footing {
    /// Returns what the levels of `path` look like in `document`.
    pub(super) fn of(document: &Document<'_>, path: &[Step]) -> Self {
        let Some(mut node) = document.root() else {
            return Self { depth: None, gap: Some(document.text().to_owned()) };
        };
        let mut depth = 0;
        for step in path {
            match node.step(step) {
                Some(next) => {
                    node = next;
                    depth += 1;
                }
                None => break,
            }
        }
        let form = match &node.kind {
            NodeKind::Map(map) if map.members.is_empty() => Some(&map.form),
            NodeKind::List(list) if list.items.is_empty() => Some(&list.form),
            _ => None,
        };
        let gap = match form {
            Some(Form::Flow) if node.span.len() >= 2 => {
                document.text().get(node.span.start + 1..node.span.end - 1).map(str::to_owned)
            }
            _ => None,
        };
        Self { depth: Some(depth), gap }
    }
}
