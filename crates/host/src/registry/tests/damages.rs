//! Everything that can happen to a cache: it is put aside and made anew, and nobody is worse off.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

type Act = fn(&Path);

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
}

fn bytes(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

const DAMAGES: &[(&str, Act)] = &[
    ("garbage", |path| fs::write(path, vec![b'x'; 8192]).unwrap()),
    ("other garbage, beginning as a database does", |path| {
        bytes(path, |bytes| bytes[100..].fill(0xa5));
    }),
    ("a JSON file", |path| fs::write(path, "{}").unwrap()),
    ("cut off within the first page", |path| bytes(path, |bytes| bytes.truncate(700))),
    ("cut off in the middle", |path| bytes(path, |bytes| bytes.truncate(bytes.len() / 2 / 4096 * 4096))),
    ("zeros in the middle", |path| bytes(path, |bytes| bytes[4096..].fill(0))),
    ("bits turned over everywhere but in the head", |path| {
        bytes(path, |bytes| bytes[100..].iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55));
    }),
    ("an older version", |path| sql(path, "PRAGMA user_version = 0")),
    ("a newer version", |path| sql(path, "PRAGMA user_version = 2")),
    ("another program's", |path| {
        fs::remove_file(path).unwrap();
        sql(path, "CREATE TABLE cookies (a)");
    }),
    ("another program's, which says so", |path| sql(path, "PRAGMA application_id = 7")),
    ("a table is gone", |path| sql(path, "DROP TABLE item")),
    ("the words are gone", |path| sql(path, "DROP TABLE words")),
    ("a column is another", |path| sql(path, "ALTER TABLE server RENAME COLUMN fingerprint TO print")),
    ("a fingerprint is too short", |path| sql(path, "UPDATE server SET fingerprint = x'00'")),
    ("a number is none", |path| sql(path, "UPDATE server SET seen = -1")),
    ("a hash is too short", |path| sql(path, "UPDATE item SET hash = x'00'")),
    ("a folder in its place", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join("x"), "x").unwrap();
    }),
    ("a link to nowhere", |path| {
        fs::remove_file(path).unwrap();
        symlink("/nowhere/at/all", path).unwrap();
    }),
    ("a link to a file of somebody's", |path| {
        fs::remove_file(path).unwrap();
        fs::write(path.with_file_name("diary"), "dear diary").unwrap();
        symlink("diary", path).unwrap();
    }),
    ("a pipe", |path| {
        fs::remove_file(path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }),
];

