//! Values to text.

use super::super::{Document, Format, NodeKind, Refusal, quoted};
use super::hand::Hand;
use super::reader::read;
use crate::value::Value;

/// How wide a list of scalars may become on one line.
const WIDTH: usize = 100;

/// How a container is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'d> {
    /// On one line.
    Inline,
    /// One part per line; the line on which the container begins is indented so.
    Lines(&'d str),
}

/// Writes values in one hand.
pub(super) struct Writer<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) hand: Hand<'d>,
    /// Where the values go; problems are told there.
    pub(super) place: usize,
    /// The containers written directly end with a comma, as the one did whose place they take.
    pub(super) trailing_comma: bool,
}

impl<'d> Writer<'d> {
    pub(super) fn new(document: &'d Document<'d>, hand: Hand<'d>, place: usize) -> Self {
        Self { document, hand, place, trailing_comma: false }
    }

    /// Appends a part: a member when there is a key, an item when there is none.
    pub(super) fn part(
        &self,
        key: Option<&str>,
        value: &Value,
        shape: Shape<'_>,
        out: &mut String,
    ) -> Result<(), Refusal> {
        if let Some(key) = key {
            quote(key, out);
            out.push_str(self.hand.colon);
        }
        self.value(value, shape, self.trailing_comma, out)
    }

    fn value(&self, value: &Value, shape: Shape<'_>, comma: bool, out: &mut String) -> Result<(), Refusal> {
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(self.spelt(number, "number")?),
            Value::Other(other) => out.push_str(self.spelt(other, "special value")?),
            Value::Text(text) => quote(text, out),
            Value::List(items) => {
                let parts: Vec<_> = items.iter().map(|item| (None, item)).collect();
                let shape = if self.fits(value, shape, out)? { Shape::Inline } else { shape };
                self.container(['[', ']'], &parts, shape, comma, out)?;
            }
            Value::Map(members) => {
                let parts: Vec<_> = members.iter().map(|(key, value)| (Some(key.as_str()), value)).collect();
                self.container(['{', '}'], &parts, shape, comma, out)?;
            }
        }
        Ok(())
    }

    fn container(
        &self,
        [open, close]: [char; 2],
        parts: &[(Option<&str>, &Value)],
        shape: Shape<'_>,
        comma: bool,
        out: &mut String,
    ) -> Result<(), Refusal> {
        let hand = &self.hand;
        out.push(open);
        let last = parts.len().saturating_sub(1);
        for (index, (key, value)) in parts.iter().enumerate() {
            let inner;
            let shape = match shape {
                Shape::Inline => {
                    let padding = if open == '{' { hand.padding } else { "" };
                    out.push_str(if index == 0 { padding } else { hand.behind_comma });
                    Shape::Inline
                }
                Shape::Lines(indent) => {
                    inner = format!("{indent}{}", hand.unit);
                    out.push_str(hand.line_end);
                    out.push_str(&inner);
                    Shape::Lines(&inner)
                }
            };
            if let Some(key) = key {
                quote(key, out);
                out.push_str(hand.colon);
            }
            self.value(value, shape, false, out)?;
            if index < last || comma && matches!(shape, Shape::Lines(_)) {
                out.push(',');
            }
        }
        match shape {
            _ if parts.is_empty() => {}
            Shape::Inline if open == '{' => out.push_str(hand.padding),
            Shape::Inline => {}
            Shape::Lines(indent) => {
                out.push_str(hand.line_end);
                out.push_str(indent);
            }
        }
        out.push(close);
        Ok(())
    }

    /// Returns whether a list goes on one line although it could have several.
    fn fits(&self, list: &Value, shape: Shape<'_>, out: &str) -> Result<bool, Refusal> {
        let Shape::Lines(indent) = shape else { return Ok(true) };
        if self.hand.lists_in_lines || !is_flat(list) {
            return Ok(false);
        }
        let line_start = out.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let before = if line_start == 0 { indent.len() } else { 0 } + out[line_start..].chars().count();
        let mut line = String::new();
        self.value(list, Shape::Inline, false, &mut line)?;
        Ok(before + line.chars().count() <= WIDTH)
    }

    /// Returns a spelling that came from elsewhere, when this format reads it as the very same.
    fn spelt<'v>(&self, spelling: &'v str, kind: &str) -> Result<&'v str, Refusal> {
        let node = read(spelling, self.document.format()).ok().flatten();
        let same = node.is_some_and(|node| match node.kind {
            NodeKind::Number(raw) => kind == "number" && raw == spelling,
            NodeKind::Other(raw) => kind != "number" && raw == spelling,
            _ => false,
        });
        if same {
            return Ok(spelling);
        }
        let format = if self.document.format() == Format::Json5 { "JSON5" } else { "JSON" };
        let what = format!("{format} cannot say the {kind} `{spelling}`");
        Err(Refusal::unwritable(self.document, self.place, what))
    }
}

/// Returns whether a container holds no other container that would want lines of its own.
pub(super) fn is_flat(value: &Value) -> bool {
    let scalar = |value: &Value| !matches!(value, Value::List(_) | Value::Map(_));
    match value {
        Value::List(items) => items.iter().all(scalar),
        Value::Map(members) => members.iter().all(|(_, value)| scalar(value)),
        _ => true,
    }
}

/// Appends `text` in double quotes, with no more escapes than it needs.
fn quote(text: &str, out: &mut String) {
    quoted::quote(text, out, |c| match c {
        '\u{8}' => Some("\\b".to_owned()),
        '\u{c}' => Some("\\f".to_owned()),
        '\0'..='\u{1f}' => Some(format!("\\u{:04x}", u32::from(c))),
        _ => None,
    });
}
