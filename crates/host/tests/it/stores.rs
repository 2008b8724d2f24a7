//! Backups, records, the lock and the sweep.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use switchboard_host::backup::{BackupError, Backups, Label, Limits};
use switchboard_host::dirs::Dirs;
use switchboard_host::file::{self, Options, Swept, WriteError};
use switchboard_host::hash::Hash;
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::record::{self, Loaded};

const ALL: Limits = Limits { count: 1_000_000, age: u64::MAX, bytes: u64::MAX };

fn label(reason: &str, time: u64) -> Label {
    Label {
        client: Some("cursor".to_owned()),
        path: "/home/ann/.cursor/mcp.json".into(),
        reason: reason.to_owned(),
        time,
    }
}

#[test]
fn a_content_is_kept_once_and_comes_back_byte_for_byte() {
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path().join("backups"));
    let bytes: Vec<u8> = (0..=255).collect();
    let hash = backups.keep(&bytes, &label("first", 1)).unwrap();
    let object = temp.path().join("backups/objects").join(hash.to_string());
    let ino = object.metadata().unwrap().ino();
    assert_eq!(backups.keep(&bytes, &label("again", 2)).unwrap(), hash);
    assert_eq!(object.metadata().unwrap().ino(), ino, "it was written again");
    assert_eq!(object.metadata().unwrap().mode() & 0o7777, 0o600);
    assert_eq!(backups.load(hash).unwrap(), bytes);
    let reasons: Vec<_> =
        backups.list().unwrap().into_iter().map(|backup| backup.label.unwrap().reason).collect();
    assert_eq!(reasons, ["first", "again"]);
}

#[test]
fn a_path_that_is_no_text_is_found_again() {
    use std::os::unix::ffi::OsStrExt;
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path());
    let path = Path::new(std::ffi::OsStr::from_bytes(b"/a/\xff.json"));
    backups.keep(b"x", &Label::now(None, path, "odd")).unwrap();
    assert_eq!(backups.list().unwrap()[0].label.as_ref().unwrap().path, path);
}

#[test]
fn a_torn_index_loses_no_content() {
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path());
    backups.keep(b"one", &label("one", 1)).unwrap();
    let two = backups.keep(b"two", &label("two", 2)).unwrap();
    let index = temp.path().join("index.jsonl");
    let whole = std::fs::read(&index).unwrap();
    for cut in 1..whole.len() {
        std::fs::write(&index, &whole[..cut]).unwrap();
        let listed: HashSet<_> = backups.list().unwrap().into_iter().map(|backup| backup.hash).collect();
        assert_eq!(listed.len(), 2, "cut at {cut}");
    }
    std::fs::write(&index, &whole[..whole.len() - 5]).unwrap();
    backups.keep(b"three", &label("three", 3)).unwrap();
    let listed = backups.list().unwrap();
    let named = listed.iter().filter(|backup| backup.label.is_some()).count();
    assert_eq!((listed.len(), named), (3, 2));
    assert!(listed.iter().any(|backup| backup.hash == two && backup.label.is_none()));
}

#[test]
fn a_damaged_object_is_told_and_mended_by_the_next_keep() {
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path());
    let hash = backups.keep(b"right", &label("a", 1)).unwrap();
    std::fs::write(temp.path().join("objects").join(hash.to_string()), b"wrong").unwrap();
    assert!(matches!(backups.load(hash), Err(BackupError::Damaged(_))));
    assert!(!backups.has(hash));
    backups.keep(b"right", &label("b", 2)).unwrap();
    assert_eq!(backups.load(hash).unwrap(), b"right");
    assert!(matches!(backups.load(Hash::of(b"other")), Err(BackupError::Missing(_))));
}

#[test]
fn a_thousand_changes_stay_within_bounds_and_pinned_ones_stay() {
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path());
    let now = Label::now(None, Path::new("/a"), "now").time;
    let keep = |number: u64| {
        backups.keep(format!("{number:0>100}").as_bytes(), &label("push", now - 1_000 + number))
    };
    let hashes: Vec<_> = (0..1_000).map(|number| keep(number).unwrap()).collect();
    let pinned = HashSet::from([hashes[0], hashes[1]]);

    assert_eq!(backups.prune(ALL, &pinned).unwrap().count, 0);
    assert_eq!(backups.prune(Limits { count: 500, ..ALL }, &pinned).unwrap().count, 500);
    assert_eq!(backups.prune(Limits { bytes: 10_050, ..ALL }, &pinned).unwrap().bytes, 40_000);
    let kept: HashSet<_> = backups.list().unwrap().into_iter().map(|backup| backup.hash).collect();
    assert_eq!(kept.len(), 100);
    assert!(kept.contains(&hashes[0]) && kept.contains(&hashes[1]) && kept.contains(&hashes[999]));
    assert!(!kept.contains(&hashes[2]));

    let old = backups.keep(b"old", &label("long ago", now - 86_400_000)).unwrap();
    assert_eq!(backups.prune(Limits { age: 3_600_000, ..ALL }, &pinned).unwrap().count, 1);
    assert!(!backups.has(old));
    for hash in kept {
        backups.load(hash).unwrap();
    }
    let lines = std::fs::read_to_string(temp.path().join("index.jsonl")).unwrap().lines().count();
    assert_eq!(lines, 100);
}

