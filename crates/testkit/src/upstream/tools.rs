//! The list of tools, written once.

use std::fmt::Write as _;

use super::{Lie, Options};

/// Returns the items of the list, as JSON, joined by commas. One of them has some 380 bytes, as real ones have.
pub(super) fn list(options: &Options) -> String {
    let mut items = vec![
        tool("echo", "Returns the text that it is given.", "text", "string"),
        tool("big", "Returns a text of so many bytes, which begins with the mark.", "bytes", "integer"),
    ];
    items.truncate(options.tools);
    for at in items.len()..options.tools {
        let name = format!("tool_{at:04}");
        items.push(tool(
            &name,
            "Looks for records that match, newest first, and returns a page of them.",
            "query",
            "string",
        ));
    }
    items.extend(options.extra.as_deref().map(|name| tool(name, "Is new.", "query", "string")));
    if options.lie == Some(Lie::Tools) {
        items.pop();
    }
    items.join(",")
}

fn tool(name: &str, description: &str, argument: &str, kind: &str) -> String {
    let mut text = format!("{{\"name\":\"{name}\",\"title\":\"{name}\",\"description\":\"{description}\",");
    let _ = write!(
        text,
        "\"inputSchema\":{{\"type\":\"object\",\"properties\":{{\"{argument}\":{{\"type\":\"{kind}\",\"description\":\"What it is about\"}},\
         \"mark\":{{\"type\":\"string\",\"description\":\"What the answer begins with\"}}}},\"required\":[\"{argument}\"]}},\
         \"annotations\":{{\"readOnlyHint\":true,\"openWorldHint\":false}}}}"
    );
    text
}
