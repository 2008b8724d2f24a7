//! Edits between brackets and braces: arrays and inline tables, on one line or on many.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::lines::Lines;
use crate::text::TextEdit;

/// What stands between the brackets of an array or the braces of an inline table.
pub(super) struct Flow<'t> {
    text: &'t str,
    /// Between the brackets.
    inner: Range<usize>,
    parts: Vec<Part>,
    comments: Vec<&'t str>,
}

/// One item, or one `key = value`.
struct Part {
    range: Range<usize>,
    /// The end of the comma behind it.
    comma: Option<usize>,
    /// The white space before it that goes with it: its line end and indentation, or the padding on its line.
    lead: usize,
}

impl<'t> Flow<'t> {
    /// Reads what is between the brackets that `span` includes.
    pub(super) fn of(text: &'t str, span: &Range<usize>) -> Self {
        let inner = span.start + 1..span.end - 1;
        let mut flow = Self { text, inner: inner.clone(), parts: Vec::new(), comments: Vec::new() };
        let mut depth = 0_usize;
        // Where the white space before the next part begins: behind the opening bracket, the comma, the last line.
        let mut lead = inner.start;
        let mut part: Option<Range<usize>> = None;
        for token in Source::new(&text[inner.clone()]).lex() {
            let range = inner.start + token.span().start()..inner.start + token.span().end();
            match token.kind() {
                TokenKind::Whitespace | TokenKind::Eof => {}
                TokenKind::Newline => {
                    if part.is_none() {
                        lead = range.start;
                    }
                }
                TokenKind::Comment => flow.comments.push(&text[range]),
                TokenKind::Comma if depth == 0 => {
                    if let Some(done) = part.take() {
                        flow.parts.push(Part { range: done, comma: Some(range.end), lead });
                    }
                    lead = range.end;
                }
                kind => {
                    match kind {
                        TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket => depth += 1,
                        TokenKind::RightCurlyBracket | TokenKind::RightSquareBracket => {
                            depth = depth.saturating_sub(1);
                        }
                        _ => {}
                    }
                    part.get_or_insert(range.clone()).end = range.end;
                }
            }
        }
        if let Some(done) = part {
            flow.parts.push(Part { range: done, comma: None, lead });
        }
        flow
    }

    /// The number of the part that `at` is in.
    pub(super) fn part_at(&self, at: usize) -> Option<usize> {
        let index = self.parts.partition_point(|part| part.range.end <= at);
        (index < self.parts.len()).then_some(index)
    }

    /// Removes the parts with the numbers `removed`, which rise, and adds `added`.
    ///
    /// What comes stands where something goes, as long as there is any: that keeps layout and comments.
    /// `gap` is what once stood between the brackets when nothing else did.
    pub(super) fn edit(
        &self,
        removed: &[usize],
        added: &[String],
        gap: Option<&str>,
        out: &mut Vec<TextEdit>,
    ) {
        let shared = removed.len().min(added.len());
        for (&index, text) in removed.iter().zip(added) {
            out.push(TextEdit::replace(self.parts[index].range.clone(), text));
        }
        self.remove(&removed[shared..], gap, out);
        self.add(&added[shared..], out);
    }

    fn remove(&self, removed: &[usize], gap: Option<&str>, out: &mut Vec<TextEdit>) {
        if removed.is_empty() {
            return;
        }
        if removed.len() == self.parts.len() && self.empty(gap, out) {
            return;
        }
        let stays = |index: &usize| removed.binary_search(index).is_err();
        // Parts at the front take the padding behind them instead, so that what then comes first stands there.
        let front = (0..self.parts.len()).take_while(|index| !stays(index)).count();
        let mut rest = removed;
        if front > 0
            && front < self.parts.len()
            && !self.text[self.parts[0].lead..self.parts[front].range.start].contains('\n')
        {
            out.push(TextEdit::delete(self.parts[0].range.start..self.parts[front].range.start));
            rest = &removed[front..];
        }
        for &index in rest {
            out.push(TextEdit::delete(self.parts[index].lead..self.end_with_comment(index)));
        }
        // Without a trailing comma before, there is none afterwards.
        if let Some(last) = self.parts.last()
            && last.comma.is_none()
            && !stays(&(self.parts.len() - 1))
            && let Some(kept) = (0..self.parts.len()).rev().find(stays)
            && let Some(comma) = self.parts[kept].comma
        {
            out.push(TextEdit::delete(comma - 1..comma));
        }
    }

