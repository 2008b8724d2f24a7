//! What can be mended without a guess.

use serde::Serialize;

use crate::document::{Document, Format, Unreadable, UnreadableReason};

/// A file with more trailing commas than this was not written by hand.
const MOST: usize = 1_000;

/// Something that was broken, and is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "repair")]
pub enum Repair {
    /// A byte-order mark stood before the text, which readers of JSON refuse.
    ByteOrderMark,
    /// A comma stood behind the last part of a list or a map.
    TrailingComma {
        /// The line in which it stood, from 1.
        line: usize,
    },
}

/// A text that can be read, and what was done for it.
pub(super) struct Mended {
    pub(super) text: String,
    pub(super) repairs: Vec<Repair>,
}

/// Returns the text as it can be read.
///
/// # Errors
/// Something else is broken: what is wrong in the text as it was given.
pub(super) fn mended(text: &str) -> Result<Mended, Unreadable> {
    let mut repairs = Vec::new();
    let body = text.trim_start_matches('\u{feff}');
    if body.len() < text.len() {
        repairs.push(Repair::ByteOrderMark);
    }
    let mut text = body.to_owned();
    while repairs.len() <= MOST {
        let Err(error) = Document::parse(&text, Format::Json) else { break };
        let is_comma =
            error.reason == UnreadableReason::TrailingComma && text[error.offset..].starts_with(',');
        if !is_comma {
            return Err(error);
        }
        text.remove(error.offset);
        repairs.push(Repair::TrailingComma { line: error.place.line });
    }
    Document::parse(&text, Format::Json)?;
    Ok(Mended { text, repairs })
}
