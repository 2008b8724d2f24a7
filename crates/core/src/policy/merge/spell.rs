//! Names and values as we write them into the policy file.

use std::time::Duration;

use crate::document::quote;
use crate::policy::skeleton::is_hidden;

/// Returns the header of a tool's table.
pub(super) fn header(server: &str, tool: &str) -> String {
    format!("[tools.{}.{}]", key(server), key(tool))
}

/// Returns a key, bare where it can be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { text(name) }
}

/// Returns a text in quotation marks. What cannot be seen is spelt out: a server chose the name, a person reads it.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out, |c| is_hidden(c).then(|| format!("\\U{:08X}", u32::from(c))));
    out
}

/// Returns `key = "value"`.
pub(super) fn pair(key: &str, value: &str) -> String {
    format!("{key} = {}", text(value))
}

/// Returns a duration as people write it.
pub(in crate::policy) fn duration(duration: Duration) -> String {
    let (millis, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        _ if millis % 1_000 != 0 => format!("{millis}ms"),
        3_600.. if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        120.. if seconds % 60 == 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}
