//! Lines of a text, and edits by whole lines.
//!
//! A line is taken together with the line end *before* it. So a text without a final line end needs no special
//! care, and what an insertion puts in is exactly what the removal of the same lines takes out.

use std::ops::Range;

use crate::document::BOM;
use crate::text::TextEdit;

/// A text as lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    text: &'t str,
}

/// What is to be done with the lines of a text.
pub(super) struct LineEdits<'t> {
    lines: Lines<'t>,
    removed: Vec<Removal>,
    added: Vec<(usize, String)>,
    edits: Vec<TextEdit>,
}

struct Removal {
    range: Range<usize>,
    /// A header goes too, so what stands around it must not grow together.
    block: bool,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text }
    }

    /// The first byte behind a byte-order mark.
    pub(super) fn first(self) -> usize {
        if self.text.starts_with(BOM) { BOM.len_utf8() } else { 0 }
    }

    /// The start of the line that `at` is in.
    pub(super) fn start(self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(self.first(), |end| end + 1)
    }

    /// The end of the line that `at` is in, without its line end.
    pub(super) fn end(self, at: usize) -> usize {
        let rest = &self.text[at..];
        let line = rest.find('\n').map_or(rest, |end| rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]));
        at + line.len()
    }

    /// The start of the line behind the line that ends at `end`; `None` at the end of the text.
    fn next(self, end: usize) -> Option<usize> {
        self.text[end..].find('\n').map(|found| end + found + 1)
    }

    /// The end of the line before the one that starts at `start`; `None` for the first line.
    fn before(self, start: usize) -> Option<usize> {
        let head = &self.text[self.first()..start];
        let head = head.strip_suffix('\n')?;
        Some(self.first() + head.strip_suffix('\r').unwrap_or(head).len())
    }

    /// The line that starts at `start`, without the white space around it.
    fn words(self, start: usize) -> &'t str {
        self.text[start..self.end(start)].trim()
    }

    /// The white space at the start of the line that `at` is in.
    pub(super) fn indent(self, at: usize) -> &'t str {
        let line = &self.text[self.start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// The line end in use around `at`.
    pub(super) fn line_end(self, at: usize) -> &'static str {
        let rest = &self.text[at..];
        let behind = rest.find('\n').map(|end| rest[..end].ends_with('\r'));
        let before = || self.text[..at].rfind('\n').map(|end| self.text[..end].ends_with('\r'));
        if behind.or_else(before).unwrap_or(false) { "\r\n" } else { "\n" }
    }

    /// The end of the line at `at`, and of the comment lines below that belong to it rather than to a header.
    pub(super) fn end_with_comments(self, at: usize) -> usize {
        let own = self.end(at);
        let mut end = own;
        while let Some(start) = self.next(end) {
            let words = self.words(start);
            if words.is_empty() {
                return end;
            }
            if !words.starts_with('#') {
                return own;
            }
            end = self.end(start);
        }
        end
    }

    /// The start of the comment lines directly above the line that `at` is in, or of that line.
    fn start_with_comments(self, at: usize) -> usize {
        let mut start = self.start(at);
        while let Some(above) = self.before(start).map(|end| self.start(end)) {
            if !self.words(above).starts_with('#') {
                break;
            }
            start = above;
        }
        start
    }
}

