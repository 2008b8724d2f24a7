//! What a document should say instead, and how that becomes edits.
//!
//! Changes are gathered into a tree of wants, which is walked together with the document. Each existing map or list
//! is reshaped once, however many changes concern it, so ten thousand changes cost one pass. The same tree of wants
//! then judges the result, independently of the code that wrote it.

use std::collections::HashMap;

use super::layout::{Layout, Reshape};
use super::{Document, Form, Map, Node, NodeKind};
use crate::place::Place;
use crate::text::TextEdit;
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

    fn path(&self) -> &[Step] {
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

/// Why a change cannot be made without touching something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A value stands where a container belongs; putting a container there would destroy it.
    #[error("line {}, column {}: `{key}` is {found}, where {wanted} belongs", place.line, place.column)]
    WrongKind {
        /// Where the value stands.
        place: Place,
        /// The key of the value; `the file` for the root.
        key: String,
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A YAML anchor stands on or inside what would be edited, so aliases elsewhere would change too.
    #[error("line {}, column {}: a YAML anchor stands here, so the edit would change other places too", place.line, place.column)]
    Anchored {
        /// Where the anchored node stands.
        place: Place,
    },
    /// The format cannot say this here.
    #[error("line {}, column {}: {what}", place.line, place.column)]
    Unwritable {
        /// Where it would stand.
        place: Place,
        /// What cannot be said.
        what: String,
    },
    /// The result did not say what was intended: a defect of ours, caught before it reached the file.
    #[error("the edited text would not say what was intended ({0}); nothing was written")]
    Unverified(String),
}

impl Refusal {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::WrongKind { .. } => "replace it with an empty map or list, or remove the key",
            Self::Anchored { .. } => "write the entry out without the anchor",
            Self::Unwritable { .. } => "write this part of the file out in full",
            Self::Unverified(_) => "please report this with the file",
        }
    }

    pub(super) fn unwritable(document: &Document<'_>, offset: usize, what: impl Into<String>) -> Self {
        Self::Unwritable { place: Place::of(document.text(), offset), what: what.into() }
    }
}

/// The changes as a tree over the document's own.
#[derive(Debug, Default)]
struct Wants<'c> {
    leaf: Option<Leaf<'c>>,
    steps: Vec<(&'c Step, Wants<'c>)>,
    index: HashMap<&'c Step, usize>,
    /// Of all removals below: containers at this depth or deeper were made by us.
    footing: Option<&'c Footing>,
}

#[derive(Clone, Copy, Debug)]
enum Leaf<'c> {
    Set(&'c Value),
    Remove,
}

impl<'c> Wants<'c> {
    fn of(changes: &'c [Change]) -> Self {
        let mut root = Self::default();
        for change in changes {
            let mut wants = &mut root;
            let (leaf, footing) = match change {
                Change::Set { value, .. } => (Leaf::Set(value), None),
                Change::Remove { footing, .. } => (Leaf::Remove, footing.as_ref()),
            };
            for step in change.path() {
                wants.footing = wants.footing.or(footing);
                let next = *wants.index.entry(step).or_insert_with(|| {
                    wants.steps.push((step, Wants::default()));
                    wants.steps.len() - 1
                });
                wants = &mut wants.steps[next].1;
            }
            wants.leaf = Some(leaf);
        }
        root
    }

    /// What the wants say of a place where nothing stands yet; `None` when they only remove.
    fn value(&self) -> Option<Value> {
        match self.leaf {
            Some(Leaf::Set(value)) => return Some(value.clone()),
            Some(Leaf::Remove) => return None,
            None => {}
        }
        let mut members = Vec::new();
        let mut items = Vec::new();
        for (step, wants) in &self.steps {
            match (step, wants.value()) {
                (Step::Key(key), Some(value)) => members.push((key.clone(), value)),
                (Step::Item { key, value: name }, Some(value)) => items.push(named(key, name, value)),
                (_, None) => {}
            }
        }
        match (members.is_empty(), items.is_empty()) {
            (true, true) => None,
            (false, _) => Some(Value::Map(members)),
            (true, false) => Some(Value::List(items)),
        }
    }
}

/// An item says its name first.
fn named(key: &str, name: &str, value: Value) -> Value {
    match value {
        Value::Map(mut members) if !members.iter().any(|(member, _)| member == key) => {
            members.insert(0, (key.to_owned(), Value::text(name)));
            Value::Map(members)
        }
        other => other,
    }
}

