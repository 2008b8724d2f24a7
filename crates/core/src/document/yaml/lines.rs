//! Lines, comments and white space of a text.
//!
//! A line ends with `\n`, `\r\n` or a lone `\r`, as the reader sees it.

use super::super::BOM;

/// Returns where the text begins behind a byte-order mark.
pub(super) fn body_start(text: &str) -> usize {
    if text.starts_with(BOM) { BOM.len_utf8() } else { 0 }
}

/// Returns where the line of `at` begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(body_start(text), |end| end + 1)
}

/// Returns where the line of `at` ends, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |length| at + length)
}

/// Returns where the line after that of `at` begins; the end of the text if there is none.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    end + break_len(&text[end..])
}

/// Returns where the line break before the line start `at` begins.
pub(super) fn break_before(text: &str, at: usize) -> usize {
    let before = &text[..at];
    before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).map_or(at, str::len)
}

fn break_len(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with(['\n', '\r'])) }
}

/// Returns the line break of the first line that has one.
pub(super) fn eol(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Returns the first byte at or behind `at` that is neither white space nor part of a comment.
pub(super) fn skip_trivia(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if !text[at..].starts_with('#') || !comment_may_begin(text, at) {
            return at;
        }
        at = line_end(text, at);
    }
}

/// A `#` is a comment only at the start of a line or behind white space; behind a separator we are lenient.
fn comment_may_begin(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | ',' | BOM))
}

/// Returns the end of the comment that follows `at` on the same line, if one does.
pub(super) fn comment_behind(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let start = at + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
    (text[start..].starts_with('#') && comment_may_begin(text, start)).then(|| line_end(text, start))
}

/// Returns the end of the last line that belongs to a part of a block that ends at `end` and whose key or dash stands
/// at `indent`: its own last line, or a later comment that is indented deeper.
pub(super) fn tail_end(text: &str, end: usize, indent: usize) -> usize {
    let mut tail = line_end(text, end);
    let mut at = next_line(text, end);
    while at < text.len() {
        let line = &text[at..line_end(text, at)];
        let content = line.trim_start_matches([' ', '\t']);
        if content.starts_with('#') && line.len() - content.len() > indent {
            tail = at + line.len();
        } else if !content.is_empty() {
            break;
        }
        at = next_line(text, at);
    }
    tail
}

/// Returns where the indicator `mark` (`-` or `?`) of a block at `indent` stands whose content begins at `content`.
///
/// Both may stand on different lines, with comments between them.
pub(super) fn indicator(text: &str, content: usize, indent: usize, mark: char) -> Option<usize> {
    let mut start = line_start(text, content);
    loop {
        let at = start + indent;
        let introduced = text.get(start..at).is_some_and(|lead| lead.chars().all(|c| " -?:".contains(c)));
        if introduced && at < content && text[at..].starts_with(mark) {
            return Some(at);
        }
        if start == body_start(text) {
            return None;
        }
        start = line_start(text, break_before(text, start));
    }
}