impl<'t> LineEdits<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { lines: Lines::of(text), removed: Vec::new(), added: Vec::new(), edits: Vec::new() }
    }

    /// Removes the lines of `range`.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        let start = self.lines.start(range.start);
        self.take(start, self.lines.end(range.end), false);
    }

    /// Removes the lines of `range` and one blank line above.
    pub(super) fn remove_block(&mut self, range: Range<usize>) {
        let mut start = self.lines.start(range.start);
        if let Some(above) = self.lines.before(start).map(|end| self.lines.start(end))
            && self.lines.words(above).is_empty()
        {
            start = above;
        }
        self.take(start, self.lines.end(range.end), true);
    }

    fn take(&mut self, start: usize, end: usize, block: bool) {
        let start = self.lines.before(start).unwrap_or(start);
        self.removed.push(Removal { range: start..end, block });
    }

    /// Puts `text` in the place of `range` and of the comment behind it.
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push(TextEdit::replace(range.start..self.lines.end(range.end), text));
    }

    /// Adds lines behind the line that `at` is in.
    pub(super) fn add(&mut self, at: usize, lines: &[String]) {
        let at = self.lines.end(at);
        let line_end = self.lines.line_end(at);
        self.added.push((at, format!("{line_end}{}", lines.join(line_end))));
    }

    /// Adds blocks behind the block that ends at `at`, each with a blank line above.
    pub(super) fn add_blocks(&mut self, at: usize, blocks: &[Vec<String>]) {
        let at = self.lines.end_with_comments(at);
        let line_end = self.lines.line_end(at);
        let mut text = String::new();
        for block in blocks {
            text.push_str(line_end);
            for line in block {
                text.push_str(line_end);
                text.push_str(line);
            }
        }
        self.added.push((at, text));
    }

    /// Adds lines above the first header, which is at `header`; its comments stay with it.
    pub(super) fn add_above(&mut self, header: usize, lines: &[String]) {
        let (all, first) = (self.lines, self.lines.first());
        let head = all.text[first..all.start_with_comments(header)].trim_end();
        let line_end = all.line_end(header);
        let text = lines.join(line_end);
        if head.is_empty() {
            self.edits.push(TextEdit::insert(first, format!("{text}{line_end}{line_end}")));
        } else {
            let end = all.end(first + head.len());
            self.added.push((end, format!("{line_end}{line_end}{text}")));
        }
    }

    /// Gives the edits.
    pub(super) fn finish(mut self, out: &mut Vec<TextEdit>) {
        self.removed.sort_by_key(|removal| removal.range.start);
        let removed = std::mem::take(&mut self.removed);
        let mut rest = removed.as_slice();
        while !rest.is_empty() {
            let touching =
                rest.windows(2).take_while(|pair| pair[1].range.start <= pair[0].range.end).count();
            let (run, after) = rest.split_at(touching + 1);
            self.finish_run(run);
            rest = after;
        }
        out.append(&mut self.edits);
        out.extend(self.added.into_iter().map(|(at, text)| TextEdit::insert(at, text)));
    }

    /// Removes lines that follow each other, and mends what they leave behind.
    fn finish_run(&mut self, run: &[Removal]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let (start, mut end) = (first.range.start, last.range.end);
        let replacement = self.added.iter_mut().find(|(at, _)| (start..=end).contains(at));
        let at_top = start == self.lines.first();
        match replacement {
            Some((_, text)) if at_top => *text = text.trim_start_matches(['\r', '\n']).to_owned(),
            None if at_top => end = self.start_of_rest(end),
            None if run.iter().any(|removal| removal.block) => self.keep_apart(start, end),
            _ => {}
        }
        let mut done = start;
        for (index, removal) in run.iter().enumerate() {
            let until = if index + 1 == run.len() { end } else { removal.range.end };
            self.edits.push(TextEdit::delete(done..until));
            done = until;
        }
    }

    /// Where the text should begin when all before `end` goes: without the line end and the blank line left over.
    fn start_of_rest(&self, end: usize) -> usize {
        let Some(next) = self.lines.next(end) else { return self.lines.text.len() };
        if self.lines.words(next).is_empty() {
            self.lines.next(self.lines.end(next)).unwrap_or(next)
        } else {
            next
        }
    }

    /// A comment that stood above a header must not seem to speak of what comes next.
    fn keep_apart(&mut self, start: usize, end: usize) {
        let comment = self.lines.words(self.lines.start(start)).starts_with('#');
        let goes_on = self.lines.next(end).is_some_and(|next| !self.lines.words(next).is_empty());
        if comment && goes_on {
            self.edits.push(TextEdit::insert(start, self.lines.line_end(start)));
        }
    }
}
