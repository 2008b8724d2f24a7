//! A client's or our own file, read so that it can be edited without touching anything else.
//!
//! Three readers ([`json`], [`toml`], [`yaml`]) turn a text into one kind of tree, whose nodes know the bytes they
//! came from. A [`Change`] says what a document should say; [`Document::edits`] turns changes into [`TextEdit`]s;
//! [`Document::revised`] splices them, parses the result again and compares it with what was intended. There is no
//! printer: a document is never written back from its tree.
//!
//! ```
//! use switchboard_core::document::{Change, Document, Format, Step};
//! use switchboard_core::value::Value;
//!
//! let before = "{ \"mcpServers\": {}, \"theme\": 1.0 } // kept\n";
//! let document = Document::parse(before, Format::Jsonc)?;
//! let change = Change::set(
//!     [Step::key("mcpServers"), Step::key("time")],
//!     Value::Map(vec![("command".into(), Value::text("uvx"))]),
//! );
//! let after = document.revised(&[change])?;
//! assert!(after.ends_with(", \"theme\": 1.0 } // kept\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aliases;
mod change;
mod json;
mod judge;
mod layout;
mod node;
mod quoted;
mod refusal;
mod rename;
mod toml;
mod unreadable;
mod walk;
mod wants;
mod yaml;

pub use aliases::{Aliases, TooMuch};
pub use change::{Change, Footing, Step};
pub use node::{Form, List, Map, Member, Node, NodeKind};
pub(crate) use quoted::quote;
pub use refusal::Refusal;
pub use unreadable::{Unreadable, UnreadableReason};

use crate::text::{TextEdit, splice};
use crate::value::Value;
use layout::Layout;

/// The byte-order mark that some editors put before UTF-8 texts. It is kept, never added.
const BOM: char = '\u{feff}';

/// How a file is written, and how strict its reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 8259 JSON: no comments, no trailing commas.
    Json,
    /// JSON with comments, but without trailing commas (Gemini CLI, Qwen Code, Factory droid).
    JsonComments,
    /// JSON with comments and trailing commas, as VS Code and Zed read it.
    Jsonc,
    /// JSON5: also bare keys, single quotes, hexadecimal numbers.
    Json5,
    /// TOML 1.1.
    Toml,
    /// YAML 1.2 (1.1 where a `%YAML 1.1` line says so); the first document of a stream.
    Yaml,
}

/// A text that was read, with the tree over it.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    format: Format,
    tree: Tree<'t>,
}

/// What a reader gives.
#[derive(Debug)]
struct Tree<'t> {
    /// The root; `None` when the text holds no value.
    root: Option<Node<'t>>,
    /// Somewhere stands a YAML alias.
    aliased: bool,
}

impl<'t> Document<'t> {
    /// Reads bytes as UTF-8 and then as [`Document::parse`] does.
    ///
    /// UTF-16 and other encodings are refused by name, so that the hint can say what to do.
    pub fn decode(bytes: &[u8]) -> Result<&str, Unreadable> {
        std::str::from_utf8(bytes).map_err(|error| {
            let reason = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => UnreadableReason::Utf16,
                _ => UnreadableReason::NotUtf8,
            };
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            Unreadable::new(&before, before.len(), reason)
        })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// Whatever the client itself would reject, and whatever could not be edited without a guess: duplicate keys,
    /// unclosed text, nesting deeper than 128. The text is then left alone.
    pub fn parse(text: &'t str, format: Format) -> Result<Self, Unreadable> {
        let plain = |root| Tree { root, aliased: false };
        let tree = match format {
            Format::Json | Format::JsonComments | Format::Jsonc | Format::Json5 => {
                json::read(text, format).map(plain)
            }
            Format::Toml => toml::read(text).map(plain),
            Format::Yaml => yaml::read(text),
        }?;
        Ok(Self { text, format, tree })
    }

