//! What can only be shown from within: events that are late or lost.
#![expect(clippy::disallowed_methods, reason = "these tests play the other programs")]

use std::fs;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};

use notify::EventKind;
use notify::event::{AccessKind, AccessMode};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// A watch that finds nothing by looking, of `mcp.json` in a folder of its own.
fn watch() -> (tempfile::TempDir, std::path::PathBuf, Watch, Receiver<Seen>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.json");
    fs::write(&path, "old").unwrap();
    let (told, seen) = sync_channel(100);
    let options = Options { poll: LIMIT * 10, ..Options::default() };
    let watch = Watch::start(options, move |change| told.send(change).unwrap()).unwrap();
    watch.set(BTreeMap::from([(path.clone(), None)]));
    assert!(watch.wait(LIMIT));
    (folder, path, watch, seen)
}

#[test]
fn events_that_the_system_dropped_make_everything_be_looked_at() {
    let (folder, path, watch, seen) = watch();
    let most: usize =
        fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse().unwrap();
    let gate = watch.inbox.gate.lock().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    fs::write(&one, "noise").unwrap();
    for _ in 0..most / 2 {
        fs::rename(&one, &two).unwrap();
        fs::rename(&two, &one).unwrap();
    }
    fs::write(&path, "new").unwrap();
    drop(gate);
    assert_eq!(seen.recv_timeout(LIMIT).unwrap().content, Content::Is(Hash::of(b"new")));
    assert_eq!(watch.health().overflows, 1);
}

#[test]
fn a_part_is_not_told_however_late_the_events_of_its_writing_come() {
    let (_folder, path, watch, seen) = watch();
    let gate = watch.inbox.gate.lock().unwrap();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"a part").unwrap();
    // As far as the watch knows, an earlier save is done.
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
    watch.inbox.sort(Ok(notify::Event::new(closed).add_path(path)));
    while !watch.inbox.is_opening() {
        thread::yield_now();
    }
    drop(gate);
    file.write_all(b" and the rest").unwrap();
    drop(file);
    assert_eq!(seen.recv_timeout(LIMIT).unwrap().content, Content::Is(Hash::of(b"a part and the rest")));
}
