//! `client import`: entries of a client into servers of the catalogue.

use crate::{CATALOGUE, CURSOR, TWO, cursor, home};

#[test]
fn what_would_be_run_is_shown_and_asked_about() {
    let home = cursor(TWO);
    insta::assert_snapshot!(home.run("client import cursor"), @"
    exit code: 5
    ----- stdout -----
    files would be a server of the catalogue
      runs   files-mcp /tmp
    web would be a server of the catalogue
      calls  https://web.example/mcp
      with   X-Token
    ----- stderr -----
    error: failed to import: nobody was there to be asked
    hint: add --yes to agree beforehand
    ");
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"
    exit code: 0
    ----- stdout -----
    files would be a server of the catalogue
      runs   files-mcp /tmp
    web would be a server of the catalogue
      calls  https://web.example/mcp
      with   X-Token
    ✓ 2 servers imported, 2 entries are managed now
    ----- stderr -----
    hint: clients in manual mode get it with `switchboard client push --all`
    ");
    insta::assert_snapshot!(home.text(CATALOGUE), @r#"
    #:schema ./mcp-servers.schema.json

    [servers.files]
    command = "files-mcp"
    args = ["/tmp"]

    [servers.web]
    url = "https://web.example/mcp"
    headers = { X-Token = "${env:WEB_TOKEN}" }
    "#);
    assert_eq!(home.text(CURSOR), TWO, "the file is written by a push");
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"
    exit code: 0
    ----- stdout -----
    there is nothing to import
    ");
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
    insta::assert_snapshot!(home.run("client import cursor --yes"), @"
    exit code: 0
    ----- stdout -----
    good would be a server of the catalogue
      runs   good-mcp
    ✓ 1 server imported, 1 entry is managed now
    ----- stderr -----
    note: cursor: `sock` stays the client's own: the `url` of server `sock` is no http or https address
    note: cursor: `asks` uses `${input:key}`, which the client alone fills in, and stays the client's own
    note: cursor: `off` is switched off there and stays the client's own
    hint: clients in manual mode get it with `switchboard client push --all`
    ");
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