pub(super) fn edits(
    document: &Document<'_>,
    changes: &[Change],
    layout: &dyn Layout,
) -> Result<Vec<TextEdit>, Refusal> {
    let wants = Wants::of(changes);
    let mut out = Vec::new();
    let Some(root) = document.root() else {
        if let Some(Value::Map(members)) = wants.value() {
            let members: Vec<(&str, Value)> = members.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
            out.push(TextEdit::replace(0..document.text().len(), layout.begin(document, &members)?));
        }
        return Ok(out);
    };
    let mut walk = Walk { document, layout };
    let left = walk.node(root, &wants, 0, "the file", &mut out)?;
    if left == Left::Nothing
        && let Some(Footing { depth: None, gap: Some(gap) }) = wants.footing
        && let Some(whole) = blank_again(document, root, gap)
    {
        return Ok(vec![whole]);
    }
    Ok(united(out))
}

/// Neighbours that go from different containers may both take the white space between them: it goes once.
fn united(mut edits: Vec<TextEdit>) -> Vec<TextEdit> {
    let mut order: Vec<usize> = (0..edits.len()).filter(|&at| edits[at].replacement.is_empty()).collect();
    order.sort_by_key(|&at| (edits[at].range.start, edits[at].range.end));
    let mut done = 0;
    for at in order {
        let range = &mut edits[at].range;
        range.start = range.start.max(done);
        range.end = range.end.max(done);
        done = range.end;
    }
    edits.retain(|edit| !edit.range.is_empty() || !edit.replacement.is_empty());
    edits
}

/// The document was blank before us, and around our root nothing but that blank text stands: it becomes so again.
fn blank_again(document: &Document<'_>, root: &Node<'_>, gap: &str) -> Option<TextEdit> {
    let text = document.text();
    let around = match &root.kind {
        NodeKind::Map(map) if matches!(map.form, Form::Flow) => {
            format!("{}{}", &text[..root.span.start], &text[root.span.end..])
        }
        // YAML: what was blank may go on behind the root, with comments or the end of the document.
        NodeKind::Map(map) if matches!(map.form, Form::Block { .. }) => {
            format!("{}\n{}", &text[..root.span.start], &text[root.span.end..])
        }
        // Without brackets the blank text can only stand before the root: nobody has written behind it.
        _ => text[..first_byte(root)].to_owned(),
    };
    let lines = |text: &str| -> Vec<String> {
        text.trim_start_matches(super::BOM)
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    (lines(&around) == lines(gap)).then(|| TextEdit::replace(0..text.len(), gap))
}

fn first_byte(root: &Node<'_>) -> usize {
    root.as_map().and_then(|map| map.members.iter().map(|member| member.key_span.start).min()).map_or(
        root.span.start,
        // A TOML header begins with brackets before its first key.
        |key| if root.span.start < key { root.span.start } else { key },
    )
}

/// What a walk leaves of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Something,
    Nothing,
}

struct Walk<'d> {
    document: &'d Document<'d>,
    layout: &'d dyn Layout,
}

