use std::fs::{self, File, FileTimes};
use std::path::PathBuf;

use super::*;

/// A catalogue, a registry, and the stamp that says so.
struct Stage {
    folder: tempfile::TempDir,
}

const COUNTS: Counts = Counts { tools: 42, servers: 5 };

impl Stage {
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(stage.catalogue(), "[servers.a]\ncommand = 'a'\n").unwrap();
        fs::write(stage.registry(), "a database").unwrap();
        stage.synced().save(&stage.stamp()).unwrap();
        stage
    }

    fn synced(&self) -> Synced {
        let of = |path: &Path| system::stamp(&fs::metadata(path).unwrap());
        let read_at = SystemTime::now() + Duration::from_secs(60);
        let (catalogue, registry) = (of(&self.catalogue()), of(&self.registry()));
        Synced { catalogue, read_at, registry, complete: true, counts: COUNTS }
    }

    fn catalogue(&self) -> PathBuf {
        self.folder.path().join("mcp-servers.toml")
    }

    fn registry(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }

    fn stamp(&self) -> PathBuf {
        self.folder.path().join("sync-stamp.json")
    }

    fn unchanged(&self) -> Option<Counts> {
        unchanged(&self.stamp(), &self.catalogue(), &self.registry())
    }
}

/// Gives a file the time of its content that another one had.
fn as_old(path: &Path, old: &fs::Metadata) {
    let times = FileTimes::new().set_modified(old.modified().unwrap());
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

#[test]
fn whatever_happens_to_the_files_is_seen() {
    type Act = fn(&Stage);
    let cases: [(&str, Act, bool); 18] = [
        ("nothing", |_| {}, true),
        ("it is read", |stage| drop(fs::read(stage.catalogue()).unwrap()), true),
        ("the folder is changed", |stage| fs::write(stage.folder.path().join("x"), "").unwrap(), true),
        ("somebody is in doubt", |stage| doubt(&stage.stamp()).unwrap(), false),
        ("an edit", |stage| fs::write(stage.catalogue(), "[servers.b]\ncommand = 'b'\n").unwrap(), false),
        (
            "an edit of the same length, with the time put back",
            |stage| {
                let old = fs::metadata(stage.catalogue()).unwrap();
                fs::write(stage.catalogue(), "[servers.b]\ncommand = 'b'\n").unwrap();
                as_old(&stage.catalogue(), &old);
                assert_eq!(
                    fs::metadata(stage.catalogue()).unwrap().modified().unwrap(),
                    old.modified().unwrap()
                );
            },
            false,
        ),
        (
            "another file in its place, of the same length and time",
            |stage| {
                let old = fs::metadata(stage.catalogue()).unwrap();
                let new = stage.folder.path().join("new");
                fs::write(&new, "[servers.b]\ncommand = 'b'\n").unwrap();
                as_old(&new, &old);
                fs::rename(new, stage.catalogue()).unwrap();
            },
            false,
        ),
        (
            "an edit with a clock that was set back",
            |stage| {
                fs::write(stage.catalogue(), "[servers.b]\ncommand = 'b'\n").unwrap();
                let long_ago = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
                let file = File::options().write(true).open(stage.catalogue()).unwrap();
                file.set_times(long_ago).unwrap();
            },
            false,
        ),
        (
            "saved with the same content",
            |stage| fs::write(stage.catalogue(), "[servers.a]\ncommand = 'a'\n").unwrap(),
            false,
        ),
        ("the catalogue is gone", |stage| fs::remove_file(stage.catalogue()).unwrap(), false),
        ("the registry is gone", |stage| fs::remove_file(stage.registry()).unwrap(), false),
        ("the registry is damaged", |stage| fs::write(stage.registry(), "garbage").unwrap(), false),
        (
            "another registry",
            |stage| {
                fs::remove_file(stage.registry()).unwrap();
                fs::write(stage.registry(), "a database").unwrap();
            },
            false,
        ),
        ("the stamp is gone", |stage| fs::remove_file(stage.stamp()).unwrap(), false),
        ("the stamp is empty", |stage| fs::write(stage.stamp(), "").unwrap(), false),
        ("the stamp is damaged", |stage| fs::write(stage.stamp(), vec![b'{'; 100_000]).unwrap(), false),
        (
            "the stamp is of another version",
            |stage| {
                let text = fs::read_to_string(stage.stamp()).unwrap();
                let other = text.replace("\"version\":1", "\"version\":2");
                assert_ne!(other, text);
                fs::write(stage.stamp(), other).unwrap();
            },
            false,
        ),
        (
            "a folder is in the place of the stamp",
            |stage| {
                fs::remove_file(stage.stamp()).unwrap();
                fs::create_dir(stage.stamp()).unwrap();
            },
            false,
        ),
    ];
    for (what, act, same) in cases {
        let stage = Stage::new();
        act(&stage);
        assert_eq!(stage.unchanged(), same.then_some(COUNTS), "{what}");
    }
}

#[test]
fn a_catalogue_behind_a_link_is_the_one_that_it_leads_to() {
    let stage = Stage::new();
    let real = stage.folder.path().join("real");
    fs::rename(stage.catalogue(), &real).unwrap();
    std::os::unix::fs::symlink(&real, stage.catalogue()).unwrap();
    stage.synced().save(&stage.stamp()).unwrap();
    assert_eq!(stage.unchanged(), Some(COUNTS));
    fs::write(real, "x").unwrap();
    assert_eq!(stage.unchanged(), None);
}

#[test]
fn a_sync_with_failures_is_no_reason_to_look_away() {
    let stage = Stage::new();
    Synced { complete: false, ..stage.synced() }.save(&stage.stamp()).unwrap();
    assert_eq!(stage.unchanged(), None);
}

#[test]
fn an_edit_within_the_same_tick_as_the_look_is_not_missed() {
    const BASE: i64 = 1_795_185_900_123_456_789;
    const WHOLE: i64 = 1_795_185_900_000_000_000;
    const MS: i64 = 1_000_000;
    for (story, mtime_ns, ctime_ns, read_at, sure) in [
        ("long ago", BASE, BASE, BASE + 60_000 * MS, true),
        ("a moment ago", BASE, BASE, BASE + 50 * MS, false),
        ("just after the tick", BASE, BASE, BASE + 200 * MS, true),
        ("renamed a moment ago", BASE - 60_000 * MS, BASE, BASE + 50 * MS, false),
        ("whole seconds, a second ago", WHOLE, WHOLE, WHOLE + 1_000 * MS, false),
        ("whole seconds, long ago", WHOLE, WHOLE, WHOLE + 3_000 * MS, true),
        ("the clock was set back since", BASE, BASE, BASE - 3_600_000 * MS, false),
        ("a time that somebody set to tomorrow", BASE + 86_400_000 * MS, BASE, BASE + 60_000 * MS, true),
        ("a time that somebody set to yesterday", BASE - 86_400_000 * MS, BASE, BASE + 50 * MS, false),
        ("before 1970", -1, -1, 1, false),
    ] {
        let stamp = Stamp { mtime_ns, ctime_ns, ..Stamp::default() };
        let read_at = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(read_at).unwrap());
        assert_eq!(is_settled(&stamp, read_at), sure, "{story}");
    }
    assert!(!is_settled(&Stamp::default(), SystemTime::UNIX_EPOCH - Duration::from_secs(1)));
}

#[test]
fn a_real_edit_right_after_the_look_is_not_missed() {
    let stage = Stage::new();
    // Whether or not the clock of the file system has ticked in between: it is never certain that nothing changed.
    for round in 0..200 {
        fs::write(stage.catalogue(), format!("{round:04}")).unwrap();
        let read_at = SystemTime::now();
        Synced { read_at, ..stage.synced() }.save(&stage.stamp()).unwrap();
        fs::write(stage.catalogue(), format!("{:04}", round + 1_000)).unwrap();
        assert_eq!(stage.unchanged(), None, "round {round}");
    }
}
