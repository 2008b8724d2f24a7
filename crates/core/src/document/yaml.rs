//! YAML: reading and writing.
//!
//! [`reader`] turns the events of a parser into a tree with exact bytes; [`block`], [`flow`] and [`replace`] make the
//! edits; [`mod@write`] and [`scalar`] spell what is new.

mod begin;
mod block;
mod extent;
mod flow;
mod lines;
mod offsets;
mod reader;
mod replace;
mod scalar;
mod skim;
mod slot;
mod unusual;
mod write;

use super::layout::{Layout, Reshape};
use super::{Change, Document, Node, Refusal, Tree, Unreadable};
use crate::text::TextEdit;
use crate::value::Value;

/// Reads the first document of a stream.
pub(super) fn read(text: &str) -> Result<Tree<'_>, Unreadable> {
    reader::read(text)
}

/// Returns whether `after` surely says what `before` says but for `changes`; `false` where only the whole tree can tell.
pub(super) fn surely_agrees(before: &Document<'_>, changes: &[Change], after: &str) -> bool {
    skim::agrees(before, changes, after)
}

/// Writes in the hand of the file.
pub(super) struct YamlLayout;

impl Layout for YamlLayout {
    fn replace(
        &self,
        document: &Document<'_>,
        parent: &Node<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        unusual::check(document, parent)?;
        match parent.children().nth(index) {
            Some(node) => {
                unusual::check_tab(document, node)?;
                replace::Place { document, parent, index, node }.say(value, out)
            }
            None => Ok(()),
        }
    }

    fn reshape(
        &self,
        document: &Document<'_>,
        node: &Node<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        self::reshape(document, node, reshape, out)
    }

    fn begin(&self, document: &Document<'_>, members: &[(&str, Value)]) -> Result<String, Refusal> {
        begin::begin(document, members)
    }
}

fn reshape(
    document: &Document<'_>,
    node: &Node<'_>,
    reshape: &Reshape<'_>,
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    unusual::check(document, node)?;
    if let Some(block) = block::Block::of(document.text(), node) {
        return block.reshape(document, reshape, out);
    }
    match flow::Flow::of(document.text(), node) {
        Some(flow) => flow.reshape(document, reshape, out),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