impl Walk<'_> {
    fn node(
        &mut self,
        node: &Node<'_>,
        wants: &Wants<'_>,
        level: usize,
        name: &str,
        out: &mut Vec<TextEdit>,
    ) -> Result<Left, Refusal> {
        let wrong = |wanted| Refusal::WrongKind {
            place: self.place(node),
            key: name.to_owned(),
            found: node.kind_word(),
            wanted,
        };
        let by_key = wants.steps.iter().all(|(step, _)| matches!(step, Step::Key(_)));
        let found: HashMap<&str, usize> = match &node.kind {
            NodeKind::Map(map) if by_key => {
                map.members.iter().enumerate().map(|(at, member)| (member.key.as_ref(), at)).collect()
            }
            NodeKind::List(_) if !by_key => HashMap::new(),
            _ => return Err(wrong(if by_key { "a map" } else { "a list" })),
        };
        let parts: Vec<&Node<'_>> = node.children().collect();
        let mut reshape = Reshape::default();
        let mut below = Vec::new();
        for (step, wants) in &wants.steps {
            let at = match step {
                Step::Key(key) => found.get(key.as_str()).copied(),
                Step::Item { key, value } => parts
                    .iter()
                    .position(|item| item.get(key).and_then(Node::as_text) == Some(value.as_str())),
            };
            let label = match step {
                Step::Key(key) => key,
                Step::Item { value, .. } => value,
            };
            let Some(at) = at else {
                if let Some(value) = wants.value() {
                    reshape.added.push(match step {
                        Step::Key(key) => (key.as_str(), value),
                        Step::Item { key, value: name } => ("", named(key, name, value)),
                    });
                }
                continue;
            };
            let part = parts[at];
            match wants.leaf {
                Some(Leaf::Set(value)) => {
                    let value = match step {
                        Step::Item { key, value: name } => &named(key, name, value.clone()),
                        Step::Key(_) => value,
                    };
                    self.set(node, at, part, value, &mut below)?;
                }
                Some(Leaf::Remove) => {
                    self.check_anchors(part)?;
                    reshape.removed.push(at);
                }
                None => {
                    let mut inner = Vec::new();
                    let left = self.node(part, wants, level + 1, label, &mut inner)?;
                    let ours =
                        wants.footing.is_some_and(|footing| footing.depth.is_none_or(|depth| depth <= level));
                    if left == Left::Nothing && ours {
                        reshape.removed.push(at);
                    } else {
                        below.append(&mut inner);
                    }
                }
            }
        }
        reshape.removed.sort_unstable();
        let left = parts.len() - reshape.removed.len() + reshape.added.len();
        if !reshape.is_empty() || !below.is_empty() {
            self.check_anchor(node)?;
        }
        // What comes into a part stands before what comes behind it, also where both come at the same byte.
        out.append(&mut below);
        if !reshape.is_empty() {
            reshape.gap = wants
                .footing
                .filter(|footing| footing.depth == Some(level))
                .and_then(|footing| footing.gap.as_deref());
            self.layout.reshape(self.document, node, &reshape, out)?;
        }
        Ok(if left == 0 && !parts.is_empty() { Left::Nothing } else { Left::Something })
    }

    fn set(
        &mut self,
        parent: &Node<'_>,
        at: usize,
        node: &Node<'_>,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        if node.says(value) {
            return Ok(());
        }
        if let (NodeKind::Map(map), Value::Map(members)) = (&node.kind, value)
            && !members.is_empty()
        {
            self.check_anchor(node)?;
            let mut reshape = Reshape::default();
            for (index, member) in map.members.iter().enumerate() {
                if let Some(value) = value.get(&member.key) {
                    self.set(node, index, &member.node, value, out)?;
                } else {
                    self.check_anchors(&member.node)?;
                    reshape.removed.push(index);
                }
            }
            reshape.added = members
                .iter()
                .filter(|(key, _)| node.get(key).is_none())
                .map(|(key, value)| (key.as_str(), value.clone()))
                .collect();
            if !reshape.is_empty() {
                self.layout.reshape(self.document, node, &reshape, out)?;
            }
            return Ok(());
        }
        self.check_anchors(node)?;
        self.layout.replace(self.document, parent, at, value, out)
    }

    fn place(&self, node: &Node<'_>) -> Place {
        Place::of(self.document.text(), node.span.start)
    }

    fn check_anchor(&self, node: &Node<'_>) -> Result<(), Refusal> {
        if node.anchored { Err(Refusal::Anchored { place: self.place(node) }) } else { Ok(()) }
    }

    fn check_anchors(&self, node: &Node<'_>) -> Result<(), Refusal> {
        self.check_anchor(node)?;
        node.children().try_for_each(|child| self.check_anchors(child))
    }
}

