//! Parts that go, and what goes with them.
//!
//! A part takes along its comma, the comment behind it on its line, and the line when it had one of its own.
//! Comments above it stay.

use std::ops::Range;

use super::super::Document;
use super::parts::Parts;
use super::trivia::{Gap, is_line_end};
use crate::text::TextEdit;

/// Removes some parts, one of which at least stays.
pub(super) fn remove(parts: &Parts<'_>, removed: &[usize], out: &mut Vec<TextEdit>) {
    let units = units(parts, removed);
    // Where the last part goes and had no comma behind it, the one that becomes the last must not have one either.
    let (mut first, mut tail) = (parts.len(), removed);
    while let [before @ .., index] = tail
        && index + 1 == first
    {
        (first, tail) = (*index, before);
    }
    if first < parts.len()
        && let Some(left) = first.checked_sub(1)
        && parts.last().is_some_and(|last| parts.gap_behind(last).comma.is_none())
        && let Gap { comma: Some(comma), comments, .. } = parts.gap_behind(left)
    {
        let after_comment = comments.first().is_some_and(|comment| comment.range.start < comma);
        let start = if after_comment { comma } else { parts.end(left) };
        out.push(TextEdit::delete(start..comma + 1));
    }
    out.extend(units.into_iter().map(TextEdit::delete));
}

/// Removes all parts; where nothing of somebody else's stands between the brackets, `gap` stands there again.
pub(super) fn empty(
    document: &Document<'_>,
    parts: &Parts<'_>,
    removed: &[usize],
    gap: Option<&str>,
    out: &mut Vec<TextEdit>,
) {
    let text = document.text();
    let units = units(parts, removed);
    let kept: Vec<&str> = (0..=parts.len())
        .flat_map(|index| parts.gap_before(index).comments)
        .filter(|comment| {
            let next = units.partition_point(|unit| unit.end <= comment.range.start);
            units.get(next).is_none_or(|unit| comment.range.start < unit.start)
        })
        .map(|comment| &text[comment.range])
        .collect();
    let before = gap.map(|gap| Gap::of(gap, 0..gap.len(), parts.json5).comments);
    match (gap, before) {
        (Some(gap), Some(before))
            if before.iter().map(|comment| &gap[comment.range.clone()]).eq(kept.iter().copied()) =>
        {
            out.push(TextEdit::replace(parts.inside(), gap));
        }
        _ if kept.is_empty() => out.push(TextEdit::delete(parts.inside())),
        _ => out.extend(units.into_iter().map(TextEdit::delete)),
    }
}

/// Returns the ranges that go: neighbours go together, unless a comment that stays is between them.
fn units(parts: &Parts<'_>, removed: &[usize]) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    let mut rest = removed;
    while let [first, after @ ..] = rest {
        let mut last = *first;
        rest = after;
        while let [next, after @ ..] = rest
            && *next == last + 1
            && nothing_stays_behind(parts, *first, last)
        {
            last = *next;
            rest = after;
        }
        units.push(unit(parts, *first, last));
    }
    units
}

fn nothing_stays_behind(parts: &Parts<'_>, first: usize, last: usize) -> bool {
    let edge = trailing_edge(parts, first, last);
    parts.gap_behind(last).comments.iter().all(|comment| comment.range.start < edge)
}

/// Returns the range of the parts from `first` to `last`, with what goes with them.
fn unit(parts: &Parts<'_>, first: usize, last: usize) -> Range<usize> {
    let text = parts.text;
    let start = parts.start(first);
    let edge = trailing_edge(parts, first, last);
    let (lead, behind_line_comment) = leading_edge(parts, first);
    let line_is_done = is_line_end(text, edge, parts.json5);
    if last + 1 < parts.len() {
        if line_is_done {
            return lead..edge;
        }
        let blank = text[edge..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        return start..edge + blank;
    }
    // The line end behind a line comment stays, or the comment would swallow the closing bracket.
    if behind_line_comment && !line_is_done { start..edge } else { lead..edge }
}

/// Returns the end of what stays before the part `first`, and whether that is a line comment.
fn leading_edge(parts: &Parts<'_>, first: usize) -> (usize, bool) {
    let seat = match first.checked_sub(1) {
        Some(before) => parts.seat_behind(before),
        None => parts.seat(parts.inside().start),
    };
    let gap = parts.gap_before(first);
    let Some(comment) = gap.comments.last() else { return (seat.behind(), false) };
    let edge = if comment.range.end > seat.end { parts.seat(comment.range.end) } else { seat };
    (edge.behind(), comment.to_line_end && comment.range.end == edge.end)
}

/// Returns the end of what goes with the parts from `first` to `last`: the comma, and the comments behind it that
/// end the line.
pub(super) fn trailing_edge(parts: &Parts<'_>, first: usize, last: usize) -> usize {
    let behind = parts.gap_behind(last).comma.map_or(parts.end(last), |comma| comma + 1);
    let seat = parts.seat(behind);
    match seat.line_end {
        // White space at the end of a line that others share is not the part's own.
        Some(line_end) if last + 1 < parts.len() || parts.has_own_line(first) => line_end,
        None if last + 1 < parts.len() => behind,
        _ => seat.end,
    }
}
