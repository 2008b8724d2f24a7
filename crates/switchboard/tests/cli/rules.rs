//! The rules of relations, as a user sees them.

use crate::{CATALOGUE, CURSOR, TWO, cursor, full, home, managed};

fn project(command: &str) -> String {
    format!("{{ \"mcpServers\": {{ {command} }} }}\n")
}

#[test]
fn two_projects_that_both_say_sqlite_keep_saying_sqlite() {
    let home = home();
    let (a, b) = ("work/a/.cursor/mcp.json", "work/b/.cursor/mcp.json");
    home.write(a, project(r#""sqlite": { "command": "uvx", "args": ["mcp-sqlite", "a.db"] }"#));
    home.write(b, project(r#""sqlite": { "command": "uvx", "args": ["mcp-sqlite", "b.db"] }"#));
    // Each project only wants its own server.
    home.ok(&format!("client link cursor --path {} --server sqlite", home.path(a).display()));
    home.ok(&format!("client link cursor --path {} --server sqlite1", home.path(b).display()));
    home.ok("client import --all --yes");
    home.ok("client push --all --yes");
    let names: Vec<String> = home
        .ok("server list --json")
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|server| server["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["sqlite", "sqlite1"]);
    for (file, server) in [(a, "sqlite"), (b, "sqlite1")] {
        let text = home.text(file);
        assert!(text.contains("\"sqlite\": {"), "the alias stays:\n{text}");
        assert!(!text.contains("\"sqlite1\": {"), "no second entry:\n{text}");
        assert!(text.contains(&format!("[\"connect\", \"{server}\"]")), "{text}");
    }
}

#[test]
fn two_names_of_the_same_launch_are_one_server() {
    let home = home();
    let (a, b) = ("work/a/.cursor/mcp.json", "work/b/.cursor/mcp.json");
    let memory = r#"{ "command": "npx", "args": ["-y", "memory"] }"#;
    home.write(a, project(&format!("\"memoryFoo\": {memory}")));
    home.write(b, project(&format!("\"memoryBar\": {memory}")));
    home.ok(&format!("client link cursor --path {}", home.path(a).display()));
    home.ok(&format!("client link cursor --path {}", home.path(b).display()));
    home.ok("client import --all --yes");
    home.ok("client push --all --yes");
    assert_eq!(home.ok("server list --json").json().as_array().unwrap().len(), 1);
    for (file, alias) in [(a, "memoryFoo"), (b, "memoryBar")] {
        let text = home.text(file);
        assert!(text.contains(&format!("\"{alias}\"")) && text.contains("\"memoryFoo\"]"), "{text}");
    }
}

#[test]
fn a_push_touches_six_fields_and_nothing_else() {
    let home = managed();
    let program = env!("CARGO_BIN_EXE_switchboard");
    let switchboard = home.path("switchboard");
    let text = home.text(CURSOR).replace(program, "PROGRAM").replace(&*switchboard.to_string_lossy(), "HOME");
    insta::assert_snapshot!(text, @r#"
    {
      // mine
      "mcpServers": {
        "files": { "command": "PROGRAM", "args": ["connect", "files"], "autoApprove": ["read"], "env": { "SWITCHBOARD_HOME": "HOME" } },
        "web": { "command": "PROGRAM", "args": ["connect", "web"], "env": { "SWITCHBOARD_HOME": "HOME" } },
      },
      "theme": "dark",
    }
    "#);
}

#[test]
fn a_file_never_gets_two_of_one_server() {
    // The catalogue has the server already, and the client runs the same one by itself, under another name.
    let home = cursor(r#"{ "mcpServers": { "mine": { "command": "npx", "args": ["-y", "memory"] } } }"#);
    home.run_words(["server", "add", "memory", "--", "npx", "-y", "memory"]);
    let push = home.ok("client push cursor --yes");
    assert!(push.stdout.contains("take over `mine` (server `memory`)"), "{push}");
    let text = home.text(CURSOR);
    assert_eq!(text.matches("connect").count(), 1, "{text}");
    assert!(text.contains("\"mine\"") && !text.contains("\"memory\":"), "{text}");
}

#[test]
fn unmanaged_servers_are_seen_only_with_their_client() {
    let home = cursor(TWO);
    home.ok("client scan cursor");
    assert_eq!(home.ok("server list --json").json().as_array().unwrap().len(), 0);
    let shown = home.ok("client show cursor");
    assert!(shown.stdout.contains("files") && shown.stdout.contains("its own"), "{shown}");
    for line in
        ["server show files", "server edit files --tag x", "server disable files", "server remove files"]
    {
        let output = home.run(line);
        assert_eq!(output.code, 2, "{line}: {output}");
    }
    // Nobody else is given it.
    home.write(".codex/config.toml", "");
    home.ok("client link codex");
    assert_eq!(home.ok("client diff codex --json").json()[0]["pending"], serde_json::json!([]));
}

#[test]
fn renaming_a_server_leaves_the_aliases() {
    let home = managed();
    home.ok("server rename files documents");
    home.ok("client push cursor --yes");
    let text = home.text(CURSOR);
    assert!(text.contains("\"files\": {") && text.contains("[\"connect\", \"documents\"]"), "{text}");
    assert!(!text.contains("\"documents\": {"), "{text}");
    assert!(home.text(CATALOGUE).contains("[servers.documents]"));
}

#[test]
fn a_disabled_server_comes_back_with_what_the_client_kept_in_it() {
    let home = managed();
    home.ok("server disable files");
    home.ok("client push cursor --yes");
    assert!(!home.text(CURSOR).contains("\"files\""));
    home.ok("server enable files");
    home.ok("client push cursor --yes");
    assert!(home.text(CURSOR).contains("\"autoApprove\""), "{}", home.text(CURSOR));
    home.ok("uninstall --yes");
}

#[test]
fn one_file_of_two_clients_is_written_once() {
    let home = home();
    let file = "work/api/.mcp.json";
    home.write(file, project(r#""own": { "command": "own-mcp" }"#));
    let path = home.path(file);
    home.ok(&format!("client link claude-code --path {}", path.display()));
    home.ok(&format!("client link copilot-cli --path {}", path.display()));
    home.run_words(["server", "add", "later", "--", "later-mcp"]);
    let push = home.ok("client push --all --yes");
    assert_eq!(push.stdout.matches("add `later`").count(), 1, "{push}");
    assert!(push.stdout.contains("copilot-cli: same file as claude-code"), "{push}");
    let before = home.tree();
    let again = home.ok("client push copilot-cli --yes");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{again}");
    assert_eq!(home.text(file).matches("\"later\": {").count(), 1, "{}", home.text(file));
}

#[test]
fn one_file_that_cannot_be_read_does_not_keep_the_others_from_it() {
    let home = full();
    home.write(CURSOR, "{ \"mcpServers\": { ");
    let up = home.run("up --yes --no-serve");
    assert_eq!(up.code, 3, "{up}");
    assert!(up.all().contains("cursor: not written"), "{up}");
    assert_eq!(home.text(CURSOR), "{ \"mcpServers\": { ");
    assert!(home.text(".codex/config.toml").contains("connect"), "the others are served");
}
