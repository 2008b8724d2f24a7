//! JSON, JSON with comments, and JSON5: reading and writing.

mod add;
mod hand;
mod number;
mod parts;
mod reader;
mod remove;
mod string;
mod trivia;
mod writer;

pub(super) use reader::read;

use super::layout::{Layout, Reshape};
use super::{BOM, Document, Node, Refusal};
use crate::text::TextEdit;
use crate::value::Value;
use hand::Hand;
use parts::Parts;
use trivia::{line_end_near, line_indent};
use writer::{Shape, Writer, is_flat};

/// Writes in the hand of the file.
pub(super) struct JsonLayout;

impl Layout for JsonLayout {
    fn replace(
        &self,
        document: &Document<'_>,
        parent: &Node<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let text = document.text();
        let parts = Parts::of(document, parent);
        let Some(old) = parts.value(index) else { return Ok(()) };
        let inner = Parts::of(document, old);
        let in_lines = match inner.last() {
            Some(last) => inner.has_own_line(last) || !is_flat(value) && parts.has_own_line(index),
            None => parts.has_own_line(index),
        };
        let mut hand = Hand::around(document, old);
        let mut shape = Shape::Inline;
        if in_lines {
            hand = hand.with_lines_at(text, old.span.start);
            shape = Shape::Lines(line_indent(text, old.span.start));
        }
        let mut writer = Writer::new(document, hand, old.span.start);
        writer.trailing_comma = inner.last().is_some_and(|last| inner.gap_behind(last).comma.is_some());
        let mut written = String::new();
        writer.part(None, value, shape, &mut written)?;
        out.push(TextEdit::replace(old.span.clone(), written));
        Ok(())
    }

    fn reshape(
        &self,
        document: &Document<'_>,
        node: &Node<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let parts = Parts::of(document, node);
        let (removed, added) = (&reshape.removed[..], &reshape.added[..]);
        match (parts.last(), removed) {
            (None, _) => add::fill(document, parts, added, out),
            (Some(last), [before @ .., end]) if *end == last && !added.is_empty() => {
                if !before.is_empty() {
                    remove::remove(&parts, before, out);
                }
                add::supersede(document, parts, last, added, out)
            }
            (Some(last), _) if !added.is_empty() => {
                remove::remove(&parts, removed, out);
                add::append(document, parts, last, added, out)
            }
            _ if removed.len() == parts.len() => {
                remove::empty(document, &parts, removed, reshape.gap, out);
                Ok(())
            }
            _ => {
                remove::remove(&parts, removed, out);
                Ok(())
            }
        }
    }

    fn begin(&self, document: &Document<'_>, members: &[(&str, Value)]) -> Result<String, Refusal> {
        let text = document.text();
        let hand = Hand::plain(line_end_near(text, 0));
        let members = members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let mut root = String::new();
        Writer::new(document, hand, text.len()).part(
            None,
            &Value::Map(members),
            Shape::Lines(""),
            &mut root,
        )?;
        let ends_line = |text: &str| text.trim_end_matches([' ', '\t']).ends_with(['\n', '\r']);
        let bom = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        let (bom, rest) = text.split_at(bom);
        let line_end = |after| if ends_line(after) { "" } else { hand.line_end };
        Ok(if rest.trim().is_empty() {
            format!("{bom}{root}{rest}{}", line_end(rest))
        } else {
            format!("{bom}{rest}{}{root}{}", line_end(rest), hand.line_end)
        })
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
