//! The pin of a tool: what it was when it was first seen, so that it cannot become another behind one's back.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Tool;
use super::skeleton::{is_hidden, seen};
use crate::value::Value;

/// The hash over what a tool is: its name, title, description, schemas and annotations.
///
/// Neither the order of keys nor white space between them counts; one changed character of anything else does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    /// Returns the pin of a tool.
    pub fn of(tool: &Tool) -> Self {
        Self::hash(canonical(tool).as_bytes())
    }

    /// Returns the pin of a definition that [`Tool::parse`] does not read: that of its bytes.
    pub fn of_unread(raw: &str) -> Self {
        Self::hash(format!("unread\0{raw}").as_bytes())
    }

    fn hash(bytes: &[u8]) -> Self {
        let mut text = String::from("sha256:");
        for byte in Sha256::digest(bytes) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// Returns it as text: `sha256:` and 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the one text that stands for a tool, whatever order its server puts things in. It can be kept, and
/// [`Tool::parse`] reads it again.
pub fn canonical(tool: &Tool) -> String {
    let mut out = String::from("{\"name\":");
    text(&tool.name, &mut out);
    for (key, value) in parts(tool) {
        if let Some(value) = value {
            out.push(',');
            text(key, &mut out);
            out.push(':');
            write(value, &mut out);
        }
    }
    out.push('}');
    out
}

/// The parts of a tool beside its name.
fn parts(tool: &Tool) -> [(&'static str, Option<&Value>); 5] {
    [
        ("title", tool.title.as_ref()),
        ("description", tool.description.as_ref()),
        ("inputSchema", tool.input_schema.as_ref()),
        ("outputSchema", tool.output_schema.as_ref()),
        ("annotations", tool.annotations.as_ref()),
    ]
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(spelt) | Value::Other(spelt) => out.push_str(spelt),
        Value::Text(said) => text(said, out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(members) => {
            let mut order: Vec<&(String, Value)> = members.iter().collect();
            order.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            out.push('{');
            for (at, (key, value)) in order.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                text(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            // What cannot be seen is spelt out, so that whoever looks at the text sees it.
            c if u32::from(c) < 0x20 || is_hidden(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// One thing that is another than it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The way to it, such as `inputSchema.properties.path.description`.
    pub path: String,
    /// What it was, as JSON; `None` where nothing was.
    pub before: Option<String>,
    /// What it is, as JSON; `None` where nothing is.
    pub after: Option<String>,
}

/// Returns what differs between two definitions, in the order in which servers write them.
pub fn differences(before: &Tool, after: &Tool) -> Vec<Difference> {
    let mut found = Vec::new();
    let (old, new) = (Value::text(&before.name), Value::text(&after.name));
    compare("name", Some(&old), Some(&new), &mut found);
    for ((key, old), (_, new)) in parts(before).into_iter().zip(parts(after)) {
        compare(key, old, new, &mut found);
    }
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (Some(Value::Map(old)), Some(new @ Value::Map(members))) => {
            let below = |key: &str| format!("{path}.{key}");
            for (key, value) in old {
                compare(&below(key), Some(value), new.get(key), found);
            }
            let had = |key: &str| old.iter().any(|(name, _)| name == key);
            for (key, value) in members.iter().filter(|(key, _)| !had(key)) {
                compare(&below(key), None, Some(value), found);
            }
        }
        (Some(Value::List(old)), Some(Value::List(new))) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{at}]"), Some(old), Some(new), found);
            }
        }
        (Some(old), Some(new)) if old.same_as(new) => {}
        (None, None) => {}
        (before, after) => {
            let json = |value: &Value| {
                let mut out = String::new();
                write(value, &mut out);
                out
            };
            found.push(Difference {
                path: path.to_owned(),
                before: before.map(json),
                after: after.map(json),
            });
        }
    }
}

/// Returns the differences as lines for people: what it was behind a `-`, what it is behind a `+`.
///
/// Control characters and whatever cannot be seen are spelt out.
pub fn diff(before: &Tool, after: &Tool) -> String {
    let mut lines = Vec::new();
    for Difference { path, before, after } in differences(before, after) {
        lines.push(format!("@@ {} @@", seen(&path)));
        lines.extend(before.map(|before| format!("-{before}")));
        lines.extend(after.map(|after| format!("+{after}")));
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
mod tests;