/// A registry with so much in it that its parts lie on pages of their own.
fn large() -> Stage {
    let stage = Stage::new();
    let raws: Vec<(String, String)> = (0..200)
        .map(|number| {
            (format!("tool_{number}"), format!(r#"{{"description":"Number {number} {}"}}"#, "x ".repeat(200)))
        })
        .collect();
    let items = raws.iter().map(|(name, raw)| tool(name, raw.as_bytes())).collect();
    let rows = [row("big", 1, Content::Seen(Seen { items, ..Seen::default() })), k8s()];
    stage.open().replace(&rows, 1).unwrap();
    stage
}

#[test]
fn whatever_was_damaged_is_put_aside_and_filled_again() {
    for (story, damage) in DAMAGES {
        let stage = large();
        damage(&stage.path());
        let mut registry = stage.open();
        registry.check();
        registry.servers();
        registry.list(Kind::Tool, None);
        registry.search("number", 10);
        assert!(!registry.notes().is_empty(), "{story}: it was not noticed");
        let lost = registry.replace(&[k8s()], 2).unwrap();
        assert_eq!(lost, [], "{story}");
        assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod", "{story}");
        assert_eq!(names(&registry.search("pods", 9)), ["listPods"], "{story}");
        let Note::Aside { aside, .. } = &registry.notes()[0] else {
            panic!("{story}: {:?}", registry.notes())
        };
        assert!(fs::symlink_metadata(aside).is_ok(), "{story}");
        // The next one finds nothing wrong.
        let mut registry = stage.open();
        registry.check();
        assert_eq!(registry.notes(), [], "{story}");
        assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod", "{story}");
        if let Ok(diary) = fs::read_to_string(stage.path().with_file_name("diary")) {
            assert_eq!(diary, "dear diary");
        }
    }
}

#[test]
fn whoever_reads_a_damaged_one_finds_nothing_and_changes_nothing() {
    for (story, damage) in DAMAGES {
        let stage = large();
        damage(&stage.path());
        let look = || fs::symlink_metadata(stage.path()).map(|meta| system::stamp(&meta)).unwrap();
        let before = look();
        let mut registry = stage.read();
        registry.check();
        registry.held();
        registry.servers();
        registry.list(Kind::Tool, None);
        registry.show("k8s", Kind::Tool, "listPods");
        registry.search("number", 10);
        assert!(!registry.notes().is_empty(), "{story}: it was not noticed");
        assert!(registry.notes().iter().all(|note| note.help().is_some()), "{story}: {:?}", registry.notes());
        drop(registry);
        assert_eq!(look(), before, "{story}");
    }
}

#[test]
fn one_that_is_gone_is_made_again_without_a_word() {
    let stage = Stage::filled();
    fs::remove_file(stage.path()).unwrap();
    let mut registry = stage.open();
    assert_eq!((tools(&mut registry), registry.notes().len()), (String::new(), 0));
    registry.replace(&[k8s()], 2).unwrap();
    // With the folder, too.
    drop(registry);
    fs::remove_dir_all(stage.path().parent().unwrap()).unwrap();
    stage.open().replace(&[k8s()], 3).unwrap();
    assert_eq!(tools(&mut stage.read()), "k8s.listPods k8s.get_pod");
}

#[test]
fn damage_that_shows_only_in_the_writing_is_put_aside_too() {
    let stage = large();
    let mut registry = stage.open();
    sql(&stage.path(), "DROP TABLE words");
    // Whoever has the turn does not wait for it.
    let turn = registry.turn();
    let begun = std::time::Instant::now();
    registry.replace(&[k8s()], 2).unwrap();
    assert!(turn.is_some() && begun.elapsed() < place::PATIENCE);
    assert!(matches!(registry.notes(), [Note::Aside { .. }]), "{:?}", registry.notes());
    assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod");
}

#[test]
fn what_was_not_written_into_the_old_one_is_not_taken_for_something_of_the_new_one() {
    let stage = Stage::filled();
    // Somebody died with things beside the database.
    let copy = stage.folder.path().join("copy");
    let registry = stage.open();
    registry.connection.as_ref().unwrap().execute_batch("UPDATE server SET name = 'ghost'").unwrap();
    let wal = PathBuf::from(format!("{}-wal", stage.path().display()));
    fs::copy(&wal, &copy).unwrap();
    drop(registry);
    fs::copy(&copy, &wal).unwrap();
    fs::write(stage.path(), "garbage").unwrap();
    let mut registry = stage.open();
    registry.replace(&[k8s()], 2).unwrap();
    drop(registry);
    assert_eq!(tools(&mut stage.read()), "k8s.listPods k8s.get_pod");
}

#[test]
fn only_so_many_are_kept_aside() {
    let stage = Stage::filled();
    for round in 0..20 {
        fs::write(stage.path(), format!("garbage {round}")).unwrap();
        assert_eq!(stage.open().notes().len(), 1);
    }
    let files = stage.path().parent().unwrap().read_dir().unwrap().count();
    assert!(files <= 3, "the database, one aside, the lock: {files}");
}

#[test]
fn a_folder_where_the_old_one_would_go_is_in_nobodys_way() {
    let stage = Stage::filled();
    let aside = PathBuf::from(format!("{}.damaged", stage.path().display()));
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("x"), "").unwrap();
    fs::write(stage.path(), "garbage").unwrap();
    let mut registry = stage.open();
    assert!(matches!(registry.notes(), [Note::Aside { .. }]), "{:?}", registry.notes());
    registry.replace(&[k8s()], 2).unwrap();
}

#[test]
fn where_no_folder_can_be_made_there_is_a_note_and_no_more() {
    let stage = Stage::new();
    fs::write(stage.folder.path().join("state"), "a file").unwrap();
    let mut registry = stage.open();
    assert!(matches!(registry.notes(), [Note::Refused { .. }]), "{:?}", registry.notes());
    assert_eq!(tools(&mut registry), "");
    let error = registry.replace(&[k8s()], 2).unwrap_err();
    assert!(
        error.to_string().contains("registry.db` cannot be written") && !error.help().is_empty(),
        "{error}"
    );
    assert!(registry.turn().is_none());
}
