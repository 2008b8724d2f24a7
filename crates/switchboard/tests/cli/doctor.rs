//! `doctor`.

use std::os::unix::fs::PermissionsExt as _;

use crate::{CATALOGUE, CURSOR, SETTINGS, home, managed};

#[test]
fn all_is_well() {
    let home = home();
    home.write(CURSOR, "{}\n");
    home.ok("server add a --url https://a.example");
    home.ok("client link cursor");
    home.ok("client push cursor --yes");
    insta::assert_snapshot!(home.run("doctor"), @"");
}

#[test]
fn each_finding_has_the_command_that_mends_it() {
    let home = managed();
    home.run_words([
        "server",
        "add",
        "b",
        "--env",
        "A=${keyring:nothing}",
        "--env",
        "B=${env:NOT_SET}",
        "--",
        "/no/such/program",
    ]);
    home.write(CURSOR, "{}\n");
    std::fs::set_permissions(home.path(CATALOGUE), std::fs::Permissions::from_mode(0o666)).unwrap();
    home.edit(SETTINGS, "mode = ", "mdoe = ");
    insta::assert_snapshot!(home.run("doctor"), @"");
    let found = home.run("doctor --json");
    assert_eq!(found.code, 1);
    for one in found.json().as_array().unwrap() {
        assert!(!one["mend"].as_str().unwrap().is_empty(), "{one}");
    }
}
