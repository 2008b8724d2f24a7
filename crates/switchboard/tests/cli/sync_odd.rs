//! `sync` where something is the matter: the registry, the catalogue, the clock, others at the same time, permissions.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::sync::{Scene, TWO, settle};
use crate::{CATALOGUE, home};

const REGISTRY: &str = "switchboard/state/registry.db";

#[test]
fn a_registry_that_is_gone_or_damaged_is_filled_again() {
    type Act = fn(PathBuf);
    let acts: [(&str, Act); 5] = [
        ("gone", |path| fs::remove_file(path).unwrap()),
        ("garbage", |path| fs::write(path, "garbage").unwrap()),
        ("cut off", |path| {
            let bytes = fs::read(&path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(&path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("the whole state", |path| fs::remove_dir_all(path.parent().unwrap()).unwrap()),
    ];
    for (what, act) in acts {
        for line in ["sync", "tool list"] {
            let scene = Scene::new(&TWO);
            settle();
            scene.sync();
            assert!(scene.is_sure());
            act(scene.home.path(REGISTRY));
            let output = scene.home.ok(line);
            assert_eq!(scene.asked(), ["a", "b"], "{what}, {line}: {output}");
            assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1"], "{what}, {line}");
            let damaged = !matches!(what, "gone" | "the whole state");
            assert_eq!(
                output.stderr.contains("warning: the registry was damaged"),
                damaged,
                "{what}: {output}"
            );
            assert_eq!(scene.home.ok("sync").stdout, "nothing changed: 3 tools from 2 servers\n");
        }
    }
}

#[test]
fn a_catalogue_that_is_wrong_changes_nothing() {
    let scene = Scene::new(&TWO);
    scene.home.ok("server add x -- true");
    scene.run("sync");
    scene.asked();
    let good = scene.home.text(CATALOGUE);
    for (what, text) in [("broken", "[servers.a\n"), ("empty", "")] {
        scene.home.write(CATALOGUE, text);
        let output = scene.run("sync");
        assert_eq!(output.code, 3, "{what}: {output}");
        let output = scene.home.ok("tool list");
        assert!(output.stdout.contains("a1") && output.stdout.contains("b1"), "{what}: {output}");
        assert!(output.stderr.contains("mcp-servers.toml"), "{what}: {output}");
        assert_eq!(scene.asked(), [""; 0], "{what}");
    }
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 3
    ----- stderr -----
    error: ~/switchboard/config/mcp-servers.toml: the catalogue is suddenly empty; the last good revision stays in service
    hint: bring it back with `switchboard config undo`, or write an empty `[servers]` table to mean it
    error: failed to sync: the catalogue is wrong
    hint: mend it, then run `switchboard config check`
    ");
    scene.home.write(CATALOGUE, good);
    assert_eq!(scene.run("sync").code, 1, "`true` is no server");
    assert_eq!(scene.asked(), [""; 0]);
    assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1"]);
}

#[test]
fn an_empty_home_has_nothing_to_sync() {
    let home = home();
    insta::assert_snapshot!(home.run("sync"), @"
    exit code: 0
    ----- stdout -----
    the catalogue is empty
    ----- stderr -----
    hint: add a server with `switchboard server add NAME -- COMMAND`, or take those of your clients over with `switchboard up`
    ");
    insta::assert_snapshot!(home.run("tool list"), @"
    exit code: 0
    ----- stdout -----
    no tools are known
    ----- stderr -----
    hint: add a server with `switchboard server add NAME -- COMMAND`, or take those of your clients over with `switchboard up`
    ");
    insta::assert_snapshot!(home.run("tool search anything"), @"
    exit code: 0
    ----- stdout -----
    no tool has anything of `anything`
    ----- stderr -----
    hint: `switchboard tool list` lists all of them
    ");
}

#[test]
fn an_edit_that_leaves_length_and_time_is_seen() {
    let scene = Scene::new(&TWO);
    settle();
    scene.sync();
    assert!(scene.is_sure());
    let path = scene.home.path(CATALOGUE);
    let old = fs::metadata(&path).unwrap();
    scene.home.edit(CATALOGUE, "\"b\"]", "\"c\"]");
    let times = fs::FileTimes::new().set_modified(old.modified().unwrap());
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    let new = fs::metadata(&path).unwrap();
    assert_eq!((new.len(), new.modified().unwrap()), (old.len(), old.modified().unwrap()));
    assert_eq!(scene.sync(), ["c"]);
    // With a clock that was set back.
    settle();
    scene.sync();
    scene.home.edit(CATALOGUE, "\"c\"]", "\"b\"]");
    let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    assert_eq!(scene.sync(), ["b"]);
    // Right after a look, within the same tick of the clock.
    for which in ["c", "b", "c", "b"] {
        scene.catalogue(&[("a", "a"), ("b", which)]);
        assert_eq!(scene.sync(), [which]);
    }
}

#[test]
fn several_at_once_come_to_the_same() {
    let scene = Scene::new(&[("a", "a"), ("b", "b"), ("c", "c")]);
    for round in 0..2 {
        let children: Vec<_> =
            (0..4).map(|_| scene.home.command(["sync", "--force"]).spawn().unwrap()).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{round}: {output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stdout), "synced 6 tools from 3 servers\n");
        }
        assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1", "c.c1", "c.c2", "c.c3"]);
    }
    // Several on the first run of all, and on a damaged one.
    fs::write(scene.home.path(REGISTRY), "garbage").unwrap();
    let children: Vec<_> = (0..4).map(|_| scene.home.command(["sync"]).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1", "c.c1", "c.c2", "c.c3"]);
}

/// Nothing is refused to the one who runs the whole machine, so that the commands are this user's then.
const USER: u32 = 65_534;

#[test]
fn who_may_not_write_is_warned_and_reads_all_the_same() {
    /// Has everything in the home have these modes: folders, and files but for programs.
    fn set_modes(folder: &Path, of_folders: u32, of_files: u32) {
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                set_modes(&path, of_folders, of_files);
            } else if !path.ends_with("program") {
                set(&path, of_files);
            }
        }
        set(folder, of_folders);
    }
    let mut scene = Scene::new(&TWO);
    scene.sync();
    scene.catalogue(&[("a", "a"), ("c", "c")]);
    let program = scene.home.path("program");
    fs::copy(env!("CARGO_BIN_EXE_switchboard"), &program).unwrap();
    set_modes(scene.home.root(), 0o555, 0o444);
    if rustix::process::geteuid().is_root() {
        scene.home.run_as(USER, &program);
    }
    let list = scene.run("tool list");
    let sync = scene.run("sync");
    let search = scene.run("tool search a1");
    let asked = scene.asked();
    set_modes(scene.home.root(), 0o755, 0o644);
    let all =
        "SERVER  TOOL  WHAT IT DOES\na       a1    Does a1\na       a2    Does a2\nb       b1    Does b1\n";
    assert_eq!((list.code, list.stdout.as_str()), (0, all), "{list}");
    assert!(list.stderr.starts_with("warning: the registry ") && list.stderr.contains("\nhint: "), "{list}");
    assert_eq!((sync.code, sync.stdout.as_str()), (1, ""), "{sync}");
    assert!(sync.stderr.starts_with("error: failed to sync: the registry "), "{sync}");
    assert_eq!((search.code, search.stdout.lines().count()), (0, 2), "{search}");
    assert_eq!(asked, [""; 0], "what is found could not be kept, so nobody is asked");
}

#[test]
fn a_registry_that_another_user_left_in_ones_own_folder_is_put_aside() {
    fn own(path: &Path) {
        chown(path, Some(USER), Some(USER)).unwrap();
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| own(&entry.unwrap().path()));
        }
    }
    if !rustix::process::geteuid().is_root() {
        testkit::tools::missing("another user", false);
        return;
    }
    let mut scene = Scene::new(&TWO);
    scene.sync();
    let program = scene.home.path("program");
    fs::copy(env!("CARGO_BIN_EXE_switchboard"), &program).unwrap();
    own(scene.home.root());
    chown(scene.home.path(REGISTRY), Some(0), Some(0)).unwrap();
    scene.home.run_as(USER, &program);
    let output = scene.home.ok("sync --force");
    assert!(output.stderr.contains("it was put aside as"), "{output}");
    assert_eq!(output.stdout, "synced 3 tools from 2 servers\n");
    assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1"]);
}

#[test]
fn the_doctor_finds_what_is_wrong_with_it() {
    let scene = Scene::new(&TWO);
    scene.sync();
    assert_eq!(scene.home.ok("doctor --json").json(), serde_json::json!([]));
    fs::remove_file(scene.home.path("tools-a")).unwrap();
    scene.run("sync a");
    insta::assert_snapshot!(scene.run("doctor"), @"
    exit code: 0
    ----- stdout -----
    ! server `a` has not said what it offers since [TIME]: it ended with code 1; it said last: no tools today
        switchboard server test a
    ✓ 2 servers and 0 clients checked
    ");
    fs::write(scene.home.path(REGISTRY), "garbage").unwrap();
    insta::assert_snapshot!(scene.run("doctor"), @"
    exit code: 0
    ----- stdout -----
    ! the registry `[HOME]/switchboard/state/registry.db` is damaged: file is not a database
        switchboard sync
    ✓ 2 servers and 0 clients checked
    ");
}
