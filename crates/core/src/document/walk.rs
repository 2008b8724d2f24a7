//! Changes into edits.
//!
//! The wants are walked together with the document. Each existing map or list is reshaped once, however many changes
//! concern it, so ten thousand changes cost one pass.

use std::collections::HashMap;

use super::aliases::{Aliases, MERGE};
use super::layout::{Layout, Reshape};
use super::wants::{Leaf, Wants, named};
use super::{Change, Document, Footing, Form, Node, NodeKind, Refusal, Step};
use crate::place::Place;
use crate::text::TextEdit;
use crate::value::Value;

/// Returns the edits that make `document` say what `changes` want.
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
    let mut walk = Walk { document, layout, aliases: document.aliases() };
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

struct Walk<'d, 't> {
    document: &'d Document<'t>,
    layout: &'d dyn Layout,
    aliases: Aliases<'d, 't>,
}

impl<'d, 't> Walk<'d, 't> {
    fn node(
        &mut self,
        node: &'d Node<'t>,
        wants: &Wants<'_>,
        level: usize,
        name: &str,
        out: &mut Vec<TextEdit>,
    ) -> Result<Left, Refusal> {
        if node.is_alias() {
            return Err(self.aliased(node.span.start, name));
        }
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
        let merge = self.aliases.merge_key(node);
        let parts: Vec<&Node<'_>> = node.children().collect();
        let mut reshape = Reshape::default();
        let mut below = Vec::new();
        for (step, wants) in &wants.steps {
            let at = match step {
                Step::Key(key) => found.get(key.as_str()).copied(),
                Step::Item { key, value } => {
                    parts.iter().position(|item| self.aliases.text_at(item, key) == Some(value.as_str()))
                }
            };
            let label = match step {
                Step::Key(key) => key,
                Step::Item { value, .. } => value,
            };
            let Some(at) = at else {
                if let Some(merge) = merge
                    && let Some(there) = self.aliases.get(node, label)
                {
                    match wants.leaf {
                        // An own member counts instead of the one that is merged in.
                        Some(Leaf::Set(value)) if self.aliases.says(there, value) => continue,
                        Some(Leaf::Set(_)) => {}
                        _ => return Err(self.aliased(merge.key_span.start, label)),
                    }
                }
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
                    // Without the own member the one that is merged in would count.
                    if let Some(merge) = merge
                        && self.aliases.merged(merge).iter().any(|member| member.key == *label)
                    {
                        return Err(self.aliased(merge.key_span.start, label));
                    }
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
        parent: &'d Node<'t>,
        at: usize,
        node: &'d Node<'t>,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        if self.aliases.says(node, value) {
            return Ok(());
        }
        if let (NodeKind::Map(map), Value::Map(members)) = (&node.kind, value)
            && !members.is_empty()
        {
            self.check_anchor(node)?;
            let merged = self.kept_merge(node, value);
            let mut reshape = Reshape::default();
            for (index, member) in map.members.iter().enumerate() {
                if merged.is_some() && member.key == MERGE {
                } else if let Some(value) = value.get(&member.key) {
                    self.set(node, index, &member.node, value, out)?;
                } else {
                    self.check_anchors(&member.node)?;
                    reshape.removed.push(index);
                }
            }
            reshape.added = members
                .iter()
                .filter(|(key, value)| {
                    let merged = || merged.as_ref().and_then(|merged| merged.get(key.as_str()));
                    node.get(key).is_none() && !merged().is_some_and(|there| self.aliases.says(there, value))
                })
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

    /// What is merged into a map that is to say `value`, if all of that is wanted, so that its merge key can stay.
    fn kept_merge(&self, node: &'d Node<'t>, value: &Value) -> Option<HashMap<&'d str, &'d Node<'t>>> {
        let merge = self.aliases.merge_key(node).filter(|_| value.get(MERGE).is_none())?;
        let merged = self.aliases.merged(merge);
        let wanted = merged.iter().all(|member| value.get(&member.key).is_some());
        wanted.then(|| merged.into_iter().map(|member| (member.key.as_ref(), &member.node)).collect())
    }

    fn aliased(&self, at: usize, key: &str) -> Refusal {
        Refusal::Aliased { place: Place::of(self.document.text(), at), key: key.to_owned() }
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
