//! The ways in which programs save a file, each told once and whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use switchboard_host::watch::Content;

use super::stage::{NEW, OLD, Stage, is};

/// Brings about the old content in a folder of its own; the file is `mcp.json` there.
type Scene = fn(&Path);
/// Saves the new content; false if this machine cannot do it.
type Save = fn(&Path) -> bool;

/// The last thing that is saved, to show that nothing was told before it.
const LAST: &str = "{ \"last\": \"the end of the test\" }\n";

fn plainly(folder: &Path) {
    fs::write(folder.join("mcp.json"), OLD).unwrap();
}

fn check(story: &str, scene: Scene, save: Save) {
    check_told(story, scene, save, &[NEW]);
}

/// Saves, then saves something else in the plainest way: told are exactly these contents, then that.
fn check_told(story: &str, scene: Scene, save: Save, told: &[&str]) {
    let stage = Stage::set();
    let folder = stage.folder.path();
    scene(folder);
    let path = folder.join("mcp.json");
    stage.look_at(&[&path]);
    assert!(stage.health().native, "{story}: {:?}", stage.health());
    if !save(folder) {
        println!("skipped: {story}: this machine cannot do it");
        return;
    }
    for content in told {
        assert_eq!(stage.next().content, is(content), "{story}");
    }
    fs::write(folder.join("last"), LAST).unwrap();
    fs::rename(folder.join("last"), &path).unwrap();
    assert_eq!(stage.until(is(LAST)), [is(LAST)], "{story}: told more than once");
    assert_eq!(stage.health().told, 1 + told.len() as u64, "{story}");
}

fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

fn in_two_parts(path: &Path, gap: u64) -> bool {
    let mut file = File::create(path).unwrap();
    let (one, two) = NEW.split_at(NEW.len() / 2);
    file.write_all(one.as_bytes()).unwrap();
    pause(gap);
    file.write_all(two.as_bytes()).unwrap();
    true
}

/// Runs a program in the folder; false if it is not installed.
fn run(folder: &Path, program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command.env("HOME", folder).env("TERM", "xterm").env("GIT_CONFIG_NOSYSTEM", "1");
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{command:?}: {output:?}");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{command:?}");
            false
        }
    }
}

fn vim(folder: &Path, backupcopy: &str) -> bool {
    fs::write(folder.join("new"), NEW).unwrap();
    let set = format!("set nobackup writebackup backupcopy={backupcopy}");
    run(folder, "vim", &["-es", "-u", "NONE", "-N", "-c", &set, "-c", "%!cat new", "-c", "wq", "mcp.json"])
}

#[test]
fn a_file_that_is_written_in_place_is_told_once() {
    check("in place", plainly, |at| {
        let mut file = OpenOptions::new().write(true).open(at.join("mcp.json")).unwrap();
        file.write_all(NEW.as_bytes()).unwrap();
        file.set_len(NEW.len() as u64).unwrap();
        true
    });
    check("truncated, then written", plainly, |at| fs::write(at.join("mcp.json"), NEW).is_ok());
    check("two parts, 5 ms apart", plainly, |at| in_two_parts(&at.join("mcp.json"), 5));
    check("two parts, 50 ms apart", plainly, |at| in_two_parts(&at.join("mcp.json"), 50));
    check("two parts, 400 ms apart", plainly, |at| in_two_parts(&at.join("mcp.json"), 400));
    check("cp", plainly, |at| {
        fs::write(at.join("new"), NEW).unwrap();
        run(at, "cp", &["new", "mcp.json"])
    });
}

#[test]
fn a_file_that_vim_saves_is_told_once() {
    check("backupcopy=yes", plainly, |at| vim(at, "yes"));
    check("backupcopy=no", plainly, |at| vim(at, "no"));
    check("backupcopy=auto", plainly, |at| vim(at, "auto"));
}

