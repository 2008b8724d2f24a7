//! What stands between values: white space, comments, commas.

use std::ops::Range;

/// Returns the length of the JSON5 white space character at `at`; 0 when there is none.
pub(super) fn white_len(text: &str, at: usize) -> usize {
    match text[at..].chars().next() {
        Some(char) if char == '\u{feff}' || char.is_whitespace() && char != '\u{85}' => char.len_utf8(),
        _ => 0,
    }
}

/// Returns the end of the comment at `at`, the line end behind a line comment not included; `None` when it is
/// never closed.
pub(super) fn comment_end(text: &str, at: usize, json5: bool) -> Option<usize> {
    let rest = &text[at + 2..];
    let len = if text[at..].starts_with("/*") {
        rest.find("*/")? + 2
    } else if json5 {
        rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len())
    } else {
        rest.bytes().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())
    };
    Some(at + 2 + len)
}

/// A comment between two parts.
#[derive(Debug)]
pub(super) struct Comment {
    /// Where it stands, without the line end behind a line comment.
    pub(super) range: Range<usize>,
    /// It ends with its line, so whatever follows needs a new one.
    pub(super) to_line_end: bool,
}

/// What stands between two neighbours: a bracket and a part, two parts, or a part and a bracket.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) comma: Option<usize>,
    pub(super) comments: Vec<Comment>,
    /// A line ends outside the comments (behind the comma, when there is one).
    pub(super) breaks: bool,
}

impl Gap {
    /// Reads the gap in `range` of `text`, which holds nothing but trivia.
    pub(super) fn of(text: &str, range: Range<usize>, json5: bool) -> Self {
        let mut gap = Self { comma: None, comments: Vec::new(), breaks: false };
        let bytes = text.as_bytes();
        let mut at = range.start;
        while at < range.end {
            match bytes[at] {
                b',' => {
                    gap.comma = Some(at);
                    gap.breaks = false;
                }
                b'\n' | b'\r' => gap.breaks = true,
                b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => {
                    let end = comment_end(text, at, json5).unwrap_or(range.end).min(range.end);
                    let to_line_end = bytes[at + 1] == b'/';
                    gap.comments.push(Comment { range: at..end, to_line_end });
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        gap
    }
}

/// How the line goes on behind some place: over its white space and the comments that begin on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    /// The end of the last comment; the place itself when there is none.
    pub(super) end: usize,
    /// Where the line ends, when nothing but those comments comes first.
    pub(super) line_end: Option<usize>,
}

impl Seat {
    /// Returns how the line goes on behind `from`, not looking further than `to`.
    pub(super) fn of(text: &str, from: usize, to: usize, json5: bool) -> Self {
        let bytes = text.as_bytes();
        let (mut end, mut at) = (from, from);
        while at < to {
            match bytes[at] {
                b' ' | b'\t' => at += 1,
                b'/' => {
                    at = comment_end(text, at, json5).unwrap_or(to).min(to);
                    end = at;
                }
                _ if is_line_end(text, at, json5) => return Self { end, line_end: Some(at) },
                _ => break,
            }
        }
        Self { end, line_end: None }
    }

    /// Returns where a part that gets a line of its own begins.
    pub(super) fn behind(self) -> usize {
        self.line_end.unwrap_or(self.end)
    }
}

/// Returns whether a line ends at `at`, so that a line comment before it is closed.
pub(super) fn is_line_end(text: &str, at: usize, json5: bool) -> bool {
    match text.as_bytes().get(at) {
        Some(b'\n' | b'\r') => true,
        Some(0xe2) if json5 => text[at..].starts_with(['\u{2028}', '\u{2029}']),
        _ => false,
    }
}

/// Returns the white space that the line of `at` begins with.
pub(super) fn line_indent(text: &str, at: usize) -> &str {
    let bytes = text.as_bytes();
    let start = bytes[..at].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |end| end + 1);
    let len = bytes[start..at].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[start..start + len]
}

/// Returns the line end that stands nearest to `at`, looking up first; a line feed when there is none.
pub(super) fn line_end_near(text: &str, at: usize) -> &'static str {
    let bytes = text.as_bytes();
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let found = bytes[..at]
        .iter()
        .rposition(is_end)
        .or_else(|| bytes[at..].iter().position(is_end).map(|offset| at + offset));
    match found {
        Some(end) if bytes[end] == b'\n' && end > 0 && bytes[end - 1] == b'\r' => "\r\n",
        Some(end) if bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n') => "\r\n",
        Some(end) if bytes[end] == b'\r' => "\r",
        _ => "\n",
    }
}
