//! `config`: the files of Switchboard itself.

use crate::{CATALOGUE, home, managed};

#[test]
fn the_paths_are_told() {
    insta::assert_snapshot!(home().run("config path"), @"");
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let home = home();
    home.write(CATALOGUE, "[servers.a]\ncomand = \"x\"\n[servers.b]\nurl = 5\n[serverz.c]\n");
    insta::assert_snapshot!(home.run("config check"), @"");
    insta::assert_snapshot!(home.run("config check --json"), @"");
}

#[test]
fn good_files_are_called_good() {
    insta::assert_snapshot!(managed().run("config check"), @"");
}

#[test]
fn schemas_are_json() {
    for file in ["", "catalogue", "settings"] {
        let schema = home().ok(&format!("config schema {file}")).json();
        assert!(schema["$schema"].is_string(), "{file}");
    }
}

#[test]
fn a_client_file_is_exported_as_the_client_wants_it() {
    let home = managed();
    insta::assert_snapshot!(home.run("config export codex"), @"");
    insta::assert_snapshot!(home.run("config export vscode"), @"");
}

#[test]
fn the_catalogue_goes_back_to_any_revision() {
    let home = home();
    home.ok("server add a --url https://a.example");
    let one = home.text(CATALOGUE);
    home.ok("server add b --url https://b.example");
    home.ok("server add c --url https://c.example");
    insta::assert_snapshot!(home.run("config history"), @"");
    insta::assert_snapshot!(home.run("config undo 1"), @"");
    assert_eq!(home.text(CATALOGUE), one);
    home.ok("config undo");
    assert!(home.text(CATALOGUE).contains("[servers.c]"));
    insta::assert_snapshot!(home.run("config undo 99"), @"");
}

#[test]
fn an_edit_by_hand_is_a_revision_like_any_other() {
    let home = home();
    home.ok("server add a --url https://a.example");
    home.edit(CATALOGUE, "https://a.example", "https://b.example");
    home.ok("server add c --url https://c.example");
    let history = home.ok("config history --json").json();
    assert_eq!(history[1]["reason"], "server 'a': url changed");
    assert_eq!(history.as_array().unwrap().len(), 3);
}
