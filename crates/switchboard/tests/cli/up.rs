//! `up`.

use crate::{CATALOGUE, CURSOR, TWO, full, home};

#[test]
fn an_empty_machine_is_told_what_to_do() {
    insta::assert_snapshot!(home().run("up"), @"");
}

#[test]
fn one_command_takes_everything_over() {
    let home = home();
    home.write(CURSOR, TWO);
    home.write(".codex/config.toml", "model = 'x'\n");
    insta::assert_snapshot!(home.run("up --dry-run"), @"");
    insta::assert_snapshot!(home.run("up --yes"), @"");
    insta::assert_snapshot!(home.run("up"), @"");
}

#[test]
fn over_all_fixtures_only_what_is_broken_is_left() {
    let home = full();
    let up = home.run("up --yes");
    assert_eq!(up.code, 3, "{up}");
    let status = home.ok("status --json").json();
    let odd: Vec<&str> = status["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|client| client["in_step"] != true)
        .filter_map(|client| client["id"].as_str())
        .collect();
    assert_eq!(odd, ["gemini-cli"]);
    let again = home.run("up --yes");
    assert!(!again.all().contains("imported"), "{again}");
    assert!(home.path(CATALOGUE).exists());
}
