//! The whole way over all fixtures: link, scan, import, push, edits by hand, undo, uninstall.

use testkit::home::{FIXTURES, FakeHome, Fixture, fixture};

use crate::{CATALOGUE, full};

/// Links every fixture's file, in manual mode.
fn linked() -> FakeHome {
    let home = full();
    for own in FIXTURES {
        home.ok(&format!("client link {} --path {}", own.client, home.path(own.place).display()));
    }
    home
}

/// Imports and pushes everything; one fixture is no file that its client could read.
fn pushed() -> FakeHome {
    let home = linked();
    let scan = home.run("client scan --all");
    assert_eq!(scan.code, 3, "{scan}");
    home.ok("client import --all --yes");
    let push = home.run("client push --all --yes");
    assert_eq!(push.code, 3, "{push}");
    assert!(push.all().contains("a trailing comma stands here"), "{push}");
    home
}

fn written() -> impl Iterator<Item = &'static Fixture> {
    FIXTURES.iter().filter(|own| own.client != "gemini-cli")
}

#[test]
fn a_second_push_writes_nothing() {
    let home = pushed();
    let before = home.tree();
    let again = home.run("client push --all --yes");
    assert!(!again.all().contains("update"), "{again}");
    let changes = before.without(&["switchboard"]).changes(&home.tree().without(&["switchboard"]));
    assert_eq!(changes, Vec::<String>::new());
    let status = home.ok("status --json").json();
    for client in status["clients"].as_array().unwrap() {
        let summary = client["summary"].as_str().unwrap();
        assert!(matches!(summary, "in step" | "unreadable, left alone"), "{client}");
    }
}

#[test]
fn every_server_reaches_every_client_once() {
    let home = pushed();
    let servers = home.ok("server list --json").json().as_array().unwrap().len();
    for own in written() {
        let text = home.text(own.place);
        let program = env!("CARGO_BIN_EXE_switchboard");
        assert_eq!(text.matches(program).count(), servers, "{}:\n{text}", own.place);
    }
    assert_eq!(home.read(".gemini/settings.json"), fixture("gemini-cli/settings.json"));
}

#[test]
fn undo_gives_back_the_very_bytes() {
    let home = pushed();
    home.ok("client undo --all");
    for own in FIXTURES {
        assert_eq!(home.read(own.place), fixture(own.file), "{}", own.place);
    }
}

#[test]
fn uninstall_gives_back_the_very_bytes() {
    let home = pushed();
    home.ok("server add later -- later-mcp");
    home.run("client push --all --yes");
    home.ok("server remove github");
    home.run("client push --all --yes");
    home.ok("uninstall --yes");
    for own in FIXTURES {
        assert_eq!(home.read(own.place), fixture(own.file), "{}", own.place);
    }
    assert!(home.path(CATALOGUE).exists(), "the catalogue stays");
    // Secrets that the catalogue refers to are all that is left of the state.
    let left: Vec<_> = std::fs::read_dir(home.path("switchboard/state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["secrets"], "the state is removed");
}

/// What a person, or the client, changes by hand: always one place of the original text.
const EDITS: &[(&str, &str, &str)] = &[
    (".cursor/mcp.json", "// my servers", "// my own servers, since May"),
    (".claude.json", "\"mcpServers\": {", "\"addedSince\": true,\n  \"mcpServers\": {"),
    (".codex/config.toml", "notifications = true", "notifications = false"),
    (".config/zed/settings.json", "\"buffer_font_size\": 15.0", "\"buffer_font_size\": 16.0"),
    (".continue/config.yaml", "provider: ollama", "provider: llamafile"),
    (".config/Claude/claude_desktop_config.json", "PYTHONUNBUFFERED", "PYTHONUNBUFFERED"),
    (".config/kilo/kilo.jsonc", "// model picks", "// models"),
    (".config/Code/User/mcp.json", "\"Perplexity\"", "\"Perplexity\""),
];

#[test]
fn what_others_changed_since_the_push_stays_and_all_else_goes_back() {
    let home = pushed();
    let mut expected: Vec<(&str, String)> = Vec::new();
    for own in written() {
        let mut text = String::from_utf8(fixture(own.file)).unwrap();
        if let Some((_, from, to)) = EDITS.iter().find(|(place, ..)| *place == own.place) {
            let at = text.find(from).unwrap_or_else(|| panic!("{}: {from}", own.place));
            text.replace_range(at..at + from.len(), to);
            let now = home.text(own.place);
            if now.contains(from) {
                home.write(own.place, now.replacen(from, to, 1));
            } else {
                // It stands in an entry that is ours now: nothing to edit there.
                text = String::from_utf8(fixture(own.file)).unwrap();
            }
        }
        expected.push((own.place, text));
    }
    home.ok("server add later -- later-mcp");
    let push = home.run("client push --all --yes");
    assert_eq!(push.code, 3, "{push}");
    let uninstall = home.run("uninstall --yes");
    assert_eq!(uninstall.code, 0, "{uninstall}");
    for (place, text) in expected {
        assert_eq!(home.text(place), text, "{place}");
    }
}

#[test]
fn a_server_that_was_added_by_hand_survives_push_and_uninstall() {
    let home = pushed();
    let by_hand = "\"byHand\": { \"command\": \"by-hand-mcp\" },";
    home.edit(".cursor/mcp.json", "  \"mcpServers\": {", &format!("  \"mcpServers\": {{\n    {by_hand}"));
    home.ok("server add later -- later-mcp");
    home.run("client push --all --yes");
    let shown = home.ok("client show cursor --json").json();
    let entry = shown["entries"].as_array().unwrap().iter().find(|entry| entry["alias"] == "byHand").unwrap();
    assert_eq!(entry["whose"], "its own");
    home.ok("uninstall --yes");
    let text = home.text(".cursor/mcp.json");
    let original = String::from_utf8(fixture("cursor/mcp.json")).unwrap();
    assert_eq!(text.replace(&format!("    {by_hand}\n"), ""), original);
}
