//! `status`.

use crate::{CATALOGUE, CURSOR, full, home, managed};

#[test]
fn an_empty_home_is_told_what_to_do() {
    insta::assert_snapshot!(home().run("status"), @"");
}

#[test]
fn everything_is_seen_at_a_glance() {
    let home = managed();
    insta::assert_snapshot!(home.run("status"), @"");
    home.ok("server add new --url https://new.example/mcp");
    insta::assert_snapshot!(home.run("status"), @"");
    insta::assert_snapshot!(home.run("status --json"), @"");
}

#[test]
fn a_broken_file_is_told_with_its_place() {
    let home = managed();
    home.write(CURSOR, "{\n  \"mcpServers\": {\n    oops\n");
    home.write(CATALOGUE, "[servers.x\n");
    insta::assert_snapshot!(home.run("status"), @"");
}

#[test]
fn much_that_is_pending_is_one_hint() {
    let home = full();
    home.ok("server add new --url https://new.example/mcp");
    for id in ["codex", "cursor", "zed", "vscode", "kilo-code"] {
        home.ok(&format!("client link {id}"));
    }
    let status = home.ok("status");
    assert_eq!(status.stderr, "hint: write what is pending with `switchboard client push --all`\n");
}
