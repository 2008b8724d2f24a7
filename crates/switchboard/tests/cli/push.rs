//! `client push`.

use crate::{CURSOR, TWO, cursor, home, managed};

#[test]
fn the_first_write_is_asked_about_and_later_ones_are_not() {
    let home = cursor(TWO);
    home.ok("client import cursor --yes");
    insta::assert_snapshot!(home.run("client push cursor"), @"
    exit code: 5
    ----- stdout -----
    cursor: ~/.cursor/mcp.json
    → update `files`
    → update `web`
    ----- stderr -----
    error: failed to write to cursor for the first time: nobody was there to be asked
    hint: add --yes to agree beforehand
    ");
    assert_eq!(home.text(CURSOR), TWO);
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: update `files`, update `web`
    ----- stderr -----
    Cursor: to load it, switch the server off and on in Cursor's settings
    ");
    home.ok("server add new --url https://new.example/mcp");
    insta::assert_snapshot!(home.run("client push cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: add `new`
    ----- stderr -----
    Cursor: to load it, switch the server off and on in Cursor's settings
    ");
    insta::assert_snapshot!(home.run("client push cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: in step
    ");
}

#[test]
fn one_server_can_be_pushed_alone() {
    let home = managed();
    home.ok("server add a --url https://a.example");
    home.ok("server add b --url https://b.example");
    home.ok("client push cursor --server b");
    let text = home.text(CURSOR);
    assert!(text.contains("\"b\"") && !text.contains("\"a\""), "{text}");
    assert_eq!(home.ok("client diff cursor --json").json()[0]["pending"], serde_json::json!(["add `a`"]));
}

#[test]
fn a_file_that_was_not_there_is_made_and_taken_away_again() {
    let home = home();
    home.ok("server add a --url https://a.example");
    std::fs::create_dir(home.path(".cursor")).unwrap();
    home.ok("client link cursor");
    home.ok("client push cursor --yes");
    assert!(home.text(CURSOR).contains("\"a\""));
    home.ok("client undo cursor");
    assert!(!home.path(CURSOR).exists());
    home.ok("client push cursor --yes");
    home.ok("uninstall --yes");
    assert!(!home.path(CURSOR).exists());
}

#[test]
fn adding_and_removing_gives_back_the_very_bytes() {
    let home = cursor(TWO);
    home.ok("server add a --url https://a.example");
    home.ok("client push cursor --yes");
    home.ok("server remove a");
    home.ok("client push cursor --yes");
    assert_eq!(home.text(CURSOR), TWO);
}

#[test]
fn the_modes_of_files_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o600, 0o644, 0o640] {
        let home = cursor(TWO);
        std::fs::set_permissions(home.path(CURSOR), std::fs::Permissions::from_mode(mode)).unwrap();
        home.ok("server add a --url https://a.example");
        home.ok("client push cursor --yes");
        let now = std::fs::metadata(home.path(CURSOR)).unwrap().permissions().mode() & 0o777;
        assert_eq!(now, mode, "{now:o}");
    }
}

#[test]
fn the_dry_run_reads_like_sentences() {
    let home = cursor(TWO);
    home.ok("client import cursor --yes");
    home.ok("server add a --url https://a.example");
    insta::assert_snapshot!(home.run("client push cursor --dry-run"), @r#"
    exit code: 0
    ----- stdout -----
    cursor would get in ~/.cursor/mcp.json:
    → update `files`
    → update `web`
    → add `a`
      --- ~/.cursor/mcp.json
      +++ ~/.cursor/mcp.json
      @@ -1,8 +1,15 @@
       {
         // mine
         "mcpServers": {
      -    "files": { "command": "files-mcp", "args": ["/tmp"], "autoApprove": ["read"] },
      -    "web": { "url": "https://web.example/mcp", "headers": { "X-Token": "${env:WEB_TOKEN}" } },
      +    "files": { "command": "[PROGRAM]", "args": ["connect", "files"], "autoApprove": ["read"], "env": { "SWITCHBOARD_HOME": "[HOME]/switchboard" } },
      +    "web": { "command": "[PROGRAM]", "args": ["connect", "web"], "env": { "SWITCHBOARD_HOME": "[HOME]/switchboard" } },
      +    "a": {
      +      "command": "[PROGRAM]",
      +      "args": ["connect", "a"],
      +      "env": {
      +        "SWITCHBOARD_HOME": "[HOME]/switchboard"
      +      }
      +    },
         },
         "theme": "dark",
       }
    "#);
}
