//! `config`: the files of Switchboard itself.

use crate::{CATALOGUE, home, managed};

#[test]
fn the_paths_are_told() {
    insta::assert_snapshot!(home().run("config path"), @"
    exit code: 0
    ----- stdout -----
    catalogue  [HOME]/switchboard/config/mcp-servers.toml
    settings   [HOME]/switchboard/config/switchboard.toml
    policy     [HOME]/switchboard/config/tool-policy.toml
    state      [HOME]/switchboard/state
    backups    [HOME]/switchboard/state/backups
    socket     [HOME]/switchboard/run/control.sock
    ");
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let home = home();
    home.write(CATALOGUE, "[servers.a]\ncomand = \"x\"\n[servers.b]\nurl = 5\n[serverz.c]\n");
    insta::assert_snapshot!(home.run("config check"), @r#"
    exit code: 3
    ----- stdout -----
    ✓ ~/switchboard/config/switchboard.toml is good
    ✓ ~/switchboard/config/tool-policy.toml is good
    ----- stderr -----
    error: ~/switchboard/config/mcp-servers.toml:1:10: server `a` has neither a `command` nor a `url`
    hint: add command = "PROGRAM" or url = "https://.."
    warning: ~/switchboard/config/mcp-servers.toml:2:1: server `a` has no setting `comand`
    hint: did you mean `command`?
    error: ~/switchboard/config/mcp-servers.toml:4:7: `url` of server `b` is a number, not a text
    warning: ~/switchboard/config/mcp-servers.toml:5:2: the catalogue has no setting `serverz`
    hint: did you mean `servers`?
    error: failed to find the files in order
    "#);
    insta::assert_snapshot!(home.run("config check --json"), @r#"
    exit code: 3
    ----- stdout -----
    [
      {
        "file": "~/switchboard/config/mcp-servers.toml",
        "good": false,
        "problems": [
          {
            "column": 10,
            "help": "add command = \"PROGRAM\" or url = \"https://..\"",
            "line": 1,
            "severity": "error",
            "what": "server `a` has neither a `command` nor a `url`"
          },
          {
            "column": 1,
            "help": "did you mean `command`?",
            "line": 2,
            "severity": "warning",
            "what": "server `a` has no setting `comand`"
          },
          {
            "column": 7,
            "line": 4,
            "severity": "error",
            "what": "`url` of server `b` is a number, not a text"
          },
          {
            "column": 2,
            "help": "did you mean `servers`?",
            "line": 5,
            "severity": "warning",
            "what": "the catalogue has no setting `serverz`"
          }
        ]
      },
      {
        "file": "~/switchboard/config/switchboard.toml",
        "good": true,
        "problems": []
      },
      {
        "file": "~/switchboard/config/tool-policy.toml",
        "good": true,
        "problems": []
      }
    ]
    ----- stderr -----
    error: failed to find the files in order
    "#);
}

#[test]
fn good_files_are_called_good() {
    insta::assert_snapshot!(managed().run("config check"), @"
    exit code: 0
    ----- stdout -----
    ✓ ~/switchboard/config/mcp-servers.toml is good
    ✓ ~/switchboard/config/switchboard.toml is good
    ✓ ~/switchboard/config/tool-policy.toml is good
    ");
}

#[test]
fn schemas_are_json() {
    for file in ["", "catalogue", "settings"] {
        let schema = home().ok(&format!("config schema {file}")).json();
        assert!(schema["$schema"].is_string(), "{file}");
    }
}

#[test]
fn a_client_file_is_exported_as_the_client_wants_it() {
    let home = managed();
    insta::assert_snapshot!(home.run("config export codex"), @r#"
    exit code: 0
    ----- stdout -----
    [mcp_servers.files]
    command = "[PROGRAM]"
    args = ["connect", "files"]
    env = { SWITCHBOARD_HOME = "[HOME]/switchboard" }

    [mcp_servers.web]
    command = "[PROGRAM]"
    args = ["connect", "web"]
    env = { SWITCHBOARD_HOME = "[HOME]/switchboard" }
    "#);
    insta::assert_snapshot!(home.run("config export vscode"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "servers": {
        "files": {
          "type": "stdio",
          "command": "[PROGRAM]",
          "args": ["connect", "files"],
          "env": {
            "SWITCHBOARD_HOME": "[HOME]/switchboard"
          }
        },
        "web": {
          "type": "stdio",
          "command": "[PROGRAM]",
          "args": ["connect", "web"],
          "env": {
            "SWITCHBOARD_HOME": "[HOME]/switchboard"
          }
        }
      }
    }
    "#);
}

#[test]
fn the_catalogue_goes_back_to_any_revision() {
    let home = home();
    home.ok("server add a --url https://a.example");
    let one = home.text(CATALOGUE);
    home.ok("server add b --url https://b.example");
    home.ok("server add c --url https://c.example");
    insta::assert_snapshot!(home.run("config history"), @"
    exit code: 0
    ----- stdout -----
    REVISION  WHEN                  WHAT              SERVERS
    3         [TIME]  server 'c' added  3
    2         [TIME]  server 'b' added  2
    1         [TIME]  server 'a' added  1
    ");
    insta::assert_snapshot!(home.run("config undo 1"), @"
    exit code: 0
    ----- stdout -----
    ✓ the catalogue is what it was at revision 1
    ");
    assert_eq!(home.text(CATALOGUE), one);
    home.ok("config undo");
    assert!(home.text(CATALOGUE).contains("[servers.c]"));
    insta::assert_snapshot!(home.run("config undo 99"), @"
    exit code: 2
    ----- stderr -----
    error: failed to undo: there is no such revision
    hint: see `switchboard config history`
    ");
}

#[test]
fn an_edit_by_hand_is_a_revision_like_any_other() {
    let home = home();
    home.ok("server add a --url https://a.example");
    home.edit(CATALOGUE, "https://a.example", "https://b.example");
    home.ok("server add c --url https://c.example");
    let history = home.ok("config history --json").json();
    assert_eq!(history[1]["reason"], "server 'a': url changed");
    assert_eq!(history.as_array().unwrap().len(), 3);
}
