//! The tree that all three readers give.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::ops::Range;

use super::Step;
use crate::value::Value;

/// A value, and the bytes that it came from.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    /// Where the value stands in the text, without white space or comments around it.
    ///
    /// For a TOML table with a header: the header's brackets. For TOML tables that no header names (dotted keys,
    /// parents of headers): the key that brought them about first. For a YAML key without a value: the empty range
    /// right behind its colon.
    pub span: Range<usize>,
    /// What it says.
    pub kind: NodeKind<'t>,
    /// A YAML anchor stands on this node: others may refer to it, so an edit inside would reach them too.
    pub anchored: bool,
    /// The number of that anchor; of a YAML alias, the number of the anchor that it refers to.
    pub anchor: Option<NonZeroU32>,
}

/// What a node says.
#[derive(Clone, Debug)]
pub enum NodeKind<'t> {
    /// `null`, or a YAML key without a value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as spelt.
    Number(&'t str),
    /// A text, decoded.
    Text(Cow<'t, str>),
    /// What no other variant holds, as spelt: a TOML date, a YAML alias (`*name`) or a node with a tag of its own.
    Other(&'t str),
    /// A list.
    List(List<'t>),
    /// A map.
    Map(Map<'t>),
}

/// A list and how it is written.
#[derive(Clone, Debug)]
pub struct List<'t> {
    /// The items in order.
    pub items: Vec<Node<'t>>,
    /// How it is written.
    pub form: Form,
}

/// A map and how it is written.
#[derive(Clone, Debug)]
pub struct Map<'t> {
    /// The members in the order of the text; keys are unique.
    pub members: Vec<Member<'t>>,
    /// How it is written.
    pub form: Form,
}

/// One key of a map with its value.
#[derive(Clone, Debug)]
pub struct Member<'t> {
    /// The key, decoded.
    pub key: Cow<'t, str>,
    /// Where the key stands, quotes included. For a TOML dotted key or header: the part that is this key.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node<'t>,
}

/// How a list or a map is written: what an edit must know to go on in the same hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Between brackets or braces: all of JSON, YAML flow style, TOML arrays and inline tables.
    Flow,
    /// YAML block style.
    Block {
        /// Bytes before the first key or dash on its line.
        indent: usize,
    },
    /// A TOML table.
    Table(Box<TomlTable>),
    /// A TOML list written as `[[name]]` blocks; its items are [`Form::Table`]s.
    Tables,
}

/// Where the parts of a TOML table stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomlTable {
    /// The keys from the root to this table, as in its header.
    pub path: Vec<String>,
    /// The header, from its first bracket to its last; `None` for the root, for tables made by dotted keys and for
    /// parents that only the headers of their children name.
    pub header: Option<Range<usize>>,
    /// Made by dotted keys (`a.b = 1`), so new keys are written dotted as well.
    pub dotted: bool,
    /// The end of the table's own last `key = value` (of its header when it has none), behind which a new key goes;
    /// `None` when it has neither. A trailing comment and the line end lie behind it.
    pub body_end: Option<usize>,
}

impl<'t> Node<'t> {
    /// Returns a node without an anchor.
    pub fn new(span: Range<usize>, kind: NodeKind<'t>) -> Self {
        Self { span, kind, anchored: false, anchor: None }
    }

    /// Returns whether this is a YAML alias, which stands for what an anchor elsewhere stands on.
    pub fn is_alias(&self) -> bool {
        self.anchor.is_some() && matches!(self.kind, NodeKind::Other(raw) if raw.starts_with('*'))
    }

    /// Returns the map that this node is.
    pub fn as_map(&self) -> Option<&Map<'t>> {
        match &self.kind {
            NodeKind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the list that this node is.
    pub fn as_list(&self) -> Option<&List<'t>> {
        match &self.kind {
            NodeKind::List(list) => Some(list),
            _ => None,
        }
    }

    /// Returns the text that this node is.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the member with this key.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.as_map()?.members.iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// Returns the node one step further down.
    pub fn step(&self, step: &Step) -> Option<&Node<'t>> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Item { key, value } => {
                self.as_list()?.items.iter().find(|item| item.get(key).and_then(Node::as_text) == Some(value))
            }
        }
    }

    /// Returns what the node says, without its layout.
    pub fn value(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Number(text) => Value::Number((*text).to_owned()),
            NodeKind::Text(text) => Value::Text(text.clone().into_owned()),
            NodeKind::Other(text) => Value::Other((*text).to_owned()),
            NodeKind::List(list) => Value::List(list.items.iter().map(Node::value).collect()),
            NodeKind::Map(map) => Value::Map(
                map.members
                    .iter()
                    .map(|member| (member.key.clone().into_owned(), member.node.value()))
                    .collect(),
            ),
        }
    }

    /// Returns whether the node says `value`; the order of keys in maps does not count.
    pub fn says(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (NodeKind::Null, Value::Null) => true,
            (NodeKind::Bool(a), Value::Bool(b)) => a == b,
            (NodeKind::Number(a), Value::Number(b)) | (NodeKind::Other(a), Value::Other(b)) => a == b,
            (NodeKind::Text(a), Value::Text(b)) => a == b,
            (NodeKind::List(a), Value::List(b)) => {
                a.items.len() == b.len() && a.items.iter().zip(b).all(|(a, b)| a.says(b))
            }
            (NodeKind::Map(a), Value::Map(b)) => {
                a.members.len() == b.len()
                    && b.iter().all(|(key, value)| self.get(key).is_some_and(|node| node.says(value)))
            }
            _ => false,
        }
    }

    /// Returns a word for what kind of value this is, for messages.
    pub fn kind_word(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Number(_) => "a number",
            NodeKind::Text(_) => "a text",
            NodeKind::Other(_) => "a special value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a map",
        }
    }

    /// Returns the nodes directly below this one.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Node<'t>> + '_> {
        match &self.kind {
            NodeKind::List(list) => Box::new(list.items.iter()),
            NodeKind::Map(map) => Box::new(map.members.iter().map(|member| &member.node)),
            _ => Box::new(std::iter::empty()),
        }
    }
}
