//! The first words of a blank document.

use super::super::{Document, Refusal};
use super::lines::{body_start, line_end, next_line};
use super::write::Hand;
use crate::value::Value;

/// Returns the text of the blank `document` with `members` in it.
pub(super) fn begin(document: &Document<'_>, members: &[(&str, Value)]) -> Result<String, Refusal> {
    let text = document.text();
    let hand = Hand::of(document, None);
    let lines: Result<Vec<String>, Refusal> =
        members.iter().map(|(key, value)| hand.member(key, value, 0)).collect();
    let at = first_end(text);
    let before = &text[..at];
    let lead =
        if before[body_start(text)..].is_empty() || before.ends_with(['\n', '\r']) { "" } else { hand.eol };
    Ok(format!("{before}{lead}{}{}{}", lines?.join(hand.eol), hand.eol, &text[at..]))
}

/// The end of the first document of a blank text: before the line that ends it or begins the next.
fn first_end(text: &str) -> usize {
    let mut at = body_start(text);
    let mut begun = false;
    while at < text.len() {
        let line = &text[at..line_end(text, at)];
        if marker(line, "...") || (begun && marker(line, "---")) {
            return at;
        }
        begun |= marker(line, "---");
        at = next_line(text, at);
    }
    at
}

fn marker(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}