#[test]
fn without_room_for_a_backup_nothing_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let (path, full) = (temp.path().join("mcp.json"), temp.path().join("full"));
    std::fs::write(&path, "old").unwrap();
    // A file in the place of the folder: no store can be made there, not even by root.
    std::fs::write(&full, "").unwrap();
    let old = file::read(&path).unwrap();
    let backups = Backups::new(full.join("backups"));
    let error = file::replace(&old.target, Some(&old), b"new", &backups, &Options::new("push")).unwrap_err();
    assert!(matches!(error, WriteError::Backup(_)) && !error.help().is_empty(), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(temp.path().read_dir().unwrap().count(), 2);
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let temp = tempfile::tempdir().unwrap();
    let small = temp.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(&small).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let path = small.join("mcp.json");
    std::fs::write(&path, "old").unwrap();
    let old = file::read(&path).unwrap();
    let large = vec![b'N'; 100_000];
    let outside = Backups::new(temp.path().join("backups"));
    let file_error = file::replace(&old.target, Some(&old), &large, &outside, &Options::new("push"));
    let still = std::fs::read(&path).unwrap();
    let left = small.read_dir().unwrap().count();
    // How much is free at once differs; what matters is that less is left than the next content needs.
    let _ = std::fs::write(small.join("fill"), vec![0; 57_344]);
    let inside = Backups::new(small.join("backups"));
    let big_old = vec![b'O'; 30_000];
    let backup_error = inside.keep(&big_old, &label("push", 1));
    let after = inside.has(Hash::of(&big_old));
    Command::new("umount").arg("-l").arg(&small).output().unwrap();
    assert!(matches!(file_error, Err(WriteError::Io { .. })), "{file_error:?}");
    assert_eq!((still.as_slice(), left), (b"old".as_slice(), 1));
    assert!(matches!(backup_error, Err(BackupError::Io { .. })) && !after, "{backup_error:?}");
}

#[test]
fn records_come_back_and_damaged_ones_are_set_aside() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("state/relations.json");
    assert_eq!(record::load::<BTreeMap<String, u32>>(&path).unwrap(), Loaded::Missing);
    let value = BTreeMap::from([("a".to_owned(), 1)]);
    record::save(&path, &value).unwrap();
    assert_eq!(record::load(&path).unwrap(), Loaded::Found(value));
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
    for damage in ["", "{\"a\": 1", "[]", "\u{0}\u{0}"] {
        std::fs::write(&path, damage).unwrap();
        let Loaded::Damaged { set_aside, why } = record::load::<BTreeMap<String, u32>>(&path).unwrap() else {
            panic!("{damage:?} was read");
        };
        assert!(!why.is_empty() && !path.exists());
        assert_eq!(std::fs::read_to_string(set_aside).unwrap(), damage);
        assert_eq!(record::load::<BTreeMap<String, u32>>(&path).unwrap(), Loaded::Missing);
    }
}

/// Not a test of its own: what the lock test starts as another process.
#[test]
fn hold_the_lock_as_another_process() {
    let Some(home) = std::env::var_os("HOLD_THE_LOCK_OF") else { return };
    let _lock = Lock::acquire(&Dirs::below(Path::new(&home)), "switchboard serve", Duration::ZERO).unwrap();
    println!("held");
    std::io::stdout().flush().unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn one_process_holds_the_lock_and_its_death_frees_it() {
    let temp = tempfile::tempdir().unwrap();
    let dirs = Dirs::below(temp.path());
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores::hold_the_lock_as_another_process", "--nocapture"])
        .env("HOLD_THE_LOCK_OF", temp.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(other.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().ends_with("held")));

    let error = Lock::acquire(&dirs, "switchboard client push", Duration::from_millis(30)).unwrap_err();
    let LockError::Held { holder: Some(holder), .. } = &error else { panic!("{error}") };
    assert_eq!((holder.pid, holder.command.as_str()), (other.id(), "switchboard serve"));
    assert!(error.to_string().contains("`switchboard serve`") && error.help().contains("kill"), "{error}");

    other.kill().unwrap();
    other.wait().unwrap();
    let lock = Lock::acquire(&dirs, "switchboard client push", Duration::from_secs(5)).unwrap();
    assert!(Lock::acquire(&dirs, "again", Duration::ZERO).is_err());
    drop(lock);
    Lock::acquire(&dirs, "again", Duration::ZERO).unwrap();
    assert_eq!(dirs.lock().metadata().unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn the_sweep_keeps_what_it_removes_and_leaves_what_is_not_ours() {
    let temp = tempfile::tempdir().unwrap();
    let backups = Backups::new(temp.path().join("backups"));
    let folder = temp.path().join("client");
    std::fs::create_dir(&folder).unwrap();
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let name = |pid: u32, count: u32| {
        folder.join(format!(".mcp.json.switchboard-{pid}-0123456789abcdef-{count}.tmp"))
    };
    std::fs::write(name(dead.id(), 0), "displaced by an exchange").unwrap();
    std::fs::write(name(dead.id(), 1), "").unwrap();
    symlink("/etc/passwd", name(dead.id(), 2)).unwrap();
    // The process with this id lives, so it may still be writing.
    std::fs::write(name(std::os::unix::process::parent_id(), 3), "being written").unwrap();
    std::fs::write(folder.join(".mcp.json.tmp"), "somebody else's").unwrap();
    let swept = file::sweep(&[folder.clone(), temp.path().join("missing")], &backups);
    let removed = swept.iter().filter(|swept| matches!(swept, Swept::Removed { .. })).count();
    assert_eq!((swept.len(), removed), (3, 2), "{swept:?}");
    assert_eq!(backups.load(Hash::of(b"displaced by an exchange")).unwrap(), b"displaced by an exchange");
    assert_eq!(folder.read_dir().unwrap().count(), 3);
    assert!(Path::new("/etc/passwd").exists());

    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    let secret = name(dead.id(), 4);
    std::fs::write(&secret, "a token of ours").unwrap();
    file::sweep_own(&[folder], &backups);
    assert!(!secret.exists() && !backups.has(Hash::of(b"a token of ours")));
}
