//! Where tables stand, and where new ones come.

use std::collections::BTreeMap;
use std::ops::Range;

use super::gone::MARK;
use super::{Offer, Tables, written};
use crate::document::{Document, Form, Node, NodeKind};
use crate::policy::Proposal;
use crate::text::TextEdit;

/// Returns the lines of a table with a header of its own: with the comments right above it and right below its last
/// line, to the end of that line. `None` for a table that is written in another way.
pub(super) fn lines_of(text: &str, node: &Node<'_>) -> Option<Range<usize>> {
    let map = node.as_map()?;
    let Form::Table(form) = &map.form else { return None };
    let (header, body_end) = (form.header.as_ref()?, form.body_end?);
    let has_blocks = map.members.iter().any(|member| match &member.node.kind {
        NodeKind::Map(map) => map.form != Form::Flow,
        NodeKind::List(list) => list.form != Form::Flow,
        _ => false,
    });
    if has_blocks {
        return None;
    }
    let mut start = line_start(text, header.start);
    while let Some(above) = line_above(text, start).filter(|above| is_comment(&text[above.clone()])) {
        start = above.start;
    }
    // What stands at the top of a file is about the file.
    if start == first(text) {
        start = line_start(text, header.start);
    }
    let mut end = line_end(text, body_end);
    let mut below = end;
    loop {
        let line = &text[below..line_end(text, below)];
        if line.trim().is_empty() {
            end = below;
            break;
        }
        // Comments that lead up to another table are about that one.
        if !is_comment(line) {
            break;
        }
        below += line.len();
    }
    Some(start..end)
}

/// Returns the edits by which new tables come: behind the one before them by name, or behind the server before theirs.
pub(super) fn come(
    document: &Document<'_>,
    there: &Tables<'_, '_>,
    offer: &Offer<'_>,
    coming: &[(&str, &str, &Proposal)],
) -> Vec<TextEdit> {
    let text = document.text();
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let own: Vec<Vec<(&str, Range<usize>)>> =
        offer.servers.iter().map(|(server, _)| tables_of(text, there, server)).collect();
    let mut at_place: BTreeMap<usize, String> = BTreeMap::new();
    for (server, tool, proposal) in coming {
        let number = offer.place(server);
        let behind = own[number].partition_point(|(name, _)| name < tool);
        let (at, leads) = if let Some((_, range)) = behind.checked_sub(1).map(|at| &own[number][at]) {
            (range.end, false)
        } else if let Some((_, range)) = own[number].first() {
            (range.start, true)
        } else {
            let ends = |tables: &Vec<(&str, Range<usize>)>| tables.iter().map(|(_, range)| range.end).max();
            let starts =
                |tables: &Vec<(&str, Range<usize>)>| tables.iter().map(|(_, range)| range.start).min();
            let before = own[..number].iter().rev().find_map(ends).map(|end| (end, false));
            let behind = || own[number..].iter().find_map(starts).map(|start| (start, true));
            before.or_else(behind).unwrap_or((text.len(), false))
        };
        let coming = at_place.entry(at).or_default();
        let table = written(server, tool, proposal, line_end);
        let parts = if leads { [&table, line_end, line_end] } else { [line_end, &table, line_end] };
        parts.into_iter().for_each(|part| coming.push_str(part));
    }
    at_place.into_iter().map(|(at, coming)| fitted(text, at, coming, line_end)).collect()
}

/// New tables keep their distance from what stands around them.
fn fitted(text: &str, at: usize, mut coming: String, line_end: &str) -> TextEdit {
    if at == first(text) {
        coming.drain(..coming.len() - coming.trim_start_matches(['\r', '\n']).len());
    } else if !text[..at].ends_with('\n') {
        coming.insert_str(0, line_end);
    }
    let goes_on = text[at..].lines().next().is_some_and(|line| !line.trim().is_empty());
    if goes_on && !coming.ends_with(&line_end.repeat(2)) {
        coming.push_str(line_end);
    }
    TextEdit::insert(at, coming)
}

/// The tables of a server that have headers of their own, by name.
fn tables_of<'d>(text: &str, there: &Tables<'d, '_>, server: &str) -> Vec<(&'d str, Range<usize>)> {
    let tables = there.get(server).into_iter().flatten();
    let mut found: Vec<_> = tables.filter_map(|(tool, node)| Some((*tool, lines_of(text, node)?))).collect();
    found.sort_unstable_by_key(|(tool, _)| *tool);
    found
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') && !line.starts_with(MARK)
}

/// The first byte behind a byte-order mark.
fn first(text: &str) -> usize {
    text.len() - text.trim_start_matches('\u{feff}').len()
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(first(text), |end| end + 1)
}

/// The end of the line that `at` is in, its line end included.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

fn line_above(text: &str, start: usize) -> Option<Range<usize>> {
    (start > first(text)).then(|| line_start(text, start - 1)..start)
}
