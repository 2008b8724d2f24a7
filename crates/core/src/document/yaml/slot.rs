//! Where the value of a key or the content of a dash would stand.

use super::super::Form;
use super::super::{Document, Node, NodeKind};
use super::lines::{indicator, skip_trivia};

/// The place that a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Behind a colon or a dash, which ends here.
    Behind(usize),
    /// The document itself.
    Root,
}

/// Returns the slot of the `index`th part of `parent`.
pub(super) fn slot(text: &str, parent: &Node<'_>, index: usize) -> Slot {
    match &parent.kind {
        NodeKind::Map(map) => map.members.get(index).map_or(Slot::Root, |member| {
            let colon = skip_trivia(text, member.key_span.end);
            let found = text[colon..].starts_with(':');
            Slot::Behind(if found { colon + 1 } else { member.key_span.end })
        }),
        NodeKind::List(list) => list.items.get(index).map_or(Slot::Root, |item| {
            let dash = match list.form {
                Form::Block { indent } => indicator(text, item.span.start, indent, '-'),
                _ => None,
            };
            Slot::Behind(dash.map_or(item.span.start, |dash| dash + 1))
        }),
        _ => Slot::Root,
    }
}

/// Returns the slot of `node`, which is looked up by where it stands.
pub(super) fn slot_of(document: &Document<'_>, node: &Node<'_>) -> Slot {
    let mut found = Slot::Root;
    let Some(mut here) = document.root() else { return found };
    // Nodes stand in the order of the text, so the way down is a search by halves on each level.
    while !std::ptr::eq(std::ptr::from_ref(here).cast::<()>(), std::ptr::from_ref(node).cast()) {
        let start = node.span.start;
        let next = match &here.kind {
            NodeKind::Map(map) => {
                let after = map.members.partition_point(|member| member.node.span.start <= start);
                after.checked_sub(1).map(|index| (index, &map.members[index].node))
            }
            NodeKind::List(list) => {
                let after = list.items.partition_point(|item| item.span.start <= start);
                after.checked_sub(1).map(|index| (index, &list.items[index]))
            }
            _ => None,
        };
        let Some((index, part)) = next else { return found };
        found = slot(document.text(), here, index);
        here = part;
    }
    found
}
