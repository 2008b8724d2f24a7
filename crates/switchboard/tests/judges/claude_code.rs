//! Claude Code, and its file for everything that is the user's.

use crate::round::{Client, harmless, take};

fn shows(list: &str, server: &str) -> bool {
    let line = list.lines().find(|line| line.starts_with(&format!("{server}: ")));
    // It connects to every server that it lists; only `everything` is there to answer.
    line.is_some_and(|line| server != "everything" || line.ends_with("Connected") && !line.contains("not"))
}

#[test]
fn claude_code_reaches_the_real_server_and_keeps_what_is_its_own() {
    take(&Client {
        id: "claude-code",
        program: "claude",
        file: ".claude.json",
        text: harmless("claude-code/.claude.json"),
        others: &["sentry", "github", "everything", "far", "oauthAccount", "projects", "theme"],
        list: &["mcp", "list"],
        shows,
        add: &["mcp", "add", "--scope", "user", "mine", "--", "/bin/false", "mine.js"],
        remove: &["mcp", "remove", "--scope", "user", "far"],
        prepare: |_| {},
    });
}
