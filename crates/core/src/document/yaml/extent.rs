//! How far values reach, where the parser does not say it exactly.

use std::ops::Range;

use super::lines::{line_end, next_line, skip_trivia};

/// Returns where the bracket stands that opens a collection of which the parser says `span`; `None` for block style.
pub(super) fn bracket(text: &str, bracket: char, span: &Range<usize>) -> Option<usize> {
    let mut at = span.start;
    while text[at..].starts_with(['&', '!']) {
        let rest = &text[at..];
        at = skip_trivia(text, at + rest.find([' ', '\t', '\n', '\r']).unwrap_or(rest.len()));
    }
    (at < span.end && text[at..].starts_with(bracket)).then_some(at)
}

/// Returns the end of the collection in brackets whose last part ends at `last`; the parser forgets about trailing commas.
pub(super) fn closing(text: &str, last: usize) -> usize {
    let mut at = skip_trivia(text, last);
    if text[at..].starts_with(',') {
        at = skip_trivia(text, at + 1);
    }
    (at + 1).min(text.len())
}

/// Returns the first byte of content behind colons, dashes, anchors and tags.
pub(super) fn behind_properties(text: &str, mut at: usize) -> usize {
    loop {
        at = skip_trivia(text, at);
        let rest = &text[at..];
        match rest.bytes().next() {
            Some(b':' | b'-' | b'?') => at += 1,
            Some(b'&' | b'!') => at += rest.find([' ', '\t', '\n', '\r']).unwrap_or(rest.len()),
            _ => return at,
        }
    }
}

/// Returns the end of the quoted scalar whose first quote stands at `open`.
pub(super) fn quoted_end(text: &str, open: usize) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes.get(open).copied().unwrap_or(b'"');
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            byte if *byte == quote => {
                if quote == b'"' || bytes.get(at + 1) != Some(&quote) {
                    return at + 1;
                }
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The end of the block scalar whose header begins at `header`, given where the parser stopped reading it.
///
/// That is the end of its last line with content; with `+` in the header, of its last blank line.
pub(super) fn block_end(text: &str, header: usize, stop: usize) -> usize {
    let heading = &text[header..line_end(text, header)];
    let mark =
        heading.len() - heading.trim_start_matches(|c| matches!(c, '|' | '>' | '+' | '-' | '1'..='9')).len();
    let keep = heading[..mark].contains('+');
    let mut end = header + mark;
    let mut at = next_line(text, header);
    let mut indent = None;
    while at < stop || (keep && at == stop && at < text.len()) {
        let line_end = line_end(text, at);
        if line_end > stop {
            break;
        }
        let line = &text[at..line_end];
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if spaces < line.len() {
            indent = indent.or(Some(spaces));
        }
        if keep || indent.is_some_and(|indent| line.len() > indent) {
            end = line_end;
        }
        at = next_line(text, at);
    }
    end
}