#[test]
fn a_file_that_is_replaced_is_told_once() {
    check("emacs: renamed to a backup, then written", plainly, |at| {
        fs::rename(at.join("mcp.json"), at.join("mcp.json~")).unwrap();
        fs::write(at.join("mcp.json"), NEW).is_ok()
    });
    check("vscode: a file beside it, renamed over it", plainly, |at| by_rename(at, "mcp.json.vsctmp"));
    check("jetbrains: renamed to a backup, replaced, the backup removed", plainly, |at| {
        fs::write(at.join("mcp.json___jb_tmp___"), NEW).unwrap();
        fs::rename(at.join("mcp.json"), at.join("mcp.json___jb_old___")).unwrap();
        fs::rename(at.join("mcp.json___jb_tmp___"), at.join("mcp.json")).unwrap();
        fs::remove_file(at.join("mcp.json___jb_old___")).is_ok()
    });
    check("sed -i", plainly, |at| {
        let (old, new) = (OLD.trim_end(), NEW.trim_end());
        run(at, "sed", &["-i", &format!("s/^{old}$/{new}/"), "mcp.json"])
    });
    check("mv", plainly, |at| {
        fs::write(at.join("new"), NEW).unwrap();
        run(at, "mv", &["new", "mcp.json"])
    });
    check("mv from another file system", plainly, |at| {
        let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return false };
        let new = other.path().join("new");
        fs::write(&new, NEW).unwrap();
        run(at, "mv", &[new.to_str().unwrap(), "mcp.json"])
    });
    check("rsync: a hidden file, its times set, renamed", plainly, |at| by_rename(at, ".mcp.json.Xy12Zz"));
    check("chezmoi apply: a file of another folder, renamed", plainly, |at| {
        fs::create_dir(at.join("state")).unwrap();
        by_rename(at, "state/new")
    });
    check("exchanged", plainly, |at| {
        fs::write(at.join("new"), NEW).unwrap();
        let (new, old, flags) = (at.join("new"), at.join("mcp.json"), rustix::fs::RenameFlags::EXCHANGE);
        rustix::fs::renameat_with(rustix::fs::CWD, new, rustix::fs::CWD, old, flags).is_ok()
    });
    check("git checkout of another commit", committed, |at| run(at, "git", &["checkout", "-q", "new"]));
}

/// Writes a file as careful programs do: whole and durable before it has the name, its times set.
fn by_rename(folder: &Path, name: &str) -> bool {
    let temp = folder.join(name);
    let mut file = File::create(&temp).unwrap();
    file.write_all(NEW.as_bytes()).unwrap();
    file.sync_all().unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    drop(file);
    fs::rename(temp, folder.join("mcp.json")).is_ok()
}

/// A repository with the old content, and the new one on the branch `new`.
fn committed(at: &Path) {
    let git =
        |args: &[&str]| run(at, "git", &[&["-c", "user.name=a", "-c", "user.email=a@b.c"], args].concat());
    plainly(at);
    if !git(&["init", "-q", "-b", "old"]) {
        return;
    }
    git(&["add", "mcp.json"]);
    git(&["commit", "-q", "-m", "old"]);
    git(&["checkout", "-q", "-b", "new"]);
    fs::write(at.join("mcp.json"), NEW).unwrap();
    git(&["commit", "-q", "-a", "-m", "new"]);
    git(&["checkout", "-q", "old"]);
}

#[test]
fn a_file_that_nano_saves_is_told_once() {
    check("nano", plainly, |at| {
        fs::write(at.join("new"), NEW).unwrap();
        // Cut the line, read the file `new`, save, leave.
        typed(at, "nano -I mcp.json", "Exit", "\u{b}\u{12}new\r\u{f}\r\u{18}")
    });
}

/// Runs a program in a terminal of its own, waits until the screen shows `ready`, and types; false if the program is
/// not installed.
fn typed(folder: &Path, line: &str, ready: &str, keys: &str) -> bool {
    let program = line.split(' ').next().unwrap();
    if !run(folder, program, &["--version"]) || !run(folder, "script", &["--version"]) {
        return false;
    }
    let mut command = Command::new("timeout");
    command.args(["20", "script", "-qec", line, "/dev/null"]).current_dir(folder);
    command.env("HOME", folder).env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut part) = (String::new(), [0; 4096]);
    while !shown.contains(ready) {
        let length = screen.read(&mut part).unwrap();
        assert_ne!(length, 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&part[..length]));
    }
    keyboard.write_all(keys.as_bytes()).unwrap();
    io::copy(&mut screen, &mut io::sink()).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn a_file_behind_links_is_told_once() {
    check("stow: the link removed and made anew", stowed, |at| {
        fs::remove_file(at.join("mcp.json")).unwrap();
        symlink("two/mcp.json", at.join("mcp.json")).is_ok()
    });
    check("ln -sfn", stowed, |at| run(at, "ln", &["-sfn", "two/mcp.json", "mcp.json"]));
    check("what a link leads to is replaced", stowed, |at| {
        fs::write(at.join("one/new"), NEW).unwrap();
        fs::rename(at.join("one/new"), at.join("one/mcp.json")).is_ok()
    });
    check("what a link leads to is written", stowed, |at| fs::write(at.join("mcp.json"), NEW).is_ok());
    check("a link becomes a file", stowed, |at| by_rename(at, "new"));
    check("nix: the link to a generation is replaced", generations, |at| {
        symlink("generation-2", at.join("current.new")).unwrap();
        fs::rename(at.join("current.new"), at.join("current")).is_ok()
    });
    check("kubernetes: ..data is replaced, the old folder goes", projected, |at| {
        symlink("..2026_2", at.join("..data_tmp")).unwrap();
        fs::rename(at.join("..data_tmp"), at.join("..data")).unwrap();
        fs::remove_dir_all(at.join("..2026_1")).is_ok()
    });
}

