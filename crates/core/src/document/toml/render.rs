//! Values as TOML. What TOML cannot say, such as a `null`, gives nothing.

use super::read;
use crate::document::NodeKind;
use crate::document::quoted::quote;
use crate::value::Value;

/// A key, bare where it can be.
pub(super) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { text(name) }
}

/// Keys with dots between them.
pub(super) fn dotted<S: AsRef<str>>(path: &[S]) -> String {
    path.iter().map(|name| key(name.as_ref())).collect::<Vec<_>>().join(".")
}

/// A text as a basic string.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out, |c| c.is_ascii_control().then(|| format!("\\u{:04X}", u32::from(c))));
    out
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Number(spelt) | Value::Other(spelt) => spelt_alike(spelt)?,
        Value::Text(value) => text(value),
        Value::List(items) => {
            let items = items.iter().map(inline).collect::<Option<Vec<_>>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Map(members) if members.is_empty() => "{}".to_owned(),
        Value::Map(members) => {
            let members =
                members.iter().map(|(name, value)| pair(name, value)).collect::<Option<Vec<_>>>()?;
            format!("{{ {} }}", members.join(", "))
        }
    })
}

/// A number or a date, if TOML spells it as the format does that it came from.
fn spelt_alike(spelt: &str) -> Option<String> {
    let text = format!("k = {spelt}");
    let root = read(&text).ok()??;
    let node = root.get("k")?;
    let alike = matches!(node.kind, NodeKind::Number(found) | NodeKind::Other(found) if found == spelt);
    alike.then(|| spelt.to_owned())
}

/// `key = value`.
pub(super) fn pair(name: &str, value: &Value) -> Option<String> {
    Some(format!("{} = {}", key(name), inline(value)?))
}

/// How blocks are indented.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hand<'t> {
    pub(super) header: &'t str,
    pub(super) key: &'t str,
}

/// Whether a value is written as blocks of its own where blocks can stand.
pub(super) fn is_block(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(items) => !items.is_empty() && items.iter().all(|item| matches!(item, Value::Map(_))),
        _ => false,
    }
}

/// Appends the blocks that say `value` at `path`. A map of nothing but maps needs no header of its own.
pub(super) fn blocks(path: &[&str], value: &Value, hand: Hand<'_>, out: &mut Vec<Vec<String>>) -> Option<()> {
    match value {
        Value::Map(members) if !members.is_empty() && members.iter().all(|(_, value)| is_block(value)) => {
            members.iter().try_for_each(|(name, value)| blocks(&[path, &[name]].concat(), value, hand, out))
        }
        Value::Map(members) => {
            out.push(block(format!("{}[{}]", hand.header, dotted(path)), members, hand)?);
            Some(())
        }
        Value::List(items) => items.iter().try_for_each(|value| {
            out.push(item(path, value, hand)?);
            Some(())
        }),
        _ => None,
    }
}

/// The block of one item of the list at `path`.
pub(super) fn item<S: AsRef<str>>(path: &[S], value: &Value, hand: Hand<'_>) -> Option<Vec<String>> {
    let Value::Map(members) = value else { return None };
    block(format!("{}[[{}]]", hand.header, dotted(path)), members, hand)
}

fn block(header: String, members: &[(String, Value)], hand: Hand<'_>) -> Option<Vec<String>> {
    let mut lines = vec![header];
    for (name, value) in members {
        lines.push(format!("{}{}", hand.key, pair(name, value)?));
    }
    Some(lines)
}
