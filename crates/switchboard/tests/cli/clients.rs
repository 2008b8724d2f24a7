//! `client list`, `show`, `diff` and `history`.

use crate::{CURSOR, TWO, cursor, home, managed};

#[test]
fn nothing_linked_is_said_with_what_to_do() {
    insta::assert_snapshot!(home().run("client list"), @"
    exit code: 0
    ----- stdout -----
    no client is linked, and none was found on this machine
    ----- stderr -----
    hint: see `switchboard client list --all` for those that are known
    ");
}

#[test]
fn clients_are_listed_linked_and_found() {
    let home = managed();
    home.write(".codex/config.toml", "");
    insta::assert_snapshot!(home.run("client list"), @"
    exit code: 0
    ----- stdout -----
    CLIENT  MODE    STATE    ENTRIES    FILE
    cursor  manual  in step  2 managed  ~/.cursor/mcp.json

    found on this machine, not linked
    CLIENT  NAME                       FILE
    codex   Codex CLI / IDE / desktop  ~/.codex/config.toml
    ----- stderr -----
    hint: link all of them with `switchboard up`, or one with `switchboard client link ID`
    ");
}

#[test]
fn every_known_client_can_be_listed() {
    let all = home().ok("client list --all --json").json();
    assert!(all["known"].as_array().unwrap().len() >= 60, "{}", all["known"].as_array().unwrap().len());
}

#[test]
fn a_client_is_shown_with_every_entry() {
    let home = managed();
    let shown = home.run("client show cursor").to_string();
    // The width of the column is that of the program's path, which is another on every machine.
    let shown: Vec<String> = shown
        .replace(env!("CARGO_BIN_EXE_switchboard"), "[PROGRAM]")
        .lines()
        .map(|line| {
            line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>().join("  ")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    exit code: 0
    ----- stdout -----
    Cursor (cursor)
    file  ~/.cursor/mcp.json
    mode  manual
    state  in step
    note  Cursor: to load it, switch the server off and on in Cursor's settings

    ENTRY  WHOSE  LAUNCH  KEEPS
    files  managed  [PROGRAM] connect files  autoApprove
    web  managed  [PROGRAM] connect web
    ");
    insta::assert_snapshot!(cursor(TWO).run("client show cursor"), @"
    exit code: 0
    ----- stdout -----
    Cursor (cursor)
    file   ~/.cursor/mcp.json
    mode   manual
    state  in step
    note   Cursor: to load it, switch the server off and on in Cursor's settings

    ENTRY  WHOSE    LAUNCH                   KEEPS
    files  its own  files-mcp /tmp           autoApprove
    web    its own  https://web.example/mcp
    ----- stderr -----
    hint: make its own entries managed with `switchboard client import cursor`
    hint: try one in place with `switchboard server test ENTRY --client cursor`
    ");
}

#[test]
fn a_diff_shows_what_a_push_would_write() {
    let home = cursor(TWO);
    home.ok("client import cursor --yes");
    insta::assert_snapshot!(home.run("client diff cursor"), @r#"
    exit code: 0
    ----- stdout -----
    --- ~/.cursor/mcp.json
    +++ ~/.cursor/mcp.json
    @@ -1,8 +1,8 @@
     {
       // mine
       "mcpServers": {
    -    "files": { "command": "files-mcp", "args": ["/tmp"], "autoApprove": ["read"] },
    -    "web": { "url": "https://web.example/mcp", "headers": { "X-Token": "${env:WEB_TOKEN}" } },
    +    "files": { "command": "[PROGRAM]", "args": ["connect", "files"], "autoApprove": ["read"], "env": { "SWITCHBOARD_HOME": "[HOME]/switchboard" } },
    +    "web": { "command": "[PROGRAM]", "args": ["connect", "web"], "env": { "SWITCHBOARD_HOME": "[HOME]/switchboard" } },
       },
       "theme": "dark",
     }
    "#);
    home.ok("client push cursor --yes");
    insta::assert_snapshot!(home.run("client diff cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: in step
    ");
}

#[test]
fn history_tells_what_was_written() {
    let home = managed();
    insta::assert_snapshot!(home.run("client history cursor"), @"
    exit code: 0
    ----- stdout -----
    WHEN                  REVISION  WHAT
    [TIME]  1         update `files`, update `web`
    ");
    home.ok("client undo cursor");
    insta::assert_snapshot!(home.run("client history cursor"), @"
    exit code: 0
    ----- stdout -----
    WHEN                  REVISION  WHAT
    [TIME]  1         update `files`, update `web`  undone
    ");
    assert_eq!(home.text(CURSOR), TWO);
}
