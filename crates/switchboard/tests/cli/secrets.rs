//! Secrets: found at import, kept apart, never shown.

use std::os::unix::fs::PermissionsExt as _;

use crate::{CATALOGUE, CURSOR, cursor};

const CANARY: &str = "canary-7f3a9c-do-not-tell";

fn text() -> String {
    format!(
        r#"{{
  "mcpServers": {{
    "hub": {{ "command": "hub-mcp", "env": {{ "HUB_TOKEN": "{CANARY}1", "LOG": "{CANARY}2" }} }},
    "web": {{ "url": "https://web.example/mcp", "headers": {{ "Authorization": "Bearer {CANARY}3" }} }},
    "or": {{ "command": "or-mcp", "env": {{ "OR_TOKEN": "${{OR_TOKEN:-{CANARY}4}}" }} }}
  }},
  "apiKey": "{CANARY}5"
}}
"#
    )
}

#[test]
fn secrets_go_to_a_store_of_their_own_and_the_catalogue_refers_to_them() {
    let home = cursor(&text());
    home.ok("client import cursor --yes");
    let catalogue = home.text(CATALOGUE);
    assert!(catalogue.contains("HUB_TOKEN = \"${keyring:hub-hub-token}\""), "{catalogue}");
    assert!(catalogue.contains("Authorization = \"Bearer ${keyring:web-authorization}\""), "{catalogue}");
    assert_eq!(home.text("switchboard/state/secrets/hub-hub-token"), format!("{CANARY}1"));
    let mode = |path: &str| std::fs::metadata(home.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("switchboard/state/secrets/hub-hub-token"), 0o600);
    assert_eq!(mode("switchboard/state/secrets"), 0o700);
    assert_eq!(mode("switchboard/state"), 0o700);
    // What is the same server with its secret by reference is known to be the same.
    assert_eq!(home.ok("client import cursor --yes").stdout, "there is nothing to import\n");
}

#[test]
fn servers_whose_names_differ_in_signs_only_share_no_secret() {
    let home = cursor(
        r#"{ "mcpServers": {
        "a-b": { "command": "x", "env": { "TOKEN": "first" } }, "a_b": { "command": "x", "env": { "TOKEN": "second" } } } }"#,
    );
    home.ok("client import cursor --yes");
    assert_eq!(home.text("switchboard/state/secrets/a-b-token"), "first");
    assert_eq!(home.text("switchboard/state/secrets/a-b-token1"), "second");
}

#[test]
fn no_command_ever_tells_a_secret() {
    let home = cursor(&text());
    let tells = |when: &str, line: &str| {
        let output = home.run(line);
        assert!(!output.all().contains(CANARY), "{when}: switchboard {line}\n{output}");
    };
    let readers = [
        "status",
        "doctor",
        "server list",
        "server show hub",
        "server show web",
        "client list",
        "client show cursor",
        "client diff cursor",
        "client history cursor",
        "client push cursor --dry-run",
        "client scan cursor --dry-run",
        "client import cursor --dry-run",
        "client undo cursor --dry-run",
        "uninstall --dry-run",
        "up --dry-run",
        "config check",
        "config history",
        "config export cursor",
        "config export codex",
        "client adopt cursor --dry-run",
        "client restore cursor --dry-run",
        "client keep cursor --dry-run",
        "server remove hub --dry-run",
        "server edit hub --env HUB_TOKEN=canary-7f3a9c-do-not-tell6 --dry-run",
        "server test hub --client cursor",
    ];
    let all = |when: &str| {
        for line in readers {
            tells(when, line);
            tells(when, &format!("{line} --json"));
        }
    };
    all("before the import");
    tells("import", "client import cursor --yes");
    all("after the import");
    tells("push", "client push cursor --yes --json");
    all("after the push");
    home.edit(CURSOR, "\"connect\", \"hub\"", "\"connect\", \"hub\", \"-v\"");
    all("after an edit");
    tells("push", "client push cursor --yes");
    tells("undo", "client undo cursor --force");
    tells("scan", "client scan cursor --discard-pending");
    tells("uninstall", "uninstall --yes");
}

#[test]
fn the_state_is_for_its_owner_only() {
    let home = cursor(&text());
    home.ok("client import cursor --yes");
    home.ok("client push cursor --yes");
    let holding = home.tree().holding(CANARY);
    for path in &holding {
        let mode = std::fs::metadata(home.path(path)).unwrap().permissions().mode() & 0o077;
        // What does not look like a secret stands in the catalogue as it stood in the file.
        let whose =
            path == CURSOR || path == CATALOGUE || path.starts_with("switchboard/state/") && mode == 0;
        assert!(whose, "{path} has mode {mode:o}");
    }
    let catalogue = home.text(CATALOGUE);
    assert!(
        !catalogue.contains(&format!("{CANARY}1")) && !catalogue.contains(&format!("{CANARY}3")),
        "{catalogue}"
    );
}
