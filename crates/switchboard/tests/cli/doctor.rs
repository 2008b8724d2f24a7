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
    insta::assert_snapshot!(home.run("doctor"), @"
    exit code: 0
    ----- stdout -----
    ✓ 1 server and 1 client checked
    ");
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
    insta::assert_snapshot!(home.run("doctor"), @"
    exit code: 1
    ----- stdout -----
    ! ~/switchboard/config/switchboard.toml:6:1: `[[clients]]` has no setting `mdoe`
        did you mean `mode`?
    ✗ others may write ~/switchboard/config/mcp-servers.toml, so they decide what runs as you
        chmod go-w [HOME]/switchboard/config/mcp-servers.toml
    ✗ server `files` cannot be started: `files-mcp` is not in PATH
        install it, or give its full path as `command`; a client started from the desktop has a shorter PATH than a terminal
    ! `headers.X-Token` of server `web` refers to `${env:WEB_TOKEN}`, which is not there
        export WEB_TOKEN=..
    ✗ server `b` cannot be started: `/no/such/program` does not exist
        correct the path in the server's `command`
    ! `env.A` of server `b` refers to `${keyring:nothing}`, which is not there
        put it into ~/switchboard/state/secrets/nothing (mode 0600)
    ! `env.B` of server `b` refers to `${env:NOT_SET}`, which is not there
        export NOT_SET=..
    ✗ cursor: our entries in ~/.cursor/mcp.json are gone
        switchboard client restore cursor
    ! cursor: `files` was removed by somebody else
        switchboard client adopt|keep|restore cursor files
    ! cursor: `web` was removed by somebody else
        switchboard client adopt|keep|restore cursor web
    ----- stderr -----
    error: failed to find everything in order: 4 of 10 findings are grave
    ");
    let found = home.run("doctor --json");
    assert_eq!(found.code, 1);
    for one in found.json().as_array().unwrap() {
        assert!(!one["mend"].as_str().unwrap().is_empty(), "{one}");
    }
}
