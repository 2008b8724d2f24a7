//! `client undo`.

use crate::{CURSOR, TWO, cursor, managed};

#[test]
fn writes_are_undone_one_by_one() {
    let home = managed();
    let first = home.text(CURSOR);
    home.ok("server add a --url https://a.example");
    home.ok("client push cursor --yes");
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: ~/.cursor/mcp.json as it was before the last push (undone: add `a`)
    ");
    assert_eq!(home.text(CURSOR), first);
    home.ok("client undo cursor");
    assert_eq!(home.text(CURSOR), TWO);
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 0
    ----- stdout -----
    cursor: nothing to undo
    ");
}

#[test]
fn somebody_elses_change_is_not_undone_unasked() {
    let home = managed();
    home.edit(CURSOR, "dark", "light");
    let before = home.text(CURSOR);
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 5
    ----- stdout -----
    ! cursor: ~/.cursor/mcp.json was changed by somebody else since the last push
    ----- stderr -----
    error: failed to undo the last push to cursor: that would lose somebody else's change
    hint: `switchboard client undo cursor --force` undoes it all the same; their version stays in the backups
    ");
    assert_eq!(home.text(CURSOR), before);
    home.ok("client undo cursor --force");
    assert_eq!(home.text(CURSOR), TWO);
    assert!(!home.tree().holding("\"light\"").is_empty(), "their version is in the backups");
}

#[test]
fn nothing_written_is_nothing_to_undo() {
    insta::assert_snapshot!(cursor(TWO).run("client undo --all"), @"
    exit code: 0
    ----- stdout -----
    cursor: nothing to undo
    ");
}
