//! `status`.

use crate::{CATALOGUE, CURSOR, full, home, managed};

#[test]
fn an_empty_home_is_told_what_to_do() {
    insta::assert_snapshot!(home().run("status"), @"
    exit code: 0
    ----- stdout -----
    no revision yet
    0 servers
    no clients are linked
    ----- stderr -----
    hint: find and link them with `switchboard up`
    ");
}

#[test]
fn everything_is_seen_at_a_glance() {
    let home = managed();
    insta::assert_snapshot!(home.run("status"), @"
    exit code: 0
    ----- stdout -----
    revision 1: 2 servers changed
    2 servers

    CLIENT  MODE    STATE    ENTRIES    FILE
    cursor  manual  in step  2 managed  ~/.cursor/mcp.json
    ");
    home.ok("server add new --url https://new.example/mcp");
    insta::assert_snapshot!(home.run("status"), @"
    exit code: 0
    ----- stdout -----
    revision 2: server 'new' added
    3 servers

    CLIENT  MODE    STATE      ENTRIES    FILE
    cursor  manual  1 pending  2 managed  ~/.cursor/mcp.json
    ----- stderr -----
    hint: write what is pending with `switchboard client push cursor`
    ");
    insta::assert_snapshot!(home.run("status --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "catalogue": {
        "last_good": false,
        "path": "[HOME]/switchboard/config/mcp-servers.toml",
        "problems": []
      },
      "clients": [
        {
          "conflicts": [],
          "drift": [],
          "file": "read",
          "id": "cursor",
          "in_step": false,
          "mode": "manual",
          "name": "Cursor",
          "path": "[HOME]/.cursor/mcp.json",
          "pending": [
            "add `new`"
          ],
          "problems": [],
          "summary": "1 pending"
        }
      ],
      "daemon": null,
      "policy": {
        "last_good": false,
        "path": "[HOME]/switchboard/config/tool-policy.toml",
        "problems": [],
        "tools": 0
      },
      "problems": [],
      "revision": {
        "at": [TIME],
        "hash": "[HASH]",
        "number": 2,
        "reason": "server 'new' added",
        "version": "1.2.0"
      },
      "servers": [
        {
          "enabled": true,
          "name": "files"
        },
        {
          "enabled": true,
          "name": "web"
        },
        {
          "enabled": true,
          "name": "new"
        }
      ]
    }
    ----- stderr -----
    hint: write what is pending with `switchboard client push cursor`
    "#);
}

#[test]
fn a_broken_file_is_told_with_its_place() {
    let home = managed();
    home.write(CURSOR, "{\n  \"mcpServers\": {\n    oops\n");
    home.write(CATALOGUE, "[servers.x\n");
    insta::assert_snapshot!(home.run("status"), @r#"
    exit code: 0
    ----- stdout -----
    revision 1: 2 servers changed
    2 servers

    CLIENT  MODE    STATE                   ENTRIES  FILE
    cursor  manual  unreadable, left alone  none     ~/.cursor/mcp.json
    ----- stderr -----
    error: ~/switchboard/config/mcp-servers.toml:1:10: server `x` has neither a `command` nor a `url`
    hint: add command = "PROGRAM" or url = "https://.."
    error: ~/switchboard/config/mcp-servers.toml:1:11: unclosed table, expected `]`
    revision 1 stays in service until the file is mended
    error: ~/.cursor/mcp.json:3:5: expected a key in double quotes, found `o`
    hint: mend the file at that place
    "#);
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