    /// Empties the brackets; `false` where comments stand in the way, so that parts must go one by one.
    fn empty(&self, gap: Option<&str>, out: &mut Vec<TextEdit>) -> bool {
        let before = gap.unwrap_or_default();
        let comments: Vec<&str> =
            before.lines().filter_map(|line| line.find('#').map(|at| &line[at..])).collect();
        let same = comments.iter().map(|c| c.trim_end()).eq(self.comments.iter().map(|c| c.trim_end()));
        if !same {
            return false;
        }
        let one_by_one = gap.is_none() && self.parts.iter().all(|part| self.starts_line(part));
        if !one_by_one {
            out.push(TextEdit::replace(self.inner.clone(), before));
        }
        !one_by_one
    }

    /// The end of what goes with a part: its comma, and the comment behind it when the line holds nothing else.
    fn end_with_comment(&self, index: usize) -> usize {
        let part = &self.parts[index];
        let end = part.comma.unwrap_or(part.range.end);
        let line_end = self.line_end_within(end);
        let alone = self.starts_line(part) && line_end.is_some();
        line_end.filter(|_| alone).unwrap_or(end)
    }

    fn starts_line(&self, part: &Part) -> bool {
        self.text[part.lead..part.range.start].contains('\n')
    }

    /// The end of the line at `at` when only a comment follows there, and the closing bracket comes later.
    fn line_end_within(&self, at: usize) -> Option<usize> {
        let end = Lines::of(self.text).end(at);
        let rest = self.text.get(at..end)?.trim();
        (end < self.inner.end && (rest.is_empty() || rest.starts_with('#'))).then_some(end)
    }

    fn add(&self, added: &[String], out: &mut Vec<TextEdit>) {
        match self.parts.last() {
            _ if added.is_empty() => {}
            Some(last) => self.add_behind(last, added, out),
            None => self.fill(added, out),
        }
    }

    fn add_behind(&self, last: &Part, added: &[String], out: &mut Vec<TextEdit>) {
        let end = last.comma.unwrap_or(last.range.end);
        let lead = &self.text[last.lead..last.range.start];
        let (lead, at) = if self.starts_line(last) {
            (lead, self.line_end_within(end).unwrap_or(end))
        } else if self.parts.len() > 1 {
            (lead, end)
        } else {
            (" ", end)
        };
        let mut text = String::new();
        if last.comma.is_none() {
            out.push(TextEdit::insert(end, ","));
        }
        for (index, part) in added.iter().enumerate() {
            text.push_str(lead);
            text.push_str(part);
            if last.comma.is_some() || index + 1 < added.len() {
                text.push(',');
            }
        }
        out.push(TextEdit::insert(at, text));
    }

    /// Writes the first parts between empty brackets.
    fn fill(&self, added: &[String], out: &mut Vec<TextEdit>) {
        let gap = &self.text[self.inner.clone()];
        if !gap.contains('\n') {
            let braces = self.text[..self.inner.start].ends_with('{');
            let pad = if braces { " " } else { gap };
            out.push(TextEdit::replace(self.inner.clone(), format!("{pad}{}{pad}", added.join(", "))));
            return;
        }
        let lines = Lines::of(self.text);
        let line_end = lines.line_end(self.inner.start);
        let last = self.inner.start + gap.trim_end().len();
        let indent = match self.comments.last() {
            Some(_) if self.alone_on_line(last) => lines.indent(last).to_owned(),
            _ => format!("{}  ", lines.indent(self.inner.end)),
        };
        let lead = format!("{line_end}{indent}");
        let text = added.iter().map(|part| format!("{lead}{part}")).collect::<Vec<_>>().join(",");
        out.push(TextEdit::insert(last, text));
    }

    fn alone_on_line(&self, at: usize) -> bool {
        let lines = Lines::of(self.text);
        lines.start(at) >= self.inner.start
    }
}