    /// Returns the text that was read.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Returns the format that the text was read as.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the root; `None` when the text holds no value at all (empty, white space or comments only).
    pub fn root(&self) -> Option<&Node<'t>> {
        self.tree.root.as_ref()
    }

    /// Returns whether the text holds no value at all.
    pub fn is_blank(&self) -> bool {
        self.tree.root.is_none()
    }

    /// Returns the node at `path`.
    pub fn at(&self, path: &[Step]) -> Option<&Node<'t>> {
        path.iter().try_fold(self.root()?, |node, step| node.step(step))
    }

    /// Returns what the aliases and merge keys of the document stand for.
    pub fn aliases(&self) -> Aliases<'_, 't> {
        Aliases::of(self)
    }

    /// Returns the value at `path`, with aliases as they are spelt.
    pub fn value_at(&self, path: &[Step]) -> Option<Value> {
        self.at(path).map(Node::value)
    }

    /// Returns the value at `path` with what its aliases stand for; `None` also where that is too much.
    pub fn resolved_at(&self, path: &[Step]) -> Option<Value> {
        let aliases = self.aliases();
        aliases.value(aliases.at(path)?).ok()
    }

    /// Returns the edits that make the document say what `changes` want, each read against this very document.
    ///
    /// Changes must not contradict each other. What already holds gives no edit.
    ///
    /// # Errors
    /// A [`Refusal`] when a change cannot be made without touching something else: a `null` or a list where a map
    /// belongs, a YAML anchor through which an edit would leak.
    pub fn edits(&self, changes: &[Change]) -> Result<Vec<TextEdit>, Refusal> {
        let layout: &dyn Layout = match self.format {
            Format::Json | Format::JsonComments | Format::Jsonc | Format::Json5 => &json::JsonLayout,
            Format::Toml => &toml::TomlLayout,
            Format::Yaml => &yaml::YamlLayout,
        };
        walk::edits(self, changes, layout)
    }

    /// Returns the text after `changes`, verified: it was parsed again and says exactly what was intended.
    ///
    /// # Errors
    /// As [`Document::edits`]; and [`Refusal::Unverified`] when the result would not be what was intended, which is
    /// a defect of ours that must never reach a file.
    pub fn revised(&self, changes: &[Change]) -> Result<String, Refusal> {
        let edits = self.edits(changes)?;
        if edits.is_empty() {
            return Ok(self.text.to_owned());
        }
        let after = splice(self.text, &edits).map_err(|error| Refusal::Unverified(error.to_string()))?;
        self.verified(changes, after)
    }

    /// Returns `after`, if it says what this document says but for `changes`.
    ///
    /// # Errors
    /// [`Refusal::Unverified`] when it says anything else.
    pub fn verified(&self, changes: &[Change], after: String) -> Result<String, Refusal> {
        if self.format == Format::Yaml && yaml::surely_agrees(self, changes, &after) {
            return Ok(after);
        }
        let read =
            Document::parse(&after, self.format).map_err(|error| Refusal::Unverified(error.to_string()))?;
        judge::verify(self, changes, &read)?;
        Ok(after)
    }

    /// Returns whether all that `node` says stands in its span: a TOML table has its parts elsewhere.
    pub fn is_whole(&self, node: &Node<'_>) -> bool {
        match &node.kind {
            NodeKind::Map(map) => !matches!(map.form, Form::Table(_)),
            NodeKind::List(list) => list.form != Form::Tables,
            _ => true,
        }
    }

    /// Returns the text in which the member `from` of the map at `container` is called `to`, and nothing else differs.
    ///
    /// # Errors
    /// [`Refusal::Unwritable`] when there is no such member, or one called `to` already.
    pub fn renamed(&self, container: &[Step], from: &str, to: &str) -> Result<String, Refusal> {
        rename::renamed(self, container, from, to)
    }

    /// Returns what the levels of `path` look like, so that a later removal can give back the very bytes.
    pub fn footing(&self, path: &[Step]) -> Footing {
        Footing::of(self, path)
    }
}

#[cfg(test)]
mod tests;
