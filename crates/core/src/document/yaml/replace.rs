//! One value in the place of another.

use super::super::layout::Reshape;
use super::super::{Document, Form, List, Node, NodeKind, Refusal};
use super::block::Block;
use super::flow::Flow;
use super::lines::line_end;
use super::slot::{Slot, slot};
use super::write::Hand;
use crate::text::TextEdit;
use crate::value::Value;

/// A value to be written in the place of the `index`th part of `parent`.
pub(super) struct Place<'n, 'd, 't> {
    pub(super) document: &'d Document<'t>,
    pub(super) parent: &'n Node<'t>,
    pub(super) index: usize,
    pub(super) node: &'n Node<'t>,
}

impl Place<'_, '_, '_> {
    /// Makes the place say `value`.
    pub(super) fn say(&self, value: &Value, out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        if let (NodeKind::List(old), Value::List(new)) = (&self.node.kind, value)
            && !old.items.is_empty()
            && !new.is_empty()
        {
            return self.say_list(old, new, out);
        }
        let collection = matches!(value, Value::Map(members) if !members.is_empty())
            || matches!(value, Value::List(items) if !items.is_empty());
        match self.block_indent() {
            None => self.say_flow(value, out),
            Some(indent) => match (Block::of(self.text(), self.node), collection) {
                (Some(old), true) => self.block_by_block(&old, indent, value, out),
                (Some(old), false) => self.block_by_line(&old, value, out),
                (None, _) if self.flow_pad().is_some() || !collection => {
                    self.line_by_line(indent, value, out)
                }
                (None, _) => self.line_by_block(indent, value, out),
            },
        }
    }

    fn text(&self) -> &str {
        self.document.text()
    }

    fn hand(&self) -> Hand<'_> {
        Hand::of(self.document, Some(self.parent))
    }

    /// Where the keys or dashes of the parent stand; `None` between brackets.
    fn block_indent(&self) -> Option<usize> {
        Block::of(self.text(), self.parent).map(|block| block.indent)
    }

    /// The padding of the old value; `None` when it has no brackets.
    fn flow_pad(&self) -> Option<&'static str> {
        Flow::of(self.text(), self.node).map(|flow| flow.pad())
    }

    fn in_list(&self) -> bool {
        matches!(self.parent.kind, NodeKind::List(_))
    }

    /// Keeps the items that both lists begin and end with, so that comments beside them stay where they are.
    fn say_list(&self, old: &List<'_>, new: &[Value], out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        let pairs = old.items.iter().zip(new);
        let prefix = pairs.take_while(|(item, value)| item.says(value)).count();
        let rest = old.items.len().min(new.len()) - prefix;
        let pairs = old.items.iter().rev().zip(new.iter().rev()).take(rest);
        let suffix = pairs.take_while(|(item, value)| item.says(value)).count();
        let (old_end, new_end) = (old.items.len() - suffix, new.len() - suffix);
        let both = prefix + (old_end - prefix).min(new_end - prefix);
        for (index, (node, value)) in old.items.iter().zip(new).enumerate().take(both).skip(prefix) {
            if !node.says(value) {
                Place { document: self.document, parent: self.node, index, node }.say(value, out)?;
            }
        }
        let more = &new[both..new_end];
        if suffix > 0 {
            for value in more {
                self.insert_item(both, value, out)?;
            }
        }
        let added = if suffix > 0 { &[][..] } else { more };
        let reshape = Reshape {
            removed: (both..old_end).collect(),
            added: added.iter().map(|value| ("", value.clone())).collect(),
            gap: None,
        };
        if reshape.is_empty() { Ok(()) } else { super::reshape(self.document, self.node, &reshape, out) }
    }

    fn insert_item(&self, index: usize, value: &Value, out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        if let Some(block) = Block::of(self.text(), self.node) {
            return block.insert_item(self.document, index, value, out);
        }
        match Flow::of(self.text(), self.node) {
            Some(flow) => flow.insert_item(self.document, index, value, out),
            None => Ok(()),
        }
    }

    /// Between brackets.
    fn say_flow(&self, value: &Value, out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        let pad = Flow::of(self.text(), self.parent).map_or("", |flow| flow.pad());
        let spelt = self.hand().flow(value, pad)?;
        let lead = if !self.node.span.is_empty() {
            ""
        } else if self.behind_colon() {
            " "
        } else {
            ": "
        };
        out.push(TextEdit::replace(self.node.span.clone(), format!("{lead}{spelt}")));
        Ok(())
    }

    /// Whether the empty value has a colon (or a dash) before it.
    fn behind_colon(&self) -> bool {
        self.in_list()
            || slot(self.text(), self.parent, self.index) == Slot::Behind(self.node.span.start)
                && self.text()[..self.node.span.start].ends_with(':')
    }

    /// A value on one line by another.
    fn line_by_line(&self, indent: usize, value: &Value, out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        let span = self.node.span.clone();
        let hand = self.hand();
        let spelt = match self.flow_pad() {
            Some(pad) => hand.flow(value, pad)?,
            None => hand.item_value(value, indent)?,
        };
        if span.is_empty() {
            let lead = if self.behind_colon() { " ".to_owned() } else { hand.line(indent) + ": " };
            out.push(TextEdit::insert(span.start, lead + &spelt));
            return Ok(());
        }
        let head = self.head();
        out.push(TextEdit::replace(span.start..head, spelt));
        self.cut_body(head, out);
        Ok(())
    }

    /// The end of what stands on the first line: of a block scalar its header, without a comment behind it.
    fn head(&self) -> usize {
        let span = self.node.span.clone();
        let raw = &self.text()[span.clone()];
        if !raw.starts_with(['|', '>']) {
            return span.end;
        }
        span.start + raw.find([' ', '\t', '\n', '\r']).unwrap_or(raw.len())
    }

    /// Removes the lines of a block scalar whose header ends at `head`.
    fn cut_body(&self, head: usize, out: &mut Vec<TextEdit>) {
        let body = line_end(self.text(), head);
        if head < self.node.span.end && body < self.node.span.end {
            out.push(TextEdit::delete(body..self.node.span.end));
        }
    }

    /// A value on one line by a map or list on further lines; a comment on that line stays there.
    fn line_by_block(&self, indent: usize, value: &Value, out: &mut Vec<TextEdit>) -> Result<(), Refusal> {
        let span = self.node.span.clone();
        if span.is_empty() && !self.behind_colon() {
            let spelt = self.hand().flow(value, "")?;
            out.push(TextEdit::insert(span.start, self.hand().line(indent) + ": " + &spelt));
            return Ok(());
        }
        let head = self.head();
        let (first, rest) = if self.in_list() {
            let item = self.hand().item_value(value, indent + 2)?;
            let cut = item.find(['\r', '\n']).unwrap_or(item.len());
            let lead = if span.is_empty() { " " } else { "" };
            (format!("{lead}{}", &item[..cut]), item[cut..].to_owned())
        } else {
            let mut rest = String::new();
            self.hand().push_behind(&mut rest, value, indent)?;
            (String::new(), rest)
        };
        let start = match slot(self.text(), self.parent, self.index) {
            // Without a first part, the blank behind the colon goes as well.
            Slot::Behind(at) if first.is_empty() => at,
            _ => span.start,
        };
        out.push(TextEdit::replace(start..head, first));
        self.cut_body(head, out);
        let body = line_end(self.text(), head).min(span.end.max(head));
        let at = if body < span.end { span.end } else { line_end(self.text(), span.end) };
        out.push(TextEdit::insert(at, rest));
        Ok(())
    }

    /// A block by a scalar or by empty brackets.
    fn block_by_line(
        &self,
        old: &Block<'_, '_>,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let spelt = self.hand().item_value(value, 0)?;
        match (old.whole_lines(), slot(self.text(), self.parent, self.index)) {
            (Some(lines), Slot::Behind(at)) => {
                out.push(TextEdit::insert(at, format!(" {spelt}")));
                out.push(TextEdit::delete(lines));
            }
            _ => out.push(TextEdit::replace(self.node.span.clone(), spelt)),
        }
        Ok(())
    }

    /// A block by a block of another kind.
    fn block_by_block(
        &self,
        old: &Block<'_, '_>,
        indent: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let hand = self.hand();
        match old.whole_lines() {
            Some(lines) if !self.in_list() => {
                let mut rest = String::new();
                hand.push_behind(&mut rest, value, indent)?;
                out.push(TextEdit::replace(lines, rest));
            }
            _ => {
                let inner = match &self.node.kind {
                    NodeKind::Map(map) => &map.form,
                    NodeKind::List(list) => &list.form,
                    _ => &Form::Flow,
                };
                let inner = if let Form::Block { indent } = inner { *indent } else { indent + 2 };
                out.push(TextEdit::replace(self.node.span.clone(), hand.item_value(value, inner)?));
            }
        }
        Ok(())
    }
}
