//! Why a text cannot be read, with the place.

use crate::place::Place;

/// The deepest nesting that is read: far more than any real config has, far less than a stack holds.
pub(super) const MAX_DEPTH: usize = 128;

/// A text that is left alone because it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {reason}", place.line, place.column)]
pub struct Unreadable {
    /// Where the first problem stands.
    pub place: Place,
    /// The same place as a byte offset.
    pub offset: usize,
    /// What is wrong there.
    pub reason: UnreadableReason,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableReason {
    /// The format's grammar is broken; the text says what was found or expected.
    #[error("{0}")]
    Syntax(String),
    /// A text, list or map is never closed: the file was probably cut off.
    #[error("{0} is never closed")]
    Unclosed(&'static str),
    /// A map has the same key twice, and readers differ in which one counts.
    #[error("the key `{0}` stands twice")]
    DuplicateKey(String),
    /// A comment in a format whose reader has none.
    #[error("a comment stands here, which this client does not accept")]
    Comment,
    /// A trailing comma in a format whose reader has none.
    #[error("a trailing comma stands here, which this client does not accept")]
    TrailingComma,
    /// Lists and maps are nested deeper than any real config.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// UTF-16, as some Windows editors save.
    #[error("the file is UTF-16, not UTF-8")]
    Utf16,
    /// Some other encoding, or binary data.
    #[error("the file is not UTF-8")]
    NotUtf8,
}

impl Unreadable {
    /// Returns the problem `reason` at byte `offset` of `text`.
    pub fn new(text: &str, offset: usize, reason: UnreadableReason) -> Self {
        Self { place: Place::of(text, offset), offset, reason }
    }

    /// Returns the problem that something unexpected stands at byte `offset` of `text`.
    pub fn syntax(text: &str, offset: usize, what: impl Into<String>) -> Self {
        Self::new(text, offset, UnreadableReason::Syntax(what.into()))
    }

    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self.reason {
            UnreadableReason::Syntax(_) => "mend the file at that place",
            UnreadableReason::Unclosed(_) => {
                "the file seems to be cut off: mend it, or restore it from a backup"
            }
            UnreadableReason::DuplicateKey(_) => "remove one of the two",
            UnreadableReason::Comment => "remove the comment",
            UnreadableReason::TrailingComma => "remove the comma",
            UnreadableReason::TooDeep(_) => "flatten the file",
            UnreadableReason::Utf16 | UnreadableReason::NotUtf8 => "save the file as UTF-8",
        }
    }
}