fn two_of(at: &Path, [one, two]: [&str; 2]) {
    for (folder, text) in [(one, OLD), (two, NEW)] {
        fs::create_dir(at.join(folder)).unwrap();
        fs::write(at.join(folder).join("mcp.json"), text).unwrap();
    }
}

fn stowed(at: &Path) {
    two_of(at, ["one", "two"]);
    symlink("one/mcp.json", at.join("mcp.json")).unwrap();
}

fn generations(at: &Path) {
    two_of(at, ["generation-1", "generation-2"]);
    symlink("generation-1", at.join("current")).unwrap();
    symlink("current/mcp.json", at.join("mcp.json")).unwrap();
}

fn projected(at: &Path) {
    two_of(at, ["..2026_1", "..2026_2"]);
    symlink("..2026_1", at.join("..data")).unwrap();
    symlink("..data/mcp.json", at.join("mcp.json")).unwrap();
}

#[test]
fn a_file_that_goes_and_comes_back_is_told_once() {
    check("deleted and made anew at once", plainly, |at| recreate(at, 0));
    check("deleted and made anew 10 ms later", plainly, |at| recreate(at, 10));
    check("made anew as it was", plainly, |at| {
        fs::remove_file(at.join("mcp.json")).unwrap();
        plainly(at);
        pause(30);
        by_rename(at, "new")
    });
}

fn recreate(folder: &Path, gap: u64) -> bool {
    fs::remove_file(folder.join("mcp.json")).unwrap();
    pause(gap);
    fs::write(folder.join("mcp.json"), NEW).is_ok()
}

#[test]
fn a_file_that_stays_away_is_told_as_missing() {
    let stage = Stage::set();
    let path = stage.path("mcp.json");
    plainly(stage.folder.path());
    stage.look_at(&[&path]);
    fs::remove_file(&path).unwrap();
    assert_eq!(stage.next().content, Content::Missing);
    fs::write(&path, NEW).unwrap();
    assert_eq!(stage.next().content, is(NEW), "made anew long after");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(stage.next().content, Content::Unreadable, "a folder in its place");
    fs::remove_dir(&path).unwrap();
    assert_eq!(stage.next().content, Content::Missing);
    assert_eq!(stage.health().told, 4);
}

#[test]
fn what_does_not_change_the_content_is_not_told() {
    let nothing: [(&str, Save); 7] = [
        ("chmod", |at| fs::set_permissions(at.join("mcp.json"), fs::Permissions::from_mode(0o600)).is_ok()),
        ("touch", |at| run(at, "touch", &["mcp.json"])),
        ("the same bytes, in place", |at| fs::write(at.join("mcp.json"), OLD).is_ok()),
        ("the same bytes, renamed", |at| {
            fs::write(at.join("new"), OLD).unwrap();
            fs::rename(at.join("new"), at.join("mcp.json")).is_ok()
        }),
        ("read", |at| fs::read(at.join("mcp.json")).is_ok()),
        ("a file beside it", |at| fs::write(at.join("other.json"), NEW).is_ok()),
        ("renamed and renamed back", |at| {
            fs::rename(at.join("mcp.json"), at.join("gone")).unwrap();
            fs::rename(at.join("gone"), at.join("mcp.json")).is_ok()
        }),
    ];
    for (story, save) in nothing {
        check_told(story, plainly, save, &[]);
    }
}

#[test]
fn times_and_sizes_hide_no_change() {
    check("mtime set backwards", plainly, |at| {
        fs::write(at.join("mcp.json"), NEW).unwrap();
        let file = File::options().write(true).open(at.join("mcp.json")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).is_ok()
    });
    check_told(
        "the same mtime and size",
        plainly,
        |at| {
            let path = at.join("mcp.json");
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let mut file = File::options().write(true).open(path).unwrap();
            file.write_all(SWAPPED.as_bytes()).unwrap();
            file.set_modified(modified).is_ok()
        },
        &[SWAPPED],
    );
    assert_eq!(SWAPPED.len(), OLD.len());
}

/// As long as the old content.
const SWAPPED: &str = "{ \"odd\": \"what stood here before?\" }\n";
