//! The hand of the file: how it is indented and spaced around some place.

use super::super::{Document, Node};
use super::parts::{Parts, containers_around};
use super::trivia::{line_end_near, line_indent};

/// How many values are looked at to learn the hand; what is near comes first, and big files stay quick.
const LOOK_AT: usize = 96;

/// How the file is written around some place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand<'d> {
    /// The line end.
    pub(super) line_end: &'static str,
    /// One level of indentation.
    pub(super) unit: &'d str,
    /// What stands between a key and its value.
    pub(super) colon: &'d str,
    /// What stands behind the comma between two parts on one line.
    pub(super) behind_comma: &'d str,
    /// What stands inside the braces of a map on one line.
    pub(super) padding: &'d str,
    /// Lists of scalars are written with one item per line.
    pub(super) lists_in_lines: bool,
}

impl<'d> Hand<'d> {
    /// Returns the hand of a document that has none yet.
    pub(super) fn plain(line_end: &'static str) -> Self {
        Self { line_end, unit: "  ", colon: ": ", behind_comma: " ", padding: " ", lists_in_lines: false }
    }

    /// Returns the hand around `node`: its own, then that of the containers around it, then that of the document.
    pub(super) fn around(document: &'d Document<'_>, node: &'d Node<'_>) -> Self {
        let samples = samples(document, node);
        let plain = Self::plain("\n");
        let colon = samples.iter().find_map(colon).unwrap_or(plain.colon);
        let spaced = colon.ends_with(' ');
        Self {
            line_end: plain.line_end,
            unit: samples.iter().find_map(unit).unwrap_or(plain.unit),
            colon,
            behind_comma: samples.iter().find_map(behind_comma).unwrap_or(if spaced { " " } else { "" }),
            padding: samples.iter().find_map(padding).unwrap_or(if spaced { " " } else { "" }),
            lists_in_lines: samples
                .iter()
                .find(|parts| !parts.is_map())
                .map_or(plain.lists_in_lines, |parts| parts.has_own_line(0)),
        }
    }

    /// Returns the same hand with the line end found near `at`.
    ///
    /// Apart, because a text without any line end is searched as a whole; on one line nobody needs to know.
    pub(super) fn with_lines_at(self, text: &str, at: usize) -> Self {
        Self { line_end: line_end_near(text, at), ..self }
    }
}

/// Returns containers that are not empty, the nearest first.
fn samples<'d>(document: &'d Document<'_>, node: &'d Node<'_>) -> Vec<Parts<'d>> {
    let mut samples = Vec::new();
    let own = Parts::of(document, node);
    let mut budget = LOOK_AT / 2;
    if let Some(last) = own.last() {
        samples.push(own);
        gather(document, own.value(last), &mut budget, &mut samples);
    }
    samples.extend(containers_around(document, node).into_iter().rev().map(|(parts, _)| parts));
    budget = LOOK_AT;
    gather(document, document.root(), &mut budget, &mut samples);
    samples
}

fn gather<'d>(
    document: &'d Document<'_>,
    node: Option<&'d Node<'_>>,
    budget: &mut usize,
    samples: &mut Vec<Parts<'d>>,
) {
    let Some(node) = node else { return };
    let parts = Parts::of(document, node);
    if parts.len() > 0 {
        samples.push(parts);
    }
    for index in 0..parts.len() {
        if *budget == 0 {
            return;
        }
        *budget -= 1;
        gather(document, parts.value(index), budget, samples);
    }
}

fn colon<'d>(parts: &Parts<'d>) -> Option<&'d str> {
    let member = parts.member(parts.last()?)?;
    let between = &parts.text[member.key_span.end..member.node.span.start];
    between.chars().all(|char| matches!(char, ':' | ' ' | '\t')).then_some(between)
}

fn unit<'d>(parts: &Parts<'d>) -> Option<&'d str> {
    let last = parts.last()?;
    if !parts.has_own_line(last) {
        return None;
    }
    let base = line_indent(parts.text, parts.node.span.start);
    let inner = line_indent(parts.text, parts.start(last));
    inner.strip_prefix(base).filter(|unit| !unit.is_empty())
}

fn behind_comma<'d>(parts: &Parts<'d>) -> Option<&'d str> {
    let last = parts.last().filter(|&last| last > 0)?;
    let between = &parts.text[parts.end(last - 1)..parts.start(last)];
    between.strip_prefix(',').filter(|rest| is_blank(rest))
}

fn padding<'d>(parts: &Parts<'d>) -> Option<&'d str> {
    let padding = &parts.text[parts.inside().start..parts.start(0)];
    (parts.is_map() && is_blank(padding)).then_some(padding)
}

/// Returns whether `text` holds nothing but blanks, and no line end.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}
