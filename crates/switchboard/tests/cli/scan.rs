//! `client scan`: nothing is lost by it.

use crate::{CURSOR, TWO, cursor, managed};

#[test]
fn a_scan_tells_what_is_found() {
    let home = cursor(TWO);
    insta::assert_snapshot!(home.run("client scan cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: 2 entries, 2 of its own; in step
        `files` is the client's own
        `web` is the client's own
    ");
    assert_eq!(home.text(CURSOR), TWO);
}

#[test]
fn a_scan_that_would_drop_what_is_pending_says_which() {
    let home = managed();
    home.ok("server add new --url https://new.example/mcp");
    let before = home.tree();
    insta::assert_snapshot!(home.run("client scan cursor"), @"
    exit code: 5
    ----- stdout -----
    ! cursor: a scan would drop what is pending
        add `new`
    ----- stderr -----
    error: failed to scan cursor: pending changes would be lost
    hint: write them first with `switchboard client push cursor`
    hint: or drop them with `switchboard client scan cursor --discard-pending`
    ");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());
    insta::assert_snapshot!(home.run("client scan cursor --discard-pending"), @"
    exit code: 0
    ----- stdout -----
    ! cursor: dropped: add `new`
    ✓ cursor: 2 entries, 0 of its own; in step
        `new` is kept as the file has it
    ");
    // What the file said then is what is wanted.
    assert_eq!(home.ok("client diff cursor --json").json()[0]["pending"], serde_json::json!([]));
    home.ok("client restore cursor");
    assert!(home.text(CURSOR).contains("\"new\""));
}

#[test]
fn a_lost_record_is_rebuilt() {
    let home = managed();
    std::fs::remove_file(home.path("switchboard/state/relations.json")).unwrap();
    let text = home.text(CURSOR);
    home.ok("client scan --all");
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
    home.ok("client push --all --yes");
    assert_eq!(home.text(CURSOR), text);
}

#[test]
fn a_damaged_record_is_set_aside_and_told() {
    let home = managed();
    home.write("switchboard/state/relations.json", "{ \"clients\": ");
    let text = home.text(CURSOR);
    home.ok("client scan --all");
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
    assert_eq!(home.text(CURSOR), text);
}

#[test]
fn a_file_that_cannot_be_read_makes_nobody_forget() {
    let home = managed();
    let text = home.text(CURSOR);
    home.write(CURSOR, "{ \"mcpServers\": { \"files\": ");
    insta::assert_snapshot!(home.run("client scan cursor"), @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: unreadable, left alone
    ----- stderr -----
    error: ~/.cursor/mcp.json:1:17: a map is never closed
    hint: the file seems to be cut off: mend it, or restore it from a backup
    error: failed to scan cursor: the file cannot be read, so it was left alone
    ");
    home.write(CURSOR, &text);
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
}
