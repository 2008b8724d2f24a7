//! Edits of a text, and the one law about them: every byte outside the edited ranges stays.

use std::ops::Range;

/// One replacement in a text: the bytes in `range` give way to `replacement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// Byte offsets into the text that the edit was made for.
    pub range: Range<usize>,
    /// What stands there afterwards; empty to delete.
    pub replacement: String,
}

impl TextEdit {
    /// Returns an edit that puts `text` at `at` and removes nothing.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, replacement: text.into() }
    }

    /// Returns an edit that removes `range`.
    pub fn delete(range: Range<usize>) -> Self {
        Self { range, replacement: String::new() }
    }

    /// Returns an edit that puts `text` in the place of `range`.
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, replacement: text.into() }
    }
}

/// Why a list of edits cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// Two edits want the same bytes, so their order would decide the result.
    #[error("edits overlap at byte {0}")]
    Overlap(usize),
    /// An edit reaches past the text, or into the middle of a character.
    #[error("an edit names bytes {0:?}, which are not a part of the text")]
    OutOfText(Range<usize>),
}

/// Returns `text` with `edits` carried out.
///
/// Edits may come in any order; their ranges refer to `text` as given. Insertions at the same place keep the order
/// of the list, and stand before a replacement that begins there.
pub fn splice(text: &str, edits: &[TextEdit]) -> Result<String, SpliceError> {
    let mut order: Vec<&TextEdit> = edits.iter().collect();
    order.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let grown: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
    let mut out = String::with_capacity(text.len() + grown);
    let mut done = 0;
    for edit in order {
        if edit.range.start < done {
            return Err(SpliceError::Overlap(edit.range.start));
        }
        let (Some(kept), true) = (text.get(done..edit.range.start), text.get(edit.range.clone()).is_some())
        else {
            return Err(SpliceError::OutOfText(edit.range.clone()));
        };
        out.push_str(kept);
        out.push_str(&edit.replacement);
        done = edit.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_carried_out_in_the_order_of_the_text() {
        let edits = [
            TextEdit::replace(6..11, "there"),
            TextEdit::insert(0, "> "),
            TextEdit::insert(11, "!"),
            TextEdit::delete(5..6),
        ];
        assert_eq!(splice("hello world", &edits).unwrap(), "> hellothere!");
    }

    #[test]
    fn overlapping_or_stray_edits_are_refused() {
        assert_eq!(
            splice("abc", &[TextEdit::delete(0..2), TextEdit::delete(1..3)]),
            Err(SpliceError::Overlap(1))
        );
        assert_eq!(splice("é", &[TextEdit::insert(1, "x")]), Err(SpliceError::OutOfText(1..1)));
        assert_eq!(splice("a", &[TextEdit::delete(1..4)]), Err(SpliceError::OutOfText(1..4)));
    }
}
