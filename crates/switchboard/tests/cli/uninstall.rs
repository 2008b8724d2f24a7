//! `uninstall`.

use crate::{CURSOR, TWO, home, managed};

#[test]
fn it_says_what_becomes_of_each_file() {
    let home = managed();
    insta::assert_snapshot!(home.run("uninstall --dry-run"), @"
    exit code: 0
    ----- stdout -----
    → cursor: as it was before the first push, to the byte
    removed: [HOME]/switchboard/state
    kept: [HOME]/switchboard/config
    ");
    insta::assert_snapshot!(home.run("uninstall --yes"), @"
    exit code: 0
    ----- stdout -----
    → cursor: as it was before the first push, to the byte
    removed: [HOME]/switchboard/state
    kept: [HOME]/switchboard/config
    ✓ cursor: done
    ✓ Switchboard is out of every file; the catalogue stays yours
    ");
    assert_eq!(home.text(CURSOR), TWO);
}

#[test]
fn an_entry_that_somebody_edited_is_theirs() {
    let home = managed();
    home.edit(CURSOR, "\"connect\", \"files\"", "\"connect\", \"files\", \"-v\"");
    home.ok("uninstall --yes");
    let text = home.text(CURSOR);
    assert!(text.contains("\"-v\""), "{text}");
    assert!(text.contains("https://web.example/mcp"), "{text}");
    assert!(text.contains(r#""X-Token": "${env:WEB_TOKEN}""#), "{text}");
}

#[test]
fn keys_that_had_to_go_come_back_where_others_wrote_too() {
    // Beside a command Codex takes no keys of an address, so they had to go.
    let text = "model = 'x'\n\n[mcp_servers.figma]\nurl = 'https://figma.example/mcp'\nbearer_token_env_var = 'FIGMA'\n\n[tui]\nx = 1\n";
    let home = home();
    home.write(".codex/config.toml", text);
    home.ok("client link codex");
    home.ok("client import codex --server figma --yes");
    home.ok("client push codex --yes");
    assert!(!home.text(".codex/config.toml").contains("bearer"));
    home.edit(".codex/config.toml", "x = 1", "x = 2");
    home.ok("uninstall --yes");
    assert_eq!(home.text(".codex/config.toml"), text.replace("x = 1", "x = 2"));
}

#[test]
fn nothing_linked_is_nothing_to_do() {
    insta::assert_snapshot!(home().run("uninstall --yes"), @"
    exit code: 0
    ----- stdout -----
    removed: [HOME]/switchboard/state
    kept: [HOME]/switchboard/config
    ✓ Switchboard is out of every file; the catalogue stays yours
    ");
}

#[test]
fn a_file_that_cannot_be_put_back_keeps_the_state() {
    let home = managed();
    home.write(CURSOR, "{ broken");
    insta::assert_snapshot!(home.run("uninstall --yes"), @"
    exit code: 1
    ----- stdout -----
    ✗ cursor: line 1, column 3: expected a key in double quotes, found `b`
    removed: [HOME]/switchboard/state
    kept: [HOME]/switchboard/config
    ✗ cursor: line 1, column 3: expected a key in double quotes, found `b`
    ----- stderr -----
    error: failed to take Switchboard out of cursor
    hint: our state stays, so that you can run `switchboard uninstall` again
    ");
    assert!(home.path("switchboard/state/relations.json").exists());
    assert_eq!(home.text(CURSOR), "{ broken");
}

#[test]
fn a_client_that_was_unlinked_gets_its_file_back_too() {
    let home = managed();
    home.ok("client unlink cursor");
    let uninstall = home.run("uninstall --yes");
    assert_eq!(home.text(CURSOR), TWO, "{uninstall}");
}
