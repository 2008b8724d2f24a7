//! Edits of maps and lists in block style.
//!
//! One rule makes edits of neighbours and of nested blocks fit together: what comes is put behind the line break's
//! *place* (at the end of the line before it, beginning with a line break of its own), and what goes takes along the
//! line break *before* it. So adding and removing mirror each other, and a missing final line end stays missing.

use std::ops::Range;

use super::super::layout::Reshape;
use super::super::{Document, Form, Node, NodeKind, Refusal};
use super::lines::{
    body_start, break_before, comment_behind, indicator, line_end, line_start, next_line, tail_end,
};
use super::slot::{Slot, slot_of};
use super::write::Hand;
use crate::text::TextEdit;
use crate::value::Value;

/// A map or list in block style, with the bytes of its members or items.
pub(super) struct Block<'n, 't> {
    text: &'t str,
    node: &'n Node<'t>,
    pub(super) indent: usize,
}

impl<'n, 't> Block<'n, 't> {
    /// Returns the block that `node` is; `None` for flow style and scalars.
    pub(super) fn of(text: &'t str, node: &'n Node<'t>) -> Option<Self> {
        let form = match &node.kind {
            NodeKind::Map(map) => &map.form,
            NodeKind::List(list) => &list.form,
            _ => return None,
        };
        let Form::Block { indent } = *form else { return None };
        Some(Self { text, node, indent })
    }

    fn len(&self) -> usize {
        match &self.node.kind {
            NodeKind::Map(map) => map.members.len(),
            NodeKind::List(list) => list.items.len(),
            _ => 0,
        }
    }

    /// The bytes of a part, from its dash, question mark or key to the end of its value.
    fn part(&self, index: usize) -> Option<Range<usize>> {
        match &self.node.kind {
            NodeKind::Map(map) => {
                let member = map.members.get(index)?;
                let key = member.key_span.start;
                let explicit = key - line_start(self.text, key) != self.indent;
                let begin = if explicit { indicator(self.text, key, self.indent, '?')? } else { key };
                Some(begin..member.node.span.end.max(member.key_span.end))
            }
            NodeKind::List(list) => {
                let item = list.items.get(index)?;
                Some(indicator(self.text, item.span.start, self.indent, '-')?..item.span.end)
            }
            _ => None,
        }
    }

    fn parts(&self, document: &Document<'_>) -> Result<Vec<Range<usize>>, Refusal> {
        (0..self.len()).map(|index| self.part(index)).collect::<Option<_>>().ok_or_else(|| {
            Refusal::unwritable(document, self.node.span.start, "this block is laid out in an unusual way")
        })
    }

    fn is_list(&self) -> bool {
        matches!(self.node.kind, NodeKind::List(_))
    }

    /// How far the items of a list stand behind their dashes.
    fn width(&self) -> usize {
        let last = self.node.as_list().and_then(|list| list.items.last());
        match last.map(|item| &item.kind) {
            Some(NodeKind::Map(map)) => match map.form {
                Form::Block { indent } if indent > self.indent + 1 => indent - self.indent,
                _ => 2,
            },
            _ => 2,
        }
    }

    fn line(&self, hand: &Hand<'_>, key: &str, value: &Value) -> Result<String, Refusal> {
        if self.is_list() {
            hand.item(value, self.indent, self.width())
        } else {
            hand.member(key, value, self.indent)
        }
    }

    /// Carries out `reshape`.
    pub(super) fn reshape(
        &self,
        document: &Document<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let parts = self.parts(document)?;
        let Some(last) = parts.last() else { return Ok(()) };
        let Some((lead, joined)) = self.lines(document, &reshape.added)? else {
            if reshape.removed.len() == parts.len() {
                self.empty(document, &parts, out);
            } else {
                self.remove(&parts, &reshape.removed, out);
            }
            return Ok(());
        };
        // What comes takes the place of what goes at the end.
        let gone =
            reshape.removed.iter().rev().zip((0..parts.len()).rev()).take_while(|(a, b)| *a == b).count();
        let (removed, ending) = reshape.removed.split_at(reshape.removed.len() - gone);
        self.remove(&parts, removed, out);
        out.push(match ending.first().and_then(|index| parts.get(*index)) {
            Some(first) => TextEdit::replace(first.start..self.tail(last), joined),
            None => TextEdit::insert(self.tail(last), lead + &joined),
        });
        Ok(())
    }

    /// The new parts as lines: the line break and indentation before them, and they themselves.
    fn lines(
        &self,
        document: &Document<'_>,
        added: &[(&str, Value)],
    ) -> Result<Option<(String, String)>, Refusal> {
        if added.is_empty() {
            return Ok(None);
        }
        let hand = Hand::of(document, Some(self.node));
        let lead = hand.line(self.indent);
        let lines: Result<Vec<String>, Refusal> =
            added.iter().map(|(key, value)| self.line(&hand, key, value)).collect();
        let joined = lines?.join(&lead);
        Ok(Some((lead, joined)))
    }

    fn tail(&self, part: &Range<usize>) -> usize {
        tail_end(self.text, part.end, self.indent)
    }

