//! Codex, which refuses to start at all when one entry is wrong.

use serde_json::Value;

use crate::round::{Client, harmless, take};

fn shows(list: &str, server: &str) -> bool {
    let list: Value = serde_json::from_str(list).unwrap();
    let entry = list.as_array().into_iter().flatten().find(|entry| entry["name"] == server);
    let args = |entry: &Value| entry["transport"]["args"] == serde_json::json!(["connect", server]);
    entry.is_some_and(|entry| entry["enabled"] == true && args(entry))
}

#[test]
fn codex_lists_our_entries_and_keeps_what_is_its_own() {
    take(&Client {
        id: "codex",
        program: "codex",
        file: ".codex/config.toml",
        text: harmless("codex/config.toml"),
        others: &["docs", "figma", "inline", "everything", "far", "sandbox", "projects", "tui", "model"],
        list: &["mcp", "list", "--json"],
        shows,
        add: &["mcp", "add", "mine", "--", "/bin/false", "mine.js"],
        remove: &["mcp", "remove", "far"],
        prepare: |_| {},
    });
}
