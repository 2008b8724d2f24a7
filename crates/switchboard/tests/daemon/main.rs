//! A running daemon, with real files, sockets, signals and commands beside it.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the tests play the user and the clients, who write files as they please; what fails says why"
)]

mod bad;
mod browser;
mod clock;
mod commands;
mod faces;
mod feeds;
mod files;
mod life;
mod other;
mod pins;
mod policy;
mod servers;
mod succession;
mod sync;
mod whole;

use testkit::daemon::Daemon;
use testkit::home::FakeHome;

const CATALOGUE: &str = "switchboard/config/mcp-servers.toml";
const SETTINGS: &str = "switchboard/config/switchboard.toml";
const CURSOR: &str = ".cursor/mcp.json";
const ZED: &str = ".config/zed/settings.json";

/// A home with two clients, one in auto and one in manual mode, and two servers.
fn home() -> FakeHome {
    let home = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
    home.write(CURSOR, "{\n  // mine\n  \"mcpServers\": {},\n  \"theme\": \"dark\"\n}\n");
    home.write(ZED, "{\n  \"ui_font_size\": 16\n}\n");
    home.ok("client link cursor --auto");
    home.ok("client link zed --manual");
    home.write(CATALOGUE, "[servers.one]\ncommand = \"one\"\n\n[servers.two]\ncommand = \"two\"\n");
    home
}

/// Adds a server to the catalogue's file as an editor would that writes in place.
fn append(home: &FakeHome, name: &str) {
    let text = home.text(CATALOGUE);
    home.write(CATALOGUE, format!("{text}\n[servers.{name}]\ncommand = \"{name}\"\n"));
}

/// Waits until a file in the home holds a text.
fn wait_for(daemon: &Daemon, home: &FakeHome, file: &str, text: &str) {
    daemon.wait(&format!("`{text}` in {file}"), || home.text(file).contains(text));
}

/// Returns what `status --json` says of a client.
fn client(home: &FakeHome, id: &str) -> serde_json::Value {
    let status = home.ok("status --json").json();
    let clients = status["clients"].as_array().expect("clients").clone();
    clients.into_iter().find(|client| client["id"] == id).expect("the client")
}

#[test]
fn no_module_is_forgotten() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/daemon");
    let main = std::fs::read_to_string(format!("{folder}/main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let module = name.strip_suffix(".rs").unwrap_or_else(|| panic!("{name} is no module"));
        assert!(module == "main" || main.contains(&format!("\nmod {module};\n")), "{name} is not run");
    }
}
