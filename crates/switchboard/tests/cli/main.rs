//! The command line, run as a user runs it: one module per command, and one per story that crosses them.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests play the user and the clients, who write files as they please"
)]

mod clients;
mod completions;
mod config;
mod connect;
mod consent;
mod demo;
mod doctor;
mod drift;
mod flow;
mod import;
mod input;
mod link;
mod listen;
mod listen_program;
mod login;
mod pins;
mod policy;
mod policy_export;
mod policy_undo;
mod profile;
mod push;
mod rules;
mod scan;
mod secrets;
mod server;
mod service;
mod status;
mod sync;
mod sync_odd;
mod token;
mod tool;
mod undo;
mod uninstall;
mod up;
mod words;

use testkit::home::{FIXTURES, FakeHome};

/// An empty home.
fn home() -> FakeHome {
    FakeHome::new(env!("CARGO_BIN_EXE_switchboard"))
}

/// A home with every fixture at its place.
fn full() -> FakeHome {
    FakeHome::with_fixtures(env!("CARGO_BIN_EXE_switchboard"))
}

/// A home with one Cursor file, linked in manual mode.
fn cursor(file: &str) -> FakeHome {
    let home = home();
    home.write(CURSOR, file);
    home.ok("client link cursor");
    home
}

const CURSOR: &str = ".cursor/mcp.json";
const CATALOGUE: &str = "switchboard/config/mcp-servers.toml";
const SETTINGS: &str = "switchboard/config/switchboard.toml";

/// Two servers of the client's own, with things in the file that are none of ours.
const TWO: &str = r#"{
  // mine
  "mcpServers": {
    "files": { "command": "files-mcp", "args": ["/tmp"], "autoApprove": ["read"] },
    "web": { "url": "https://web.example/mcp", "headers": { "X-Token": "${env:WEB_TOKEN}" } },
  },
  "theme": "dark",
}
"#;

/// Cursor has two servers, which are managed and pushed.
fn managed() -> FakeHome {
    let home = cursor(TWO);
    home.ok("client import cursor --yes");
    home.ok("client push cursor --yes");
    home
}

#[test]
fn no_module_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let main = std::fs::read_to_string(format!("{folder}/main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let module = name.strip_suffix(".rs").unwrap_or_else(|| panic!("{name} is no module"));
        assert!(module == "main" || main.contains(&format!("\nmod {module};\n")), "{name} is not run");
    }
}

#[test]
fn every_fixture_is_at_the_place_where_its_client_is_found() {
    let home = full();
    let list = home.ok("client list --json").json();
    let found: Vec<&str> =
        list["unlinked"].as_array().unwrap().iter().filter_map(|client| client["id"].as_str()).collect();
    // It is no longer made, so it is not offered by itself.
    let missing: Vec<&str> = FIXTURES
        .iter()
        .filter(|own| own.found && !found.contains(&own.client))
        .map(|own| own.client)
        .collect();
    assert_eq!(missing, ["amazon-q"]);
}
