//! Values that may be secrets, hidden before a text is shown.

use std::ops::Range;

use switchboard_core::client::bridge::HOME_VARIABLE;
use switchboard_core::document::{Document, Format, Node, NodeKind};
use switchboard_core::secret::{HIDDEN, names_secret, secret_in, secrets_in_text};

/// Returns `text` with the values of variables and headers, and whatever else looks like a secret, hidden.
///
/// References stay: they say where a secret is, not what it is. A text that does not parse is hidden altogether.
pub(crate) fn masked(text: &str, format: Format) -> String {
    let Ok(document) = Document::parse(text, format) else {
        return text.lines().map(|_| HIDDEN.to_owned() + "\n").collect();
    };
    let mut spans = Vec::new();
    if let Some(root) = document.root() {
        walk(root, "", false, &mut spans);
    }
    hidden(text, spans)
}

/// Returns a message of the protocol with whatever looks like a secret hidden, in the texts that it carries too. Nothing
/// in it is a reference of ours: what begins with `$` is hidden like the rest.
pub(crate) fn masked_message(text: &str) -> String {
    let Ok(document) = Document::parse(text, Format::Json) else {
        return HIDDEN.to_owned();
    };
    let mut spans = Vec::new();
    if let Some(root) = document.root() {
        walk_message(text, root, "", false, &mut spans);
    }
    hidden(text, spans)
}

fn hidden(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| span.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        if span.start < at {
            continue;
        }
        out.push_str(&text[at..span.start]);
        let quote = text[span.clone()].chars().next().filter(|c| matches!(c, '"' | '\''));
        out.extend(quote);
        out.push_str(HIDDEN);
        out.extend(quote);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Takes down the spans of the values to hide; `sensitive` inside a map of variables or headers.
fn walk(node: &Node<'_>, key: &str, sensitive: bool, out: &mut Vec<Range<usize>>) {
    match &node.kind {
        NodeKind::Map(map) => {
            for member in &map.members {
                walk(&member.node, &member.key, sensitive || holds_values(&member.key, &member.node), out);
            }
        }
        NodeKind::List(list) => list.items.iter().for_each(|item| walk(item, key, sensitive, out)),
        _ => {
            let Some(text) = node.as_text() else {
                // A number or a date can be a password too.
                if sensitive && !matches!(node.kind, NodeKind::Null | NodeKind::Bool(_)) {
                    out.push(node.span.clone());
                }
                return;
            };
            let reference = ["${", "{env:", "{file:"].iter().any(|start| text.contains(start))
                || text.strip_prefix('$').is_some_and(|name| !name.is_empty());
            // A default is no reference: it is the value itself.
            let reference = reference && !text.contains(":-");
            let plain = key == HOME_VARIABLE || text.is_empty() || reference;
            if (sensitive && !plain) || secret_in(key, text).is_some() {
                out.push(node.span.clone());
            }
        }
    }
}

fn walk_message(text: &str, node: &Node<'_>, key: &str, sensitive: bool, out: &mut Vec<Range<usize>>) {
    match &node.kind {
        NodeKind::Map(map) => {
            for member in &map.members {
                let sensitive = sensitive || holds_values(&member.key, &member.node);
                walk_message(text, &member.node, &member.key, sensitive, out);
            }
        }
        NodeKind::List(list) => {
            list.items.iter().for_each(|item| walk_message(text, item, key, sensitive, out));
        }
        NodeKind::Null | NodeKind::Bool(_) => {}
        _ if sensitive => out.push(node.span.clone()),
        _ if node.as_text().is_none_or(str::is_empty) => {}
        _ if names_secret(key) => out.push(node.span.clone()),
        _ => {
            let start = node.span.start;
            let inside = secrets_in_text(&text[node.span.clone()]);
            out.extend(inside.into_iter().map(|span| start + span.start..start + span.end));
        }
    }
}

/// Maps of variables and headers, as the clients call them.
fn holds_values(key: &str, node: &Node<'_>) -> bool {
    const NAMES: [&str; 8] =
        ["env", "envs", "environment", "headers", "http_headers", "requestheaders", "customheaders", "auth"];
    node.as_map().is_some() && NAMES.contains(&key.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_no_secret_however_it_is_said() {
        for (text, shown) in [
            (
                r#"{"arguments":{"headers":{"X-Api-Key":"$up3r","n":1},"password":"$up","api_key":"abc${x}def","q":"${x}"}}"#,
                r#"{"arguments":{"headers":{"X-Api-Key":"***","n":***},"password":"***","api_key":"***","q":"${x}"}}"#,
            ),
            (
                r#"{"text":"{\"token\":\"ghp_a\"} and GITHUB_TOKEN=x\nAuthorization: Bearer y"}"#,
                r#"{"text":"{\"token\":\"***\"} and GITHUB_TOKEN=***\nAuthorization: Bearer ***"}"#,
            ),
            (r#"{"id":1,"params":{"name":"get"}}"#, r#"{"id":1,"params":{"name":"get"}}"#),
            ("no message", "***"),
        ] {
            assert_eq!(masked_message(text), shown);
        }
    }

    #[test]
    fn values_are_hidden_in_every_format_and_references_stay() {
        for (format, text, shown) in [
            (
                Format::Json,
                r#"{"m": {"a": {"env": {"K": "v", "R": "${env:X}", "N": 5}, "command": "npx"}}}"#,
                r#"{"m": {"a": {"env": {"K": "***", "R": "${env:X}", "N": ***}, "command": "npx"}}}"#,
            ),
            (
                Format::Toml,
                "[s.a]\nurl = 'https://x'\nheaders = { Authorization = 'Bearer abc' }\n",
                "[s.a]\nurl = 'https://x'\nheaders = { Authorization = '***' }\n",
            ),
            (
                Format::Yaml,
                "- name: a\n  env:\n    TOKEN: abc # why\n",
                "- name: a\n  env:\n    TOKEN: *** # why\n",
            ),
            (Format::Json, r#"{"settings": {"api_token": "abc"}}"#, r#"{"settings": {"api_token": "***"}}"#),
            (Format::Json, "{\"a\": \n", "***\n"),
        ] {
            assert_eq!(masked(text, format), shown);
        }
    }
}
