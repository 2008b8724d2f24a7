//! A list or a map as the parts between two brackets.

use std::ops::Range;

use super::super::{Document, Format, Member, Node, NodeKind};
use super::trivia::{Gap, Seat};

/// The members of a map or the items of a list, with what stands between them.
#[derive(Clone, Copy)]
pub(super) struct Parts<'d> {
    pub(super) text: &'d str,
    pub(super) json5: bool,
    pub(super) node: &'d Node<'d>,
    members: &'d [Member<'d>],
    items: &'d [Node<'d>],
}

impl<'d> Parts<'d> {
    /// Returns the parts of `node`; none when it is neither a list nor a map.
    pub(super) fn of(document: &'d Document<'_>, node: &'d Node<'_>) -> Self {
        let (members, items): (&[Member<'_>], &[Node<'_>]) = match &node.kind {
            NodeKind::Map(map) => (&map.members, &[]),
            NodeKind::List(list) => (&[], &list.items),
            _ => (&[], &[]),
        };
        Self { text: document.text(), json5: document.format() == Format::Json5, node, members, items }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len() + self.items.len()
    }

    /// Returns the index of the last part; `None` when there is no part.
    pub(super) fn last(&self) -> Option<usize> {
        self.len().checked_sub(1)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.kind, NodeKind::Map(_))
    }

    pub(super) fn member(&self, index: usize) -> Option<&'d Member<'d>> {
        self.members.get(index)
    }

    pub(super) fn value(&self, index: usize) -> Option<&'d Node<'d>> {
        self.members.get(index).map(|member| &member.node).or_else(|| self.items.get(index))
    }

    /// Returns the index of the part that `offset` lies in.
    pub(super) fn index_at(&self, offset: usize) -> usize {
        self.members.partition_point(|member| member.node.span.end <= offset)
            + self.items.partition_point(|item| item.span.end <= offset)
    }

    /// Returns where the part begins; the closing bracket when there is no such part.
    pub(super) fn start(&self, index: usize) -> usize {
        match (self.members.get(index), self.items.get(index)) {
            (Some(member), _) => member.key_span.start,
            (_, Some(item)) => item.span.start,
            _ => self.inside().end,
        }
    }

    /// Returns where the part ends; the closing bracket when there is no such part.
    pub(super) fn end(&self, index: usize) -> usize {
        self.value(index).map_or(self.inside().end, |node| node.span.end)
    }

    /// Returns what lies between the brackets.
    pub(super) fn inside(&self) -> Range<usize> {
        self.node.span.start + 1..self.node.span.end.saturating_sub(1)
    }

    /// Returns the gap before the part, or before the closing bracket when there is no such part.
    pub(super) fn gap_before(&self, index: usize) -> Gap {
        let start = index.checked_sub(1).map_or(self.inside().start, |before| self.end(before));
        Gap::of(self.text, start..self.start(index), self.json5)
    }

    /// Returns the gap behind the part.
    pub(super) fn gap_behind(&self, index: usize) -> Gap {
        self.gap_before(index + 1)
    }

    /// Returns whether the part is the first on its line.
    pub(super) fn has_own_line(&self, index: usize) -> bool {
        self.gap_before(index).breaks
    }

    /// Returns how the line goes on behind `from`, within these brackets.
    pub(super) fn seat(&self, from: usize) -> Seat {
        Seat::of(self.text, from, self.inside().end, self.json5)
    }

    /// Returns how the line goes on behind the part and its comma.
    pub(super) fn seat_behind(&self, index: usize) -> Seat {
        self.seat(self.gap_behind(index).comma.map_or(self.end(index), |comma| comma + 1))
    }
}

/// Returns the containers around `node`, from the root down, each with the index of the part that leads to it.
pub(super) fn containers_around<'d>(document: &'d Document<'_>, node: &Node<'_>) -> Vec<(Parts<'d>, usize)> {
    let mut around = Vec::new();
    let mut next = document.root();
    while let Some(here) = next
        && here.span != node.span
    {
        let parts = Parts::of(document, here);
        let index = parts.index_at(node.span.start);
        around.push((parts, index));
        next = parts.value(index);
    }
    around
}
