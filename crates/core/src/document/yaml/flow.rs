//! Edits of maps and lists between brackets.

use std::ops::Range;

use super::super::layout::Reshape;
use super::super::{Document, Form, Node, NodeKind, Refusal};
use super::lines::{comment_behind, line_start, skip_trivia};
use super::write::Hand;
use crate::text::TextEdit;
use crate::value::Value;

/// A map or list between brackets, with the bytes of its members or items.
pub(super) struct Flow<'n, 't> {
    text: &'t str,
    node: &'n Node<'t>,
    parts: Vec<Range<usize>>,
}

impl<'n, 't> Flow<'n, 't> {
    /// Returns the map or list in brackets that `node` is; `None` for anything else.
    pub(super) fn of(text: &'t str, node: &'n Node<'t>) -> Option<Self> {
        let (form, parts) = match &node.kind {
            NodeKind::Map(map) => (
                &map.form,
                map.members.iter().map(|m| m.key_span.start..m.node.span.end.max(m.key_span.end)).collect(),
            ),
            NodeKind::List(list) => (&list.form, list.items.iter().map(|item| item.span.clone()).collect()),
            _ => return None,
        };
        matches!(form, Form::Flow).then(|| Self { text, node, parts })
    }

    /// Between the brackets.
    fn inside(&self, document: &Document<'_>) -> Result<Range<usize>, Refusal> {
        let span = &self.node.span;
        let bracket = self.text[..span.end].ends_with(['}', ']']);
        let opened = self.text[span.clone()].starts_with(['{', '[']);
        if !bracket || !opened || span.len() < 2 {
            return Err(Refusal::unwritable(document, span.start, "this map has no braces of its own"));
        }
        Ok(span.start + 1..span.end - 1)
    }

