//! `client list`, `show`, `diff` and `history`.

use crate::{CURSOR, TWO, cursor, home, managed};

#[test]
fn nothing_linked_is_said_with_what_to_do() {
    insta::assert_snapshot!(home().run("client list"), @"");
}

#[test]
fn clients_are_listed_linked_and_found() {
    let home = managed();
    home.write(".codex/config.toml", "");
    insta::assert_snapshot!(home.run("client list"), @"");
}

#[test]
fn every_known_client_can_be_listed() {
    let all = home().ok("client list --all --json").json();
    assert!(all["known"].as_array().unwrap().len() >= 60, "{}", all["known"].as_array().unwrap().len());
}

#[test]
fn a_client_is_shown_with_every_entry() {
    let home = managed();
    insta::assert_snapshot!(home.run("client show cursor").to_string().replace(env!("CARGO_BIN_EXE_switchboard"), "[PROGRAM]"), @"");
    insta::assert_snapshot!(cursor(TWO).run("client show cursor"), @"");
}

#[test]
fn a_diff_shows_what_a_push_would_write() {
    let home = cursor(TWO);
    home.ok("client import cursor --yes");
    insta::assert_snapshot!(home.run("client diff cursor"), @"");
    home.ok("client push cursor --yes");
    insta::assert_snapshot!(home.run("client diff cursor"), @"");
}

#[test]
fn history_tells_what_was_written() {
    let home = managed();
    insta::assert_snapshot!(home.run("client history cursor"), @"");
    home.ok("client undo cursor");
    insta::assert_snapshot!(home.run("client history cursor"), @"");
    assert_eq!(home.text(CURSOR), TWO);
}
