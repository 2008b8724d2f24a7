//! `client undo`.

use crate::{CURSOR, TWO, cursor, home, managed};

const CODEX: &str = ".codex/config.toml";

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
fn what_somebody_else_changed_meanwhile_stays() {
    let home = managed();
    home.ok("server add a --url https://a.example");
    home.ok("client push cursor --yes");
    home.edit(CURSOR, "dark", "light");
    home.edit(CURSOR, "// mine", "// ours");
    insta::assert_snapshot!(home.run("client undo cursor --dry-run"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: ~/.cursor/mcp.json would be without the last push; what was changed since stays (undone: add `a`)
    ");
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: ~/.cursor/mcp.json without the last push; what was changed since stays (undone: add `a`)
    ");
    assert!(!home.text(CURSOR).contains("\"a\""));
    // The push before that one goes the same way, and the file says what it said at first, but for their change.
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: ~/.cursor/mcp.json without the last push; what was changed since stays (undone: update `files`, update `web`)
    ");
    assert_eq!(home.text(CURSOR), TWO.replace("dark", "light").replace("// mine", "// ours"));
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 0
    ----- stdout -----
    cursor: nothing to undo
    ");
    // What is remembered is what was before the pushes: they can be made again.
    home.ok("client push cursor --yes");
    insta::assert_snapshot!(home.run("status"), @"
    exit code: 0
    ----- stdout -----
    revision 2: server 'a' added
    3 servers

    CLIENT  MODE    STATE    ENTRIES    FILE
    cursor  manual  in step  3 managed  ~/.cursor/mcp.json
    ");
}

#[test]
fn a_file_that_we_made_keeps_what_somebody_else_put_into_it() {
    let home = home();
    home.write(".codex/auth.json", "{}");
    home.ok("client link codex");
    home.ok("server add a --url https://a.example");
    home.ok("client push codex --yes");
    let ours = home.text(CODEX);
    home.write(CODEX, format!("model = 'x' # mine\n\n{ours}"));
    home.ok("client undo codex");
    assert_eq!(home.text(CODEX), "model = 'x' # mine\n");
}

#[test]
fn somebody_elses_change_of_the_same_entry_is_not_undone_unasked() {
    let home = managed();
    home.edit(CURSOR, "\"connect\", \"files\"", "\"connect\", \"other\"");
    let before = home.text(CURSOR);
    insta::assert_snapshot!(home.run("client undo cursor"), @"
    exit code: 5
    ----- stdout -----
    ! cursor: ~/.cursor/mcp.json was changed by somebody else since the last push: 4:5: `files` was changed since by somebody else
    ----- stderr -----
    error: failed to undo the last push to cursor: that would lose somebody else's change
    hint: `switchboard client undo cursor --force` undoes it all the same; their version stays in the backups
    ");
    assert_eq!(home.text(CURSOR), before);
    home.ok("client undo cursor --force");
    assert_eq!(home.text(CURSOR), TWO);
    assert!(!home.tree().holding("\"other\"").is_empty(), "their version is in the backups");
}

#[test]
fn nothing_written_is_nothing_to_undo() {
    insta::assert_snapshot!(cursor(TWO).run("client undo --all"), @"
    exit code: 0
    ----- stdout -----
    cursor: nothing to undo
    ");
}