pub(super) fn footing(document: &Document<'_>, path: &[Step]) -> Footing {
    let Some(mut node) = document.root() else {
        return Footing { depth: None, gap: Some(document.text().to_owned()) };
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
    Footing { depth: Some(depth), gap }
}

/// Judges a result: it must say what the original said, but for what the changes wanted.
pub(super) fn verify(before: &Document<'_>, changes: &[Change], after: &Document<'_>) -> Result<(), Refusal> {
    let wants = Wants::of(changes);
    // A TOML text without keys is an empty map, not a missing one.
    let empty = (after.format() == super::Format::Toml && before.root().is_some())
        .then(|| Node::new(0..0, NodeKind::Map(Map { members: Vec::new(), form: Form::Flow })));
    if agrees(before.root(), after.root().or(empty.as_ref()), &wants, 0) {
        Ok(())
    } else {
        Err(Refusal::Unverified("something else than the intended would have changed".to_owned()))
    }
}

fn agrees(old: Option<&Node<'_>>, new: Option<&Node<'_>>, wants: &Wants<'_>, level: usize) -> bool {
    match wants.leaf {
        Some(Leaf::Set(value)) => return new.is_some_and(|new| new.says(value) || says_named(new, value)),
        Some(Leaf::Remove) => return new.is_none(),
        None => {}
    }
    let Some(old) = old else {
        return match (wants.value(), new) {
            (Some(value), Some(new)) => new.says(&value) || says_named(new, &value),
            (None, None) => true,
            _ => false,
        };
    };
    let Some(new) = new else {
        // The container went with its last member, which only one of our own making may do.
        let ours = wants.footing.is_some_and(|footing| footing.depth.is_none_or(|depth| depth < level));
        return ours
            && wants.steps.iter().all(|(step, wants)| agrees(old.step(step), None, wants, level + 1))
            && old.children().count()
                == wants.steps.iter().filter(|(step, _)| old.step(step).is_some()).count();
    };
    match (&old.kind, &new.kind) {
        (NodeKind::Map(_), NodeKind::Map(fresh)) => {
            let (olds, news) = (by_key(old), by_key(new));
            let touched: std::collections::HashSet<&str> = wants
                .steps
                .iter()
                .filter_map(|(step, _)| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
                .collect();
            let kept = olds
                .iter()
                .filter(|(key, _)| !touched.contains(*key))
                .all(|(key, old)| news.get(key).is_some_and(|new| same(old, new)));
            let wanted = wants.steps.iter().all(|(step, wants)| match step {
                Step::Key(key) => {
                    agrees(olds.get(key.as_str()).copied(), news.get(key.as_str()).copied(), wants, level + 1)
                }
                Step::Item { .. } => false,
            });
            let strangers = fresh
                .members
                .iter()
                .any(|m| !touched.contains(m.key.as_ref()) && !olds.contains_key(m.key.as_ref()));
            kept && wanted && !strangers
        }
        (NodeKind::List(before), NodeKind::List(after)) => {
            let touched = |item: &Node<'_>| {
                wants.steps.iter().any(|(step, _)| {
                    matches!(step, Step::Item { key, value } if item.get(key).and_then(Node::as_text) == Some(value))
                })
            };
            let kept: Vec<_> = before.items.iter().filter(|item| !touched(item)).collect();
            let still: Vec<_> = after.items.iter().filter(|item| !touched(item)).collect();
            kept.len() == still.len()
                && kept.iter().zip(&still).all(|(a, b)| same(a, b))
                && wants
                    .steps
                    .iter()
                    .all(|(step, wants)| agrees(old.step(step), new.step(step), wants, level + 1))
        }
        _ => false,
    }
}

/// An item of a list may have its name beside what was wanted of it.
fn says_named(new: &Node<'_>, value: &Value) -> bool {
    match (new.as_map(), value) {
        (Some(map), Value::Map(members)) if map.members.len() == members.len() + 1 => {
            members.iter().all(|(key, value)| new.get(key).is_some_and(|node| node.says(value)))
        }
        _ => false,
    }
}

fn by_key<'n, 't>(node: &'n Node<'t>) -> HashMap<&'n str, &'n Node<'t>> {
    node.as_map()
        .into_iter()
        .flat_map(|map| map.members.iter().map(|member| (member.key.as_ref(), &member.node)))
        .collect()
}

fn same(old: &Node<'_>, new: &Node<'_>) -> bool {
    match (&old.kind, &new.kind) {
        (NodeKind::Null, NodeKind::Null) => true,
        (NodeKind::Bool(a), NodeKind::Bool(b)) => a == b,
        (NodeKind::Number(a), NodeKind::Number(b)) | (NodeKind::Other(a), NodeKind::Other(b)) => a == b,
        (NodeKind::Text(a), NodeKind::Text(b)) => a == b,
        (NodeKind::List(a), NodeKind::List(b)) => {
            a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(a, b)| same(a, b))
        }
        (NodeKind::Map(a), NodeKind::Map(b)) => {
            a.members.len() == b.members.len()
                && if a.members.iter().zip(&b.members).all(|(a, b)| a.key == b.key) {
                    a.members.iter().zip(&b.members).all(|(a, b)| same(&a.node, &b.node))
                } else {
                    let news = by_key(new);
                    a.members.iter().all(|a| news.get(a.key.as_ref()).is_some_and(|b| same(&a.node, b)))
                }
        }
        _ => false,
    }
}