    /// The space inside the braces, if this map has some and is written on one line.
    pub(super) fn pad(&self) -> &'static str {
        if self.text[self.node.span.clone()].starts_with("{ ") { " " } else { "" }
    }

    /// Carries out `reshape`.
    pub(super) fn reshape(
        &self,
        document: &Document<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let inside = self.inside(document)?;
        let added = self.spelt(document, &reshape.added)?;
        let kept = (0..self.parts.len()).rev().find(|index| reshape.removed.binary_search(index).is_err());
        let Some(kept) = kept else {
            self.refill(document, &inside, reshape, &added, out);
            return Ok(());
        };
        for &index in reshape.removed.iter().filter(|index| **index < kept) {
            out.push(TextEdit::delete(self.forward(index)));
        }
        let gone = self.parts.get(kept + 1).zip(self.parts.last());
        match (gone, added.is_empty()) {
            (Some((first, last)), false) => {
                let joined = added.join(&self.separator(kept));
                out.push(TextEdit::replace(first.start..last.end, joined));
            }
            (Some(_), true) => self.cut(kept, &inside, out),
            (None, false) => self.append(kept, &inside, &added, out),
            (None, true) => {}
        }
        Ok(())
    }

    fn spelt(&self, document: &Document<'_>, added: &[(&str, Value)]) -> Result<Vec<String>, Refusal> {
        if added.is_empty() {
            return Ok(Vec::new());
        }
        let hand = Hand::of(document, Some(self.node));
        let map = matches!(self.node.kind, NodeKind::Map(_));
        added
            .iter()
            .map(
                |(key, value)| {
                    if map { hand.flow_member(key, value, self.pad()) } else { hand.flow(value, self.pad()) }
                },
            )
            .collect()
    }

    /// What stands between two parts: a comma, and a line break where the `index`th part begins its line.
    fn separator(&self, index: usize) -> String {
        format!(
            ",{}",
            self.lead(self.parts.get(index).map_or(0, |part| part.start)).unwrap_or(" ".to_owned())
        )
    }

    /// The line break and indentation before what stands at `at`, if it begins its line.
    fn lead(&self, at: usize) -> Option<String> {
        let line = line_start(self.text, at);
        let lead = &self.text[line..at];
        (lead.trim().is_empty() && line > 0).then(|| format!("{}{lead}", super::lines::eol(self.text)))
    }

    /// The comma behind the `index`th part.
    fn comma(&self, index: usize) -> Option<usize> {
        let at = skip_trivia(self.text, self.parts.get(index)?.end);
        self.text[at..].starts_with(',').then_some(at)
    }

    /// What goes with a part behind which another one stays: its comma and the way to the next.
    fn forward(&self, index: usize) -> Range<usize> {
        let part = &self.parts[index];
        let next = self.parts.get(index + 1).map_or(part.end, |next| next.start);
        let behind = self.comma(index).map_or(part.end, |comma| comma + 1);
        let own = comment_behind(self.text, behind).unwrap_or(behind);
        let between = &self.text[own.min(next)..next];
        if between.trim().is_empty() {
            return part.start..next;
        }
        // Comments above the next part stay.
        let blank = between.len() - between.trim_start().len();
        part.start..own + blank
    }

    /// Removes all parts behind the `kept`th, which is the last that stays.
    fn cut(&self, kept: usize, inside: &Range<usize>, out: &mut Vec<TextEdit>) {
        let last = self.parts.len() - 1;
        let (Some(first), Some(comma)) = (self.parts.get(kept + 1), self.comma(kept)) else { return };
        let trailing = self.comma(last);
        let end = trailing.map_or(self.parts[last].end, |comma| comma + 1);
        let end = comment_behind(self.text, end).unwrap_or(end).min(inside.end);
        let start = comma + 1 + self.text[comma + 1..first.start].trim_end().len();
        if trailing.is_none() {
            out.push(TextEdit::delete(comma..comma + 1));
        }
        out.push(TextEdit::delete(start..end));
    }

    /// Adds parts behind the last one, which stays.
    fn append(&self, last: usize, inside: &Range<usize>, added: &[String], out: &mut Vec<TextEdit>) {
        let part = &self.parts[last];
        let separator = self.separator(last);
        let lead = &separator[1..];
        let joined = added.join(&separator);
        let comma = self.comma(last);
        let behind = comma.map_or(part.end, |comma| comma + 1);
        let comment = comment_behind(self.text, behind).filter(|end| *end <= inside.end);
        // A comment stays with its part, so what comes must begin a line of its own.
        let (at, lead) = match comment {
            Some(end) if lead == " " => (end, format!("{}  ", super::lines::eol(self.text))),
            Some(end) => (end, lead.to_owned()),
            None => (behind, lead.to_owned()),
        };
        match (comma, comment) {
            (Some(_), _) => out.push(TextEdit::insert(at, format!("{lead}{joined},"))),
            (None, None) => out.push(TextEdit::insert(at, format!(",{lead}{joined}"))),
            (None, Some(_)) => {
                out.push(TextEdit::insert(part.end, ","));
                out.push(TextEdit::insert(at, format!("{lead}{joined}")));
            }
        }
    }

    /// Nothing stays of what was there: other parts come, or what stood there before us, or nothing.
    fn refill(
        &self,
        document: &Document<'_>,
        inside: &Range<usize>,
        reshape: &Reshape<'_>,
        added: &[String],
        out: &mut Vec<TextEdit>,
    ) {
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else {
            out.push(TextEdit::replace(inside.clone(), self.first_parts(document, inside, added)));
            return;
        };
        if !added.is_empty() {
            let joined = added.join(&self.separator(0));
            out.push(TextEdit::replace(first.start..last.end, joined));
            return;
        }
        let end = self.comma(self.parts.len() - 1).map_or(last.end, |comma| comma + 1);
        let around = (&self.text[inside.start..first.start], &self.text[end..inside.end]);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut left = words(around.0);
        left.extend(words(around.1));
        match reshape.gap {
            Some(gap) if words(gap) == left => out.push(TextEdit::replace(inside.clone(), gap)),
            _ if left.is_empty() => out.push(TextEdit::delete(inside.clone())),
            // Comments stay.
            _ => out.push(TextEdit::delete(first.start..end)),
        }
    }

    /// The first parts between brackets that held none, with the white space and comments that stand there.
    fn first_parts(&self, document: &Document<'_>, inside: &Range<usize>, added: &[String]) -> String {
        let gap = &self.text[inside.clone()];
        if !gap.contains(['\n', '\r']) {
            let pad = if gap.is_empty() { "" } else { " " };
            return format!("{pad}{}{pad}", added.join(", "));
        }
        let line = &self.text[line_start(self.text, self.node.span.start)..];
        let indent = line.len() - line.trim_start_matches(' ').len();
        let hand = Hand::of(document, None);
        let lead = hand.line(indent + 2);
        let joined = added.join(&format!(",{lead}"));
        let closing = gap.rsplit(['\n', '\r']).next().unwrap_or_default();
        format!("{}{lead}{joined}{}{closing}", gap.trim_end(), hand.eol)
    }

    /// Puts `value` as a new item before the `index`th, which is there.
    pub(super) fn insert_item(
        &self,
        document: &Document<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let item = Hand::of(document, Some(self.node)).flow(value, self.pad())?;
        if let Some(next) = self.parts.get(index) {
            out.push(TextEdit::insert(next.start, item + &self.separator(index)));
        }
        Ok(())
    }
}
