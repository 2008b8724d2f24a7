//! New parts: behind the last one, in its place, or between empty brackets.

use super::super::{Document, Refusal};
use super::hand::{Hand, is_blank};
use super::parts::{Parts, containers_around};
use super::remove::trailing_edge;
use super::trivia::{Comment, Gap, line_indent};
use super::writer::{Shape, Writer};
use crate::text::TextEdit;
use crate::value::Value;

/// The widest map that follows its neighbour on one line.
const WIDTH: usize = 120;

/// How new parts are written and set apart from each other.
struct Addition<'d> {
    writer: Writer<'d>,
    parts: Parts<'d>,
    /// The indentation of each part; `None` when they share a line.
    indent: Option<String>,
    /// What stands before each part.
    lead: String,
    /// Maps go on one line each, as the last one does.
    flat_maps: bool,
}

impl<'d> Addition<'d> {
    /// Returns how parts are added that follow the part `last`.
    fn behind(document: &'d Document<'d>, parts: Parts<'d>, last: usize, lines: bool) -> Self {
        let text = parts.text;
        let hand = Hand::around(document, parts.node);
        // A part that shares its line, but whose successor cannot, says nothing about the indentation.
        let indent = lines.then(|| {
            if parts.has_own_line(last) {
                line_indent(text, parts.start(last)).to_owned()
            } else {
                format!("{}{}", line_indent(text, parts.node.span.start), hand.unit)
            }
        });
        let flat_maps = parts.value(last).is_some_and(|value| {
            let inner = Parts::of(document, value);
            inner.is_map() && inner.len() > 0 && !text[value.span.clone()].contains(['\n', '\r'])
        });
        Self::new(document, parts, hand, indent, flat_maps)
    }

    fn new(
        document: &'d Document<'d>,
        parts: Parts<'d>,
        hand: Hand<'d>,
        indent: Option<String>,
        flat_maps: bool,
    ) -> Self {
        let place = parts.inside().end;
        let (hand, lead) = match &indent {
            Some(indent) => {
                let hand = hand.with_lines_at(parts.text, place);
                (hand, format!("{}{indent}", hand.line_end))
            }
            None => (hand, hand.behind_comma.to_owned()),
        };
        Self { writer: Writer::new(document, hand, place), parts, indent, lead, flat_maps }
    }

    /// Returns one part without its lead.
    fn part(&self, (key, value): &(&str, Value)) -> Result<String, Refusal> {
        let key = self.parts.is_map().then_some(*key);
        let mut out = String::new();
        if self.flat_maps && matches!(value, Value::Map(_)) {
            self.writer.part(key, value, Shape::Inline, &mut out)?;
            if self.indent.is_none() || out.chars().count() <= WIDTH {
                return Ok(out);
            }
            out.clear();
        }
        let shape = self.indent.as_deref().map_or(Shape::Inline, Shape::Lines);
        self.writer.part(key, value, shape, &mut out)?;
        Ok(out)
    }

    /// Returns all parts with what stands between them.
    fn all(&self, added: &[(&str, Value)]) -> Result<String, Refusal> {
        let parts: Vec<String> = added.iter().map(|part| self.part(part)).collect::<Result<_, _>>()?;
        Ok(parts.join(&format!(",{}", self.lead)))
    }
}

/// Adds parts behind the last one.
pub(super) fn append<'d>(
    document: &'d Document<'d>,
    parts: Parts<'d>,
    last: usize,
    added: &[(&str, Value)],
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let Gap { comma, comments, .. } = parts.gap_behind(last);
    let seat = parts.seat_behind(last);
    let needs_line = comments.iter().any(|comment| comment.to_line_end && comment.range.end == seat.end);
    let lines = needs_line || parts.has_own_line(last);
    let at = if lines { seat.behind() } else { seat.end };
    let addition = Addition::behind(document, parts, last, lines);
    let mut text = format!("{}{}", addition.lead, addition.all(added)?);
    if comma.is_some() {
        text.push(',');
    } else if at == parts.end(last) {
        text.insert(0, ',');
    } else {
        out.push(TextEdit::insert(parts.end(last), ","));
    }
    out.push(TextEdit::insert(at, text));
    Ok(())
}

/// Puts parts in the place of the last one, which goes.
pub(super) fn supersede<'d>(
    document: &'d Document<'d>,
    parts: Parts<'d>,
    last: usize,
    added: &[(&str, Value)],
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let addition = Addition::behind(document, parts, last, parts.has_own_line(last));
    let mut text = addition.all(added)?;
    if parts.gap_behind(last).comma.is_some() {
        text.push(',');
    }
    out.push(TextEdit::replace(parts.start(last)..trailing_edge(&parts, last, last), text));
    Ok(())
}

/// Puts parts between empty brackets; comments stay before them.
pub(super) fn fill<'d>(
    document: &'d Document<'d>,
    parts: Parts<'d>,
    added: &[(&str, Value)],
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let (text, inside) = (parts.text, parts.inside());
    let gap = parts.gap_before(0);
    let around = containers_around(document, parts.node);
    let lines = gap.breaks
        || gap.comments.iter().any(|comment| comment.to_line_end)
        || around.last().is_none_or(|(parts, index)| parts.has_own_line(*index));
    let mut hand = Hand::around(document, parts.node);
    if !inside.is_empty() && is_blank(&text[inside.clone()]) {
        hand.padding = &text[inside.clone()];
    }
    let base = line_indent_if(lines, text, parts.node.span.start);
    let indent = lines.then(|| match gap.comments.last().and_then(|comment| own_indent(text, comment)) {
        Some(indent) => indent.to_owned(),
        None => format!("{base}{}", hand.unit),
    });
    let addition = Addition::new(document, parts, hand, indent, false);
    let new = addition.all(added)?;
    let lead = &addition.lead;
    let end = format!("{}{base}", addition.writer.hand.line_end);
    out.push(match gap.comments.last() {
        None if lines => TextEdit::replace(inside, format!("{lead}{new}{end}")),
        None => {
            let padding = if parts.is_map() { hand.padding } else { &text[inside.clone()] };
            TextEdit::replace(inside, format!("{padding}{new}{padding}"))
        }
        Some(comment) => {
            let behind = comment.range.end..inside.end;
            if lines && !text[behind.clone()].contains(['\n', '\r']) {
                TextEdit::replace(behind, format!("{lead}{new}{end}"))
            } else {
                TextEdit::insert(behind.start, format!("{lead}{new}"))
            }
        }
    });
    Ok(())
}

fn line_indent_if(lines: bool, text: &str, at: usize) -> &str {
    if lines { line_indent(text, at) } else { "" }
}

/// Returns the indentation of a comment that is the first on its line.
fn own_indent<'t>(text: &'t str, comment: &Comment) -> Option<&'t str> {
    let indent = line_indent(text, comment.range.start);
    text[..comment.range.start].strip_suffix(indent)?.ends_with(['\n', '\r']).then_some(indent)
}
