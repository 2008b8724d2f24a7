//! Gemini CLI, which reads comments but no trailing comma.

use std::fs;
use std::path::Path;

use crate::round::{Client, harmless, take};

fn shows(list: &str, server: &str) -> bool {
    let line = list.lines().find(|line| line.contains(&format!(" {server}: ")));
    line.is_some_and(|line| server != "everything" || line.ends_with("- Connected"))
}

fn trust(home: &Path) {
    let trusted = serde_json::json!({ home.to_string_lossy(): "TRUST_FOLDER" });
    fs::write(home.join(".gemini/trustedFolders.json"), trusted.to_string()).unwrap();
}

#[test]
fn gemini_cli_reaches_the_real_server_and_keeps_what_is_its_own() {
    // It starts only what its own list allows, and this one lists nothing of ours.
    let text = harmless("gemini-cli/settings.json");
    let text = text.replace("\"vimMode\": true },", "\"vimMode\": true }");
    let text = text.replace("\"allowed\": [\"py\", \"http\"], ", "");
    take(&Client {
        id: "gemini-cli",
        program: "gemini",
        file: ".gemini/settings.json",
        text,
        others: &["\"py\"", "\"http\"", "\"sse\"", "\"new\"", "everything", "far", "security", "general"],
        list: &["mcp", "list"],
        shows,
        add: &["mcp", "add", "--scope", "user", "mine", "/bin/false", "mine.js"],
        remove: &["mcp", "remove", "--scope", "user", "far"],
        prepare: trust,
    });
}
