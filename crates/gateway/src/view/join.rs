//! What several servers say of themselves, as one.

use switchboard_core::mcp::revision::Era;

use super::{Servers, says_something};
use crate::object::Object;
use crate::public::EXTENSION;

/// What the servers of a view say of themselves, joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    /// Their capabilities, for callers of the legacy era.
    pub(crate) legacy: String,
    /// Their capabilities, for callers of the modern era.
    pub(crate) modern: String,
    /// Who answers: the server itself where there is one, else the gateway.
    pub(crate) info: String,
    /// What they say about their use, as a JSON text.
    pub(crate) instructions: Option<String>,
}

/// The capabilities whose presence is all there is to them, and that a modern caller knows.
const MODERN: [&str; 7] =
    ["tools", "prompts", "resources", "completions", "logging", "extensions", "experimental"];

impl Joined {
    /// Joins what these servers say.
    pub(crate) fn of(servers: &Servers, joint: bool) -> Self {
        let gateway = format!(r#"{{"name":"switchboard","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
        let offers: Vec<_> = servers.iter().filter_map(|(_, offer)| offer.as_deref()).collect();
        let info = match offers.as_slice() {
            [one] if !joint => one.info.clone().unwrap_or(gateway),
            _ => gateway,
        };
        let mut all = Object::default();
        for offer in &offers {
            let capabilities = Object::read(&offer.capabilities).unwrap_or_default();
            for (name, said) in capabilities.members() {
                // Tasks do not cross from one era to the other.
                let said = match name {
                    "tasks" if joint && offer.era == Era::Modern => continue,
                    "extensions" if joint && offer.era == Era::Legacy => without_tasks(said),
                    _ => said.to_owned(),
                };
                let joined = match all.member(name) {
                    None => said,
                    Some(before) => union(before, &said),
                };
                all.set(name, joined);
            }
        }
        if servers.iter().any(|(_, offer)| offer.is_none()) {
            // Not known yet, so that nothing is ruled out: lists are told when they come.
            for name in ["tools", "prompts", "resources"] {
                if all.member(name).is_none() {
                    all.set(name, "{}");
                }
            }
        }
        // The gateway can change every list, whatever its servers do (requirement L4).
        for name in ["tools", "prompts", "resources"] {
            if let Some(said) = all.member(name) {
                let listed = union(said, r#"{"listChanged":true}"#);
                all.set(name, listed);
            }
        }
        let mut legacy = all.to_string();
        if let Some(said) = all.member("extensions").filter(|_| joint) {
            let mut shown = Object::read(&legacy).unwrap_or_default();
            shown.set("extensions", without_tasks(said));
            legacy = shown.to_string();
        }
        for name in all.names().map(str::to_owned).collect::<Vec<_>>() {
            if !MODERN.contains(&name.as_str()) {
                all.remove(&name);
            }
        }
        let modern = all.to_string();
        let told = servers.iter().filter_map(|(generation, offer)| {
            let text = offer.as_ref()?.instructions.as_deref()?;
            let text: String = serde_json::from_str(text).ok()?;
            (!text.is_empty()).then(|| (generation.name.as_str(), text))
        });
        let told: Vec<(&str, String)> = told.collect();
        let instructions = match told.as_slice() {
            [] => None,
            [(_, one)] if !joint => Some(one.clone()),
            several => {
                let parts: Vec<String> =
                    several.iter().map(|(name, text)| format!("# {name}\n\n{text}")).collect();
                Some(parts.join("\n\n"))
            }
        };
        let instructions = instructions.map(|text| serde_json::Value::from(text).to_string());
        Self { legacy, modern, info, instructions }
    }
}

/// Returns extensions without that of tasks.
fn without_tasks(extensions: &str) -> String {
    let Some(mut all) = Object::read(extensions) else { return extensions.to_owned() };
    if all.remove(EXTENSION) { all.to_string() } else { extensions.to_owned() }
}

/// Joins two capabilities: what either has. Where both say something else of one thing the first counts.
fn union(one: &str, other: &str) -> String {
    let (Some(mut joined), Some(more)) = (Object::read(one), Object::read(other)) else {
        return one.to_owned();
    };
    for (name, said) in more.members() {
        let value = match joined.member(name) {
            None | Some("false" | "null") => said.to_owned(),
            Some(before) if says_something(before) || says_something(said) => union(before, said),
            Some(_) => continue,
        };
        joined.set(name, value);
    }
    joined.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_has_what_one_of_them_has() {
        for (one, other, joined) in [
            ("{}", r#"{"listChanged":true}"#, r#"{"listChanged":true}"#),
            (r#"{"listChanged":false}"#, r#"{"listChanged":true}"#, r#"{"listChanged":true}"#),
            (r#"{"a":{"x":1}}"#, r#"{"a":{"y":2},"b":{}}"#, r#"{"a":{"x":1,"y":2},"b":{}}"#),
            (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1}"#),
            ("true", "{}", "true"),
        ] {
            assert_eq!(union(one, other), joined, "{one} {other}");
        }
    }
}