    /// Removes some parts, but not all.
    fn remove(&self, parts: &[Range<usize>], removed: &[usize], out: &mut Vec<TextEdit>) {
        let mut top = body_start(self.text);
        let compact = if self.is_compact(parts) { Self::first_kept(removed) } else { 0 };
        if compact > 0 {
            self.remove_compact(parts, compact, out);
        }
        let nodes: Vec<&Node<'_>> = self.node.children().collect();
        let mut before = None;
        for &index in removed.iter().filter(|index| **index >= compact) {
            let part = &parts[index];
            let line = line_start(self.text, part.start);
            if line == top {
                // Nothing stands before it whose line break it could take.
                let next = next_line(self.text, self.tail(part));
                out.push(TextEdit::delete(line..next));
                top = next;
                continue;
            }
            let keeps = match before {
                Some((last, tail, keeps)) if last + 1 == index => keeps && self.is_blank(tail, part.start),
                _ => index.checked_sub(1).is_some_and(|last| {
                    self.is_blank(parts[last].end, part.start) && keeps_blanks(self.text, nodes[last])
                }),
            };
            // The last line break of the text stays with that scalar, if a blank line of it stands there.
            let run = before.is_some_and(|(last, ..)| last + 1 == index);
            let start = break_before(self.text, line);
            let blank = self.text[..start].ends_with(['\n', '\r']);
            let start =
                if keeps && !run && blank && self.ends_text(parts, removed, index) { line } else { start };
            let gone = start..self.tail(part);
            let blanks = if keeps { self.blanks_behind(gone.end) } else { gone.end };
            before = Some((index, blanks, keeps));
            out.push(TextEdit::delete(gone.clone()));
            if blanks > gone.end {
                // An edit of its own, because a block around this one may add something between the two.
                out.push(TextEdit::delete(gone.end..blanks));
            }
        }
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end).is_some_and(|between| between.trim().is_empty())
    }

    /// Whether all parts from the `index`th on are removed, and the text ends with them, without a last line end.
    fn ends_text(&self, parts: &[Range<usize>], removed: &[usize], index: usize) -> bool {
        let all = removed.iter().filter(|gone| **gone >= index).count() == parts.len() - index;
        all && parts.last().is_some_and(|last| self.tail(last) == self.text.len())
    }

    /// The end of the blank lines behind `tail`, which would become text of a block scalar that keeps blank lines.
    fn blanks_behind(&self, mut tail: usize) -> usize {
        loop {
            let next = next_line(self.text, tail);
            let end = line_end(self.text, next);
            if next == self.text.len() || !self.is_blank(next, end) {
                return tail;
            }
            tail = end;
        }
    }

    fn is_compact(&self, parts: &[Range<usize>]) -> bool {
        let begin = parts.first().map_or(0, |part| part.start);
        !self.text[line_start(self.text, begin)..begin].trim().is_empty()
    }

    /// The index of the first part that is not removed.
    fn first_kept(removed: &[usize]) -> usize {
        removed.iter().enumerate().take_while(|(at, index)| at == *index).count()
    }

    /// Removes the first `kept` parts of a block that begins on the line of an outer dash, which stays.
    fn remove_compact(&self, parts: &[Range<usize>], kept: usize, out: &mut Vec<TextEdit>) {
        let (Some(first), Some(last), Some(next)) = (parts.first(), parts.get(kept - 1), parts.get(kept))
        else {
            return;
        };
        let between = &self.text[self.tail(last)..next.start];
        if between.trim().is_empty() {
            out.push(TextEdit::delete(first.start..next.start));
        } else {
            // Comments above the next part stay there; the dash then stands alone on its line.
            let lead = self.text[..first.start].trim_end_matches(' ').len();
            out.push(TextEdit::delete(lead..self.tail(last)));
        }
    }

    /// Removes all parts; brackets then say that nothing is there.
    fn empty(&self, document: &Document<'_>, parts: &[Range<usize>], out: &mut Vec<TextEdit>) {
        let brackets = if self.is_list() { "[]" } else { "{}" };
        let mut rest = parts.iter();
        match slot_of(document, self.node) {
            Slot::Behind(at) if self.text[at..self.node.span.start].contains(['\n', '\r']) => {
                out.push(TextEdit::insert(at, format!(" {brackets}")));
            }
            _ => {
                if let Some(first) = rest.next() {
                    let end = comment_behind(self.text, first.end).unwrap_or(first.end);
                    out.push(TextEdit::replace(first.start..end, brackets));
                }
            }
        }
        for part in rest {
            let line = break_before(self.text, line_start(self.text, part.start));
            out.push(TextEdit::delete(line..self.tail(part)));
        }
    }

    /// Puts `value` as a new item before the `index`th, which is there.
    pub(super) fn insert_item(
        &self,
        document: &Document<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let parts = self.parts(document)?;
        let hand = Hand::of(document, Some(self.node));
        let item = self.line(&hand, "", value)?;
        let lead = hand.line(self.indent);
        match index.checked_sub(1).and_then(|before| parts.get(before)) {
            Some(before) => out.push(TextEdit::insert(self.tail(before), lead + &item)),
            None => {
                if let Some(first) = parts.first() {
                    out.push(TextEdit::insert(first.start, item + &lead));
                }
            }
        }
        Ok(())
    }

    /// Returns all lines of the block, from the line break before its first part to its last line.
    ///
    /// `None` when it begins on the line of something else.
    pub(super) fn whole_lines(&self) -> Option<Range<usize>> {
        let begin = self.part(0)?.start;
        let line = line_start(self.text, begin);
        let own = self.text[line..begin].trim().is_empty();
        let end = line_end(self.text, self.node.span.end);
        own.then(|| break_before(self.text, line)..end)
    }
}

/// Whether `node` ends with a block scalar that keeps the blank lines behind it.
fn keeps_blanks(text: &str, node: &Node<'_>) -> bool {
    if let Some(last) = node.children().last() {
        return keeps_blanks(text, last);
    }
    let header = text[node.span.clone()].lines().next().unwrap_or_default();
    let mark = header.split(['#', ' ']).next().unwrap_or_default();
    matches!(node.kind, NodeKind::Text(_)) && mark.starts_with(['|', '>']) && mark.contains('+')
}
