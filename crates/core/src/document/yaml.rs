//! YAML: reading and writing.

use super::layout::{Layout, Reshape};
use super::{Document, Node, Refusal, Unreadable};
use crate::text::TextEdit;
use crate::value::Value;

/// Reads a text; `None` when it holds no value.
pub(super) fn read(text: &str) -> Result<Option<Node<'_>>, Unreadable> {
    Err(Unreadable::syntax(text, 0, "not built yet"))
}

/// Writes in the hand of the file.
pub(super) struct YamlLayout;

impl Layout for YamlLayout {
    fn replace(
        &self,
        document: &Document<'_>,
        _parent: &Node<'_>,
        _index: usize,
        _value: &Value,
        _out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        Err(Refusal::unwritable(document, 0, "not built yet"))
    }

    fn reshape(
        &self,
        document: &Document<'_>,
        _node: &Node<'_>,
        _reshape: &Reshape<'_>,
        _out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        Err(Refusal::unwritable(document, 0, "not built yet"))
    }

    fn begin(&self, document: &Document<'_>, _members: &[(&str, Value)]) -> Result<String, Refusal> {
        Err(Refusal::unwritable(document, 0, "not built yet"))
    }
}
