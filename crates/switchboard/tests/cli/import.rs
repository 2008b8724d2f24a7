//! `client import`: entries of a client into servers of the catalogue.

use crate::{CATALOGUE, CURSOR, TWO, cursor, home};

#[test]
fn what_would_be_run_is_shown_and_asked_about() {
    let home = cursor(TWO);
    insta::assert_snapshot!(home.run("client import cursor"), @"");
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"");
    insta::assert_snapshot!(home.text(CATALOGUE), @"");
    assert_eq!(home.text(CURSOR), TWO, "the file is written by a push");
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"");
}

#[test]
fn one_entry_can_be_imported_alone() {
    let home = cursor(TWO);
    home.ok("client import cursor --server web --yes");
    let list = home.ok("server list --json").json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["name"], "web");
}

#[test]
fn what_the_catalogue_cannot_hold_stays_with_the_client() {
    let text = r#"{ "mcpServers": {
        "sock": { "url": "unix:///tmp/x.sock" }, "good": { "command": "good-mcp" },
        "asks": { "command": "asks-mcp", "env": { "K": "${input:key}" } },
        "off": { "command": "off-mcp", "disabled": true } } }"#;
    let home = cursor(text);
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"");
    home.ok("client push cursor --yes");
    let now = home.text(CURSOR);
    for own in ["unix:///tmp/x.sock", "asks-mcp", "${input:key}", "off-mcp"] {
        assert!(now.contains(own), "{own}:\n{now}");
    }
    assert!(!now.contains("good-mcp"), "{now}");
}

#[test]
fn an_import_that_fails_forgets_and_removes_nothing() {
    let home = cursor(TWO);
    home.write(CATALOGUE, "[servers.x\n");
    let before = home.tree().without(&["switchboard/state/lock"]);
    assert_eq!(home.run("client import cursor --yes").code, 3);
    let changes = before.changes(&home.tree().without(&["switchboard/state/lock"]));
    assert_eq!(changes, Vec::<String>::new());
}

#[test]
fn the_same_server_in_two_clients_is_one() {
    let home = home();
    home.write(CURSOR, TWO);
    home.write(".codex/config.toml", "[mcp_servers.docs]\ncommand = \"files-mcp\"\nargs = [\"/tmp\"]\n");
    home.ok("client link cursor");
    home.ok("client link codex");
    home.ok("client import --all --yes");
    assert_eq!(home.ok("server list --json").json().as_array().unwrap().len(), 2);
    home.ok("client push --all --yes");
    let text = home.text(".codex/config.toml");
    assert!(text.contains("[mcp_servers.docs]") && text.contains("\"files\"]"), "{text}");
}
