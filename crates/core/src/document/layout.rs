//! What each format must know to write a change in the hand of the file.

use super::{Document, Node, Refusal};
use crate::text::TextEdit;
use crate::value::Value;

/// What becomes of one existing map or list: which of its parts go, and which come.
#[derive(Debug, Default)]
pub(super) struct Reshape<'c> {
    /// Indices of members or items that go, in rising order.
    pub(super) removed: Vec<usize>,
    /// Members that come, in order; for a list the keys are empty and do not count.
    pub(super) added: Vec<(&'c str, Value)>,
    /// What stood between the brackets before we first wrote there; to be put back when nothing else is left.
    pub(super) gap: Option<&'c str>,
}

impl Reshape<'_> {
    /// Returns whether nothing goes and nothing comes.
    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// How one format writes. Every method only appends to `out`; together the edits must not overlap.
///
/// The edits of one call touch: the parts that go with the separators that belonged to them; the places where parts
/// come; nothing else. New lines follow the line end, the indentation and the trailing-comma style found around.
pub(super) trait Layout {
    /// Makes the value of the `index`th member or item of `parent` say `value`, which it does not say now.
    fn replace(
        &self,
        document: &Document<'_>,
        parent: &Node<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal>;

    /// Carries out `reshape` on the map or list `node`; never called with an empty one.
    ///
    /// Adding one part and removing it again gives back the very bytes (with `gap` for a list or map that was empty).
    fn reshape(
        &self,
        document: &Document<'_>,
        node: &Node<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal>;

    /// Returns the whole text of a document that says `members`, in the place of the blank `document`, whose
    /// comments and byte-order mark stay.
    fn begin(&self, document: &Document<'_>, members: &[(&str, Value)]) -> Result<String, Refusal>;
}
