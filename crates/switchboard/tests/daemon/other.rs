//! The system says no: what is not ours to read or write stays as it is, is told, and keeps nothing else from its way.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use testkit::daemon::Daemon;
use testkit::home::FakeHome;

use crate::{CATALOGUE, CURSOR, ZED, append, client, home, wait_for};

/// Nothing is refused to the one who runs the whole machine, so that the daemon and the commands are this user's then.
const USER: u32 = 65_534;

/// A home that belongs to a user to whom things can be refused.
fn theirs() -> FakeHome {
    let mut home = home();
    home.ok("client link zed --auto");
    if rustix::process::geteuid().is_root() {
        // The user has to get at the program, wherever it was built.
        let program = home.path("program");
        fs::copy(env!("CARGO_BIN_EXE_switchboard"), &program).unwrap();
        own(home.root());
        home.run_as(USER, &program);
    }
    home
}

fn own(path: &Path) {
    chown(path, Some(USER), Some(USER)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path()));
    }
}

fn set_mode(home: &FakeHome, below: &str, mode: u32) {
    fs::set_permissions(home.path(below), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_client_whose_file_is_refused_is_told_and_the_others_are_written() {
    let cases = [
        ("reading the file", CURSOR, 0o000),
        ("writing the file and its folder", ".cursor", 0o500),
        ("its folder, even to look into", ".cursor", 0o000),
    ];
    for (what, path, mode) in cases {
        let home = theirs();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let (before, usual) = (home.text(CURSOR), fs::metadata(home.path(path)).unwrap().permissions());
        if path == ".cursor" {
            set_mode(&home, CURSOR, 0o400);
        }
        set_mode(&home, path, mode);
        append(&home, "three");
        wait_for(&daemon, &home, ZED, "\"three\"");
        daemon.wait(&format!("{what}: it is told"), || {
            let told = home.run("status");
            told.all().contains("ermission denied") || told.all().contains("may not be written")
        });
        // Whoever plays the user here reads it all the same.
        fs::set_permissions(home.path(path), usual).unwrap();
        assert_eq!(home.text(CURSOR), before, "{what}: it stays as it was");
        if path == ".cursor" {
            set_mode(&home, CURSOR, 0o600);
        }
        // Allowed again, it is made up for without anybody's doing.
        wait_for(&daemon, &home, CURSOR, "\"three\"");
        daemon.wait(what, || client(&home, "cursor")["in_step"] == true);
    }
}

#[test]
fn own_files_that_are_refused_leave_the_last_good_in_service() {
    for (what, path, mode) in
        [("the catalogue", CATALOGUE, 0o000), ("its folder", "switchboard/config", 0o000)]
    {
        let home = theirs();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let (before, usual) = (home.text(CURSOR), fs::metadata(home.path(path)).unwrap().permissions());
        set_mode(&home, path, mode);
        daemon.signal(testkit::daemon::Signal::HUP);
        daemon.wait(&format!("{what}: it is told"), || daemon.log().contains("ermission denied"));
        let (code, body) = daemon.get("/api/mcp/_config").unwrap();
        assert!(code == 200 && body.contains("\"two\""), "{what}: {body}");
        assert_eq!(home.text(CURSOR), before, "{what}");
        fs::set_permissions(home.path(path), usual).unwrap();
        append(&home, "three");
        wait_for(&daemon, &home, CURSOR, "\"three\"");
    }
}

#[test]
fn a_state_that_is_refused_is_told_and_costs_nothing() {
    let home = theirs();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let before = home.text(CURSOR);
    set_mode(&home, "switchboard/state", 0o500);
    append(&home, "three");
    daemon.wait_log("ermission denied");
    // What cannot be remembered is not done: nobody could take it back.
    assert_eq!(home.text(CURSOR), before);
    set_mode(&home, "switchboard/state", 0o700);
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}

#[test]
fn a_home_that_is_refused_is_told_with_what_to_do() {
    let home = theirs();
    set_mode(&home, "switchboard", 0o500);
    set_mode(&home, "switchboard/state", 0o500);
    fs::remove_dir_all(home.path("switchboard/run")).ok();
    let told = home.run("serve --listen 127.0.0.1:0");
    assert_ne!(told.code, 0, "{told}");
    assert!(told.stderr.contains("ermission denied") && told.stderr.contains("hint:"), "{told}");
}
