//! `client adopt`, `keep` and `restore`: what somebody else changed, seen, asked about, never written over.

use crate::{CATALOGUE, CURSOR, managed};

/// Somebody puts an own launch into an entry of ours.
fn edited() -> testkit::home::FakeHome {
    let home = managed();
    home.edit(CURSOR, "\"connect\", \"files\"", "\"connect\", \"files\", \"--verbose\"");
    home
}

#[test]
fn drift_is_shown_and_not_written_over() {
    let home = edited();
    let before = home.text(CURSOR);
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 0
    ----- stdout -----
    ! cursor: 1 drifted
    ! cursor: `files` was edited by somebody else
    ----- stderr -----
    hint: `switchboard client adopt cursor` takes the change over, `keep` lets it stand, `restore` undoes it
    ");
    assert_eq!(home.text(CURSOR), before);
    insta::assert_snapshot!(home.run("status"), @"
    exit code: 0
    ----- stdout -----
    revision 1: 2 servers changed
    2 servers

    CLIENT  MODE    STATE      ENTRIES                  FILE
    cursor  manual  1 drifted  1 managed, 1 of its own  ~/.cursor/mcp.json
    ! cursor: `files` was edited by somebody else
    ----- stderr -----
    hint: `switchboard client adopt cursor` takes the change over, `keep` lets it stand, `restore` undoes it
    ");
}

#[test]
fn restore_makes_the_file_say_again_what_the_catalogue_wants() {
    let home = edited();
    insta::assert_snapshot!(home.run("client restore cursor files"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: update `files`
    ----- stderr -----
    Cursor: to load it, switch the server off and on in Cursor's settings
    ");
    assert!(!home.text(CURSOR).contains("--verbose"));
}

#[test]
fn keep_lets_the_file_stand_until_restore() {
    let home = edited();
    insta::assert_snapshot!(home.run("client keep cursor files"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: `files` is kept as the file has it
    ----- stderr -----
    hint: take that back with `switchboard client restore cursor`
    ");
    home.ok("client push cursor --yes");
    assert!(home.text(CURSOR).contains("--verbose"));
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
    home.ok("client restore cursor files");
    assert!(!home.text(CURSOR).contains("--verbose"), "{}", home.text(CURSOR));
}

#[test]
fn adopt_takes_the_change_into_the_catalogue_and_asks_first() {
    let home = managed();
    let program = env!("CARGO_BIN_EXE_switchboard");
    let text = home.text(CURSOR).replacen(program, "new-files-mcp", 1).replacen(
        "\"connect\", \"files\"",
        "\"/srv\"",
        1,
    );
    home.write(CURSOR, text);
    let before = home.tree();
    insta::assert_snapshot!(home.run("client adopt cursor files"), @"
    exit code: 5
    ----- stdout -----
    files would be
      runs   new-files-mcp /srv
    ----- stderr -----
    error: failed to adopt the change: nobody was there to be asked
    hint: add --yes to agree beforehand
    ");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());
    insta::assert_snapshot!(home.run("client adopt cursor files --yes"), @"
    exit code: 0
    ----- stdout -----
    files would be
      runs   new-files-mcp /srv
    ✓ cursor: 1 taken over
    ✓ cursor: update `files`
    ----- stderr -----
    Cursor: to load it, switch the server off and on in Cursor's settings
    ");
    assert!(home.text(CATALOGUE).contains("new-files-mcp"), "{}", home.text(CATALOGUE));
    let text = home.text(CURSOR);
    assert!(text.contains("\"connect\", \"files\"") && text.contains("autoApprove"), "{text}");
}

#[test]
fn what_still_runs_switchboard_is_not_taken_into_the_catalogue() {
    let home = edited();
    let before = home.tree();
    insta::assert_snapshot!(home.run("client adopt cursor files --yes"), @"
    exit code: 5
    ----- stderr -----
    error: failed to adopt `files`: it still runs switchboard itself, with other words
    hint: put it back with `switchboard client restore cursor files`
    hint: or let it stand with `switchboard client keep cursor files`
    ");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());
}

#[test]
fn an_entry_that_somebody_removed_is_asked_about() {
    let home = managed();
    let text = home.text(CURSOR);
    let start = text.find("    \"web\"").unwrap();
    let end = text.find("  },\n  \"theme\"").unwrap();
    home.write(CURSOR, format!("{}{}", &text[..start], &text[end..]));
    let push = home.ok("client push cursor --yes");
    assert!(push.stdout.contains("`web` was removed by somebody else"), "{push}");
    assert!(!home.text(CURSOR).contains("\"web\""));
    home.ok("client adopt cursor web");
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
    home.ok("client restore cursor web");
    assert!(home.text(CURSOR).contains("\"web\""));
}

#[test]
fn both_changed_is_a_conflict_and_ends_with_five() {
    let home = edited();
    home.ok("server rename files documents");
    let before = home.text(CURSOR);
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 5
    ----- stdout -----
    ! cursor: 1 in conflict
    ! cursor: `files` (server `documents`) was edited by somebody else, and so was the catalogue
    ----- stderr -----
    error: failed to push everything to `cursor`: `files` (server `documents`) was edited by somebody else, and so was the catalogue
    hint: `switchboard client adopt cursor` takes the file's version over
    hint: `switchboard client restore cursor` puts the catalogue's version back
    ");
    assert_eq!(home.text(CURSOR), before);
    home.ok("client restore cursor documents");
    assert!(home.text(CURSOR).contains("\"connect\", \"documents\""), "{}", home.text(CURSOR));
}

#[test]
fn a_wiped_file_is_recognised_and_restored_by_one_command() {
    for wiped in ["{}\n", "", "{ \"mcpServers\": {} }\n"] {
        let home = managed();
        home.write(CURSOR, wiped);
        let push = home.run("client push cursor --yes");
        assert_eq!(push.code, 5, "{wiped:?}: {push}");
        assert!(push.all().contains("switchboard client restore cursor"), "{push}");
        assert_eq!(home.text(CURSOR), wiped);
        home.ok("client restore cursor");
        let text = home.text(CURSOR);
        assert!(text.contains("\"files\"") && text.contains("\"web\""), "{wiped:?}:\n{text}");
    }
    let home = managed();
    std::fs::remove_file(home.path(CURSOR)).unwrap();
    assert_eq!(home.run("client push cursor --yes").code, 5);
    home.ok("client restore cursor");
    assert!(home.text(CURSOR).contains("\"files\""));
}

#[test]
fn when_nothing_drifted_there_is_nothing_to_say() {
    let home = managed();
    insta::assert_snapshot!(home.run("client adopt cursor"), @"
    exit code: 0
    ----- stdout -----
    cursor: nobody else changed anything
    ");
    insta::assert_snapshot!(home.run("client keep cursor web"), @"
    exit code: 0
    ----- stdout -----
    cursor: nobody else changed anything of `web`
    ");
    insta::assert_snapshot!(home.run("client restore cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor: in step
    ");
}
