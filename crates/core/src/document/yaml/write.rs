//! Values as new text.

use super::super::{Document, Form, Node, NodeKind, Refusal};
use super::lines::eol;
use super::scalar::{Plain, plain, spelt};
use crate::value::Value;

/// The longest key that readers must recognise without a question mark before it.
const LONGEST_KEY: usize = 1024;

/// How far [`Hand::of`] looks for an example before it takes the usual way.
const EXAMPLES: usize = 1000;

/// How this file is written.
pub(super) struct Hand<'d> {
    document: &'d Document<'d>,
    pub(super) eol: &'static str,
    /// How much deeper a map stands than the key that it belongs to.
    step: usize,
    /// How much deeper the dashes of a list stand than the key that it belongs to.
    dash: usize,
    /// Where new text will stand, for refusals.
    at: usize,
}

impl<'d> Hand<'d> {
    /// Looks how `document` is written; `near`, the map or list that is written into, is the better example.
    pub(super) fn of(document: &'d Document<'d>, near: Option<&Node<'_>>) -> Self {
        let mut steps = Steps { map: None, list: None, left: EXAMPLES };
        near.into_iter().chain(document.root()).for_each(|node| steps.learn(node));
        let step = steps.map.unwrap_or(2);
        Self {
            document,
            eol: eol(document.text()),
            step,
            dash: steps.list.unwrap_or(step),
            at: near.map_or(0, |node| node.span.start),
        }
    }

    fn unwritable(&self, what: impl Into<String>) -> Refusal {
        Refusal::unwritable(self.document, self.at, what)
    }

    /// Returns `key: value` for a block whose keys stand at `indent`, without the first indentation and the last
    /// line end.
    pub(super) fn member(&self, key: &str, value: &Value, indent: usize) -> Result<String, Refusal> {
        let mut out = self.key(key, false)?;
        out.push(':');
        self.push_behind(&mut out, value, indent)?;
        Ok(out)
    }

    /// Returns `- value` for a list whose dashes stand at `indent` and whose items at `indent + width`.
    pub(super) fn item(&self, value: &Value, indent: usize, width: usize) -> Result<String, Refusal> {
        let mut out = format!("-{}", " ".repeat(width - 1));
        out.push_str(&self.item_value(value, indent + width)?);
        Ok(out)
    }

    /// Returns an item without its dash: a map begins on the dash's line.
    pub(super) fn item_value(&self, value: &Value, indent: usize) -> Result<String, Refusal> {
        match value {
            Value::Map(members) if !members.is_empty() => {
                let lines: Result<Vec<String>, Refusal> =
                    members.iter().map(|(key, value)| self.member(key, value, indent)).collect();
                Ok(lines?.join(&self.line(indent)))
            }
            Value::List(items) if !items.is_empty() => self.flow(value, ""),
            _ => self.scalar(value, false),
        }
    }

    /// Appends `value` behind the colon of a key at `indent`: on the same line, or on further ones.
    pub(super) fn push_behind(&self, out: &mut String, value: &Value, indent: usize) -> Result<(), Refusal> {
        match value {
            Value::Map(members) if !members.is_empty() => {
                let inner = indent + self.step;
                for (key, value) in members {
                    out.push_str(&self.line(inner));
                    out.push_str(&self.member(key, value, inner)?);
                }
            }
            Value::List(items) if !items.is_empty() => {
                let inner = indent + self.dash;
                for item in items {
                    out.push_str(&self.line(inner));
                    out.push_str(&self.item(item, inner, 2)?);
                }
            }
            _ => {
                out.push(' ');
                out.push_str(&self.scalar(value, false)?);
            }
        }
        Ok(())
    }

    /// Returns a line end with the indentation of the next line.
    pub(super) fn line(&self, indent: usize) -> String {
        format!("{}{}", self.eol, " ".repeat(indent))
    }

    /// Returns `value` between brackets on one line, with `pad` inside the braces of maps.
    pub(super) fn flow(&self, value: &Value, pad: &str) -> Result<String, Refusal> {
        match value {
            Value::Map(members) if !members.is_empty() => {
                let members: Result<Vec<String>, Refusal> =
                    members.iter().map(|(key, value)| self.flow_member(key, value, pad)).collect();
                Ok(format!("{{{pad}{}{pad}}}", members?.join(", ")))
            }
            Value::List(items) if !items.is_empty() => {
                let items: Result<Vec<String>, Refusal> =
                    items.iter().map(|item| self.flow(item, pad)).collect();
                Ok(format!("[{}]", items?.join(", ")))
            }
            _ => self.scalar(value, true),
        }
    }

    /// Returns `key: value` for between braces.
    pub(super) fn flow_member(&self, key: &str, value: &Value, pad: &str) -> Result<String, Refusal> {
        Ok(format!("{}: {}", self.key(key, true)?, self.flow(value, pad)?))
    }

    fn key(&self, key: &str, flow: bool) -> Result<String, Refusal> {
        let spelt = spelt(key, flow).into_owned();
        if spelt.chars().count() > LONGEST_KEY {
            return Err(
                self.unwritable("a key of more than 1024 characters does not fit on one line of YAML")
            );
        }
        Ok(spelt)
    }

    /// Returns a value that takes no more than one line: a scalar, an empty map or an empty list.
    fn scalar(&self, value: &Value, flow: bool) -> Result<String, Refusal> {
        Ok(match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) if plain(number) == Plain::Number => number.clone(),
            Value::Number(number) => {
                return Err(self.unwritable(format!("YAML cannot say the number `{number}`")));
            }
            Value::Text(text) => spelt(text, flow).into_owned(),
            Value::Other(raw) if sayable(raw, flow) => raw.clone(),
            Value::Other(raw) => return Err(self.unwritable(format!("YAML cannot say `{raw}` here"))),
            Value::List(_) => "[]".to_owned(),
            Value::Map(_) => "{}".to_owned(),
        })
    }
}

/// Whether a special value of some document can be repeated here as it is spelt.
fn sayable(raw: &str, flow: bool) -> bool {
    let special = plain(raw) == Plain::Doubtful || raw.starts_with(['*', '!']);
    let torn = raw.contains(['\n', '\r']) || raw.contains(" #");
    special && !torn && (!flow || !raw.contains([',', '[', ']', '{', '}']))
}

/// What can be learnt from the blocks of a document.
struct Steps {
    map: Option<usize>,
    list: Option<usize>,
    left: usize,
}

impl Steps {
    fn learn(&mut self, node: &Node<'_>) {
        if self.left == 0 || (self.map.is_some() && self.list.is_some()) {
            return;
        }
        self.left -= 1;
        if let NodeKind::Map(map) = &node.kind
            && let Form::Block { indent } = map.form
        {
            map.members.iter().take(self.left).for_each(|member| self.compare(indent, &member.node));
        }
        node.children().for_each(|child| self.learn(child));
    }

    fn compare(&mut self, outer: usize, node: &Node<'_>) {
        match &node.kind {
            NodeKind::Map(map) => {
                if let Form::Block { indent } = map.form
                    && indent > outer
                {
                    self.map.get_or_insert(indent - outer);
                }
            }
            NodeKind::List(list) => {
                if let Form::Block { indent } = list.form
                    && indent >= outer
                {
                    self.list.get_or_insert(indent - outer);
                }
            }
            _ => {}
        }
    }
}
