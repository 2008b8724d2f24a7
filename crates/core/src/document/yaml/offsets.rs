//! From the parser's character counts to bytes.

/// Where each character of a text begins.
pub(super) struct Offsets {
    start: usize,
    len: usize,
    /// `None` when every character is one byte.
    bytes: Option<Vec<usize>>,
}

impl Offsets {
    /// Counts the characters of `text` from byte `start` on.
    pub(super) fn new(text: &str, start: usize) -> Self {
        let body = &text[start..];
        let bytes = (!body.is_ascii()).then(|| body.char_indices().map(|(at, _)| start + at).collect());
        Self { start, len: text.len(), bytes }
    }

    /// Returns the byte at which the `index`th character begins; the end of the text behind the last one.
    pub(super) fn byte(&self, index: usize) -> usize {
        match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.len),
            None => (self.start + index).min(self.len),
        }
    }
}
