//! Where the parts of a table stand in the text: its lines, its blocks, its end.

use std::ops::Range;

use crate::document::node::TomlTable;
use crate::document::{Form, Member, Node, NodeKind};

/// How a map is written, when that is as a TOML table.
pub(super) fn table_of<'n>(node: &'n Node<'_>) -> Option<&'n TomlTable> {
    match &node.as_map()?.form {
        Form::Table(table) => Some(table),
        _ => None,
    }
}

/// The places of the `key = value` lines that make up `members`, each from the last part of its key on.
///
/// Those within blocks of their own do not count.
pub(super) fn lines_of<'m, 't: 'm>(members: impl IntoIterator<Item = &'m Member<'t>>) -> Vec<Range<usize>> {
    fn gather(member: &Member<'_>, out: &mut Vec<Range<usize>>) {
        match (&member.node.kind, table_of(&member.node)) {
            (NodeKind::Map(map), Some(table)) if table.dotted => {
                map.members.iter().for_each(|member| gather(member, out));
            }
            (_, Some(_)) => {}
            (NodeKind::List(list), _) if list.form == Form::Tables => {}
            _ => out.push(member.key_span.start..member.node.span.end),
        }
    }
    let mut lines = Vec::new();
    members.into_iter().for_each(|member| gather(member, &mut lines));
    lines
}

/// The places of the blocks that make up `nodes`, each from its header to the end of its body.
pub(super) fn blocks_of<'n, 't: 'n>(nodes: impl IntoIterator<Item = &'n Node<'t>>) -> Vec<Range<usize>> {
    fn gather(node: &Node<'_>, out: &mut Vec<Range<usize>>) {
        if is_flow(node) {
            return;
        }
        if let Some(TomlTable { header: Some(header), body_end: Some(end), .. }) = table_of(node) {
            out.push(header.start..*end);
        }
        node.children().for_each(|child| gather(child, out));
    }
    let mut blocks = Vec::new();
    nodes.into_iter().for_each(|node| gather(node, &mut blocks));
    blocks
}

/// The end of the last line of `node`, in its own body or in that of a table below it.
pub(super) fn last_end(node: &Node<'_>) -> Option<usize> {
    if is_flow(node) {
        return None;
    }
    let own = table_of(node).and_then(|table| table.body_end);
    node.children().filter_map(last_end).chain(own).max()
}

/// Whether nothing below `node` is written in lines.
fn is_flow(node: &Node<'_>) -> bool {
    match &node.kind {
        NodeKind::Map(map) => map.form == Form::Flow,
        NodeKind::List(list) => list.form == Form::Flow,
        _ => true,
    }
}

/// The nodes from `root` down to the parent of `node`, which is one of the tree's own.
pub(super) fn ancestors<'n, 't>(root: &'n Node<'t>, node: &Node<'_>) -> Vec<&'n Node<'t>> {
    fn down<'n, 't>(at: &'n Node<'t>, node: &Node<'_>, above: &mut Vec<&'n Node<'t>>) -> bool {
        if std::ptr::from_ref(at).addr() == std::ptr::from_ref(node).addr() {
            return true;
        }
        above.push(at);
        if at.children().any(|child| down(child, node, above)) {
            return true;
        }
        above.pop();
        false
    }
    let mut above = Vec::new();
    down(root, node, &mut above);
    above
}
