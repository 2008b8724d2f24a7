//! Another program writes the same file all the time: nothing that it wrote is lost for good.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use switchboard_host::backup::Backups;
use switchboard_host::file::{self, Options, Outcome, Snapshot};

/// How many updates the other program makes. The test ends by this count, not by time.
const UPDATES: u32 = 400;

type Write = fn(&Path, &[u8]);

fn by_rename(path: &Path, bytes: &[u8]) {
    let temp = path.with_extension("foreign");
    std::fs::write(&temp, bytes).unwrap();
    std::fs::rename(&temp, path).unwrap();
}

fn by_truncation(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// A line counts only with its end: what is cut off is no line yet.
fn lines(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
}

fn text(lines: &BTreeSet<String>) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().into_bytes()
}

/// Numbers that look random and are the same in every run.
fn pauses(mut seed: u64) -> impl FnMut() -> Duration {
    move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        Duration::from_micros(1_000 + seed % 19_000)
    }
}

fn other_program(path: &Path, write: Write) {
    let mut pause = pauses(0x5eed);
    for update in 0..UPDATES {
        let mut content = lines(&std::fs::read(path).unwrap());
        content.insert(format!("theirs {update}"));
        write(path, &text(&content));
        thread::sleep(pause());
    }
}

#[derive(Debug, Default)]
struct Count {
    written: u32,
    conflicts: u32,
    displaced: u32,
}

/// Reads the file as a push does: one that is empty or cut off is left alone until it is whole.
fn read_whole(path: &Path) -> Snapshot {
    loop {
        let found = file::read(path).unwrap();
        if found.bytes.ends_with(b"\n") {
            return found;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Adds one line, merging whatever comes in between, as a push does.
fn add(path: &Path, line: &str, backups: &Backups, count: &mut Count) {
    let mut pending: Vec<BTreeSet<String>> = Vec::new();
    let mut expected = read_whole(path);
    loop {
        let mut wanted = lines(&expected.bytes);
        wanted.extend(pending.iter().flatten().cloned());
        wanted.insert(line.to_owned());
        let options = Options::new("before a push");
        match file::replace(&expected.target, Some(&expected), &text(&wanted), backups, &options).unwrap() {
            Outcome::Written(_) => {
                count.written += 1;
                return;
            }
            Outcome::Conflict { .. } => {
                count.conflicts += 1;
                expected = read_whole(path);
            }
            Outcome::Displaced { theirs, written } => {
                count.displaced += 1;
                pending.push(lines(&theirs.bytes));
                expected = written.now;
            }
            Outcome::PublishedNotDurable { why, .. } => panic!("{why}"),
        }
    }
}

fn race(story: &str, write: Write) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mcp.json");
    std::fs::write(&path, "begin\n").unwrap();
    let backups = Backups::new(temp.path().join("backups"));
    let (done, mut count) = (AtomicBool::new(false), Count::default());
    thread::scope(|scope| {
        scope.spawn(|| {
            other_program(&path, write);
            done.store(true, Ordering::Release);
        });
        let mut pause = pauses(0xfeed);
        while !done.load(Ordering::Acquire) {
            add(&path, &format!("ours {}", count.written), &backups, &mut count);
            thread::sleep(pause());
        }
    });
    let in_file = lines(&std::fs::read(&path).unwrap());
    let hashes: HashSet<_> = backups.list().unwrap().into_iter().map(|backup| backup.hash).collect();
    let in_backups: BTreeSet<_> =
        hashes.iter().flat_map(|hash| lines(&backups.load(*hash).unwrap())).collect();
    let markers: Vec<_> = (0..UPDATES).map(|update| format!("theirs {update}")).collect();
    let missing: Vec<_> = markers.iter().filter(|marker| !in_file.contains(*marker)).collect();
    let lost: Vec<_> = missing.iter().filter(|marker| !in_backups.contains(**marker)).collect();
    println!("{story}: {count:?}, {} only in the backups, {} lost", missing.len(), lost.len());
    assert!(lost.is_empty(), "{story}: {lost:?}");
    assert!(count.written > 20, "{story}: {count:?}");
    let names: Vec<_> = temp.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn nothing_is_lost_to_a_program_that_renames() {
    race("renames", by_rename);
}

#[test]
fn nothing_is_lost_to_a_program_that_truncates() {
    race("truncates", by_truncation);
}

#[test]
fn a_file_that_changed_is_not_written() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mcp.json");
    let backups = Backups::new(temp.path().join("backups"));
    let options = Options::new("before a push");
    by_truncation(&path, b"old");
    let old = file::read(&path).unwrap();

    by_rename(&path, b"theirs");
    let outcome = file::replace(&old.target, Some(&old), b"ours", &backups, &options).unwrap();
    assert!(
        matches!(&outcome, Outcome::Conflict { found: Some(found) } if found.bytes == b"theirs"),
        "{outcome:?}"
    );
    let outcome = file::replace(&old.target, None, b"ours", &backups, &options).unwrap();
    assert!(matches!(&outcome, Outcome::Conflict { found: Some(_) }), "{outcome:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");

    std::fs::remove_file(&path).unwrap();
    let outcome = file::replace(&old.target, Some(&old), b"ours", &backups, &options).unwrap();
    assert!(matches!(&outcome, Outcome::Conflict { found: None }), "{outcome:?}");
    assert!(!path.exists() && backups.list().unwrap().is_empty());
}

#[test]
fn the_same_bytes_are_not_written_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mcp.json");
    let backups = Backups::new(temp.path().join("backups"));
    by_truncation(&path, b"same");
    let old = file::read(&path).unwrap();
    let outcome = file::replace(&old.target, Some(&old), b"same", &backups, &Options::new("before a push"));
    let Ok(Outcome::Written(written)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(written.now.stamp, old.stamp);
    assert_eq!(file::read(&path).unwrap().stamp, old.stamp);
    assert!(backups.list().unwrap().is_empty());
}

#[test]
fn secrets_do_not_show() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mcp.json");
    by_truncation(&path, b"hunter2");
    let snapshot = file::read(&path).unwrap();
    assert!(!format!("{snapshot:?}").contains("hunter2") && !format!("{snapshot:?}").contains("104, 117"));
}
