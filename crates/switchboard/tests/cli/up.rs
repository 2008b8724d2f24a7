//! `up`.

use crate::{CATALOGUE, CURSOR, TWO, full, home};

#[test]
fn an_empty_machine_is_told_what_to_do() {
    insta::assert_snapshot!(home().run("up --no-serve"), @"
    exit code: 0
    ----- stdout -----
    no client was found on this machine
    ----- stderr -----
    hint: link one by its file: `switchboard client link ID --path FILE`
    hint: or see the whole product at work with `switchboard demo`
    ");
}

#[test]
fn one_command_takes_everything_over() {
    let home = home();
    home.write(CURSOR, TWO);
    home.write(".codex/config.toml", "model = 'x'\n");
    insta::assert_snapshot!(home.run("up --dry-run"), @r#"
    exit code: 0
    ----- stdout -----
    2 clients found
    CLIENT  FILE
    codex   ~/.codex/config.toml
    cursor  ~/.cursor/mcp.json

    files would be a server of the catalogue
      runs   files-mcp /tmp
    web would be a server of the catalogue
      calls  https://web.example/mcp
      with   X-Token
    --- ~/switchboard/config/mcp-servers.toml
    +++ ~/switchboard/config/mcp-servers.toml
    @@ -0,0 +1,9 @@
    +#:schema ./mcp-servers.schema.json
    +
    +[servers.files]
    +command = "files-mcp"
    +args = ["/tmp"]
    +
    +[servers.web]
    +url = "https://web.example/mcp"
    +headers = { X-Token = "${env:WEB_TOKEN}" }
    codex would get in ~/.codex/config.toml:
    → add `files`
    → add `web`
      --- ~/.codex/config.toml
      +++ ~/.codex/config.toml
      @@ -1 +1,11 @@
       model = 'x'
      +
      +[mcp_servers.files]
      +command = "[PROGRAM]"
      +args = ["connect", "files"]
      +env = { SWITCHBOARD_HOME = "[HOME]/switchboard" }
      +
      +[mcp_servers.web]
      +command = "[PROGRAM]"
      +args = ["connect", "web"]
      +env = { SWITCHBOARD_HOME = "[HOME]/switchboard" }
    cursor would get in ~/.cursor/mcp.json:
    → update `files`
    → update `web`
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

    CLIENT  MODE  STATE      ENTRIES       FILE
    codex   auto  2 pending  none          ~/.codex/config.toml
    cursor  auto  2 pending  2 of its own  ~/.cursor/mcp.json
    "#);
    insta::assert_snapshot!(home.run("up --yes --no-serve"), @"
    exit code: 0
    ----- stdout -----
    2 clients found
    CLIENT  FILE
    codex   ~/.codex/config.toml
    cursor  ~/.cursor/mcp.json

    files would be a server of the catalogue
      runs   files-mcp /tmp
    web would be a server of the catalogue
      calls  https://web.example/mcp
      with   X-Token
    ✓ 2 servers imported, 2 entries are managed now
    ✓ codex: add `files`, add `web`
    ✓ cursor: update `files`, update `web`

    CLIENT  MODE  STATE    ENTRIES    FILE
    codex   auto  in step  2 managed  ~/.codex/config.toml
    cursor  auto  in step  2 managed  ~/.cursor/mcp.json

    ✓ 2 servers in ~/switchboard/config/mcp-servers.toml: edit that one file from now on
    ----- stderr -----
    Codex CLI / IDE / desktop: restart needed
    Cursor: to load it, switch the server off and on in Cursor's settings
    hint: see how things stand with `switchboard status`; take a write back with `switchboard client undo ID`
    ");
    insta::assert_snapshot!(home.run("up --no-serve"), @"
    exit code: 0
    ----- stdout -----
    there is nothing to import
    ✓ codex: in step
    ✓ cursor: in step

    CLIENT  MODE  STATE    ENTRIES    FILE
    codex   auto  in step  2 managed  ~/.codex/config.toml
    cursor  auto  in step  2 managed  ~/.cursor/mcp.json

    ✓ 2 servers in ~/switchboard/config/mcp-servers.toml: edit that one file from now on
    ----- stderr -----
    hint: see how things stand with `switchboard status`; take a write back with `switchboard client undo ID`
    ");
}

#[test]
fn over_all_fixtures_only_what_is_broken_is_left() {
    let home = full();
    let up = home.run("up --yes --no-serve");
    assert_eq!(up.code, 3, "{up}");
    let status = home.ok("status --json").json();
    let odd: Vec<&str> = status["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|client| client["in_step"] != true)
        .filter_map(|client| client["id"].as_str())
        .collect();
    assert_eq!(odd, ["gemini-cli"]);
    let again = home.run("up --yes --no-serve");
    assert!(!again.all().contains("imported"), "{again}");
    assert!(home.path(CATALOGUE).exists());
}
