//! What is wrong changes nothing, and is told everywhere.

use std::fs;

use switchboard_host::dirs::Dirs;
use switchboard_host::lock::Lock;
use testkit::daemon::{Daemon, GUARD};

use crate::{CATALOGUE, CURSOR, SETTINGS, append, home, wait_for};

/// A way of being wrong, how it comes to be, and a word that it is told by.
type Case = (&'static str, fn(&std::path::Path), &'static str);

#[test]
fn a_catalogue_that_is_wrong_leaves_the_last_good_one_in_service() {
    let cases: &[Case] = &[
        (
            "half saved",
            |path| fs::write(path, "[servers.one]\ncommand = \"on").unwrap(),
            "mcp-servers.toml:2",
        ),
        ("emptied", |path| fs::write(path, "").unwrap(), "suddenly empty"),
        ("gone", |path| fs::remove_file(path).unwrap(), "gone"),
        (
            "a folder in its place",
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "folder",
        ),
        ("not text", |path| fs::write(path, b"[servers.one]\ncommand = \"\xff\"\n").unwrap(), "UTF-8"),
    ];
    for (name, spoil, word) in cases {
        let home = home();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let (good, client) = (home.text(CATALOGUE), home.text(CURSOR));
        let path = home.path(CATALOGUE);
        spoil(&path);
        daemon.wait(name, || home.run("status").all().contains(word));
        daemon.wait(name, || daemon.log().contains(word.split(':').next().unwrap()));
        let (code, body) = daemon.get("/api/v1/status").unwrap();
        assert!(
            code == 200 && body.contains("\"last_good\": true") || body.contains("\"last_good\":true"),
            "{name}: {body}"
        );
        assert_eq!(home.text(CURSOR), client, "{name}: the client's file stays");
        // Mended, it counts again.
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, good).unwrap();
        append(&home, "three");
        wait_for(&daemon, &home, CURSOR, "\"three\"");
    }
}

#[test]
fn settings_that_are_wrong_leave_the_last_good_ones_in_force() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let good = home.text(SETTINGS);
    home.write(SETTINGS, good.replace("mode = \"auto\"", "mode = 7"));
    daemon.wait_log("switchboard.toml");
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
    home.write(SETTINGS, good);
    daemon.wait_log("in order again");
}

#[test]
fn a_client_that_cannot_be_written_does_not_keep_the_others_from_it() {
    let home = home();
    home.write(".codex/config.toml", "model = \"x\"\n");
    home.ok("client link codex --auto");
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, ".codex/config.toml", "two");
    home.write(CURSOR, "{ \"mcpServers\": { \"a\": [");
    append(&home, "three");
    wait_for(&daemon, &home, ".codex/config.toml", "three");
    assert_eq!(home.text(CURSOR), "{ \"mcpServers\": { \"a\": [", "what cannot be read is left alone");
    home.write(CURSOR, "{ \"mcpServers\": {} }\n");
    home.ok("client restore cursor");
    assert!(home.text(CURSOR).contains("\"three\""));
}

#[test]
fn a_home_that_another_process_holds_is_waited_for() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let dirs = Dirs::below(&home.path("switchboard"));
    let held = Lock::acquire(&dirs, "a test", GUARD).unwrap();
    append(&home, "three");
    daemon.wait_log("another process's hands");
    assert!(!home.text(CURSOR).contains("three"));
    drop(held);
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}
