//! Several at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

#[test]
fn several_make_it_at_once() {
    for _ in 0..10 {
        let stage = Stage::new();
        thread::scope(|scope| {
            for number in 0..8_u8 {
                let path = stage.path();
                scope.spawn(move || {
                    let mut registry = Registry::open(&path);
                    assert_eq!(registry.notes(), []);
                    let name = format!("s{number}");
                    registry.replace(&[one(&name, number, "t", b"{}")], 1).unwrap();
                });
            }
        });
        assert_eq!(stage.read().servers().len(), 1, "each replaces all that was there");
    }
}

#[test]
fn several_find_it_damaged_at_once() {
    for _ in 0..10 {
        let stage = Stage::filled();
        std::fs::write(stage.path(), "garbage").unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                let path = stage.path();
                scope.spawn(move || {
                    let mut registry = Registry::open(&path);
                    registry.replace(&[k8s()], 1).unwrap();
                });
            }
        });
        let mut registry = stage.read();
        registry.check();
        assert_eq!((tools(&mut registry).as_str(), registry.notes().len()), ("k8s.listPods k8s.get_pod", 0));
    }
}

#[test]
fn readers_see_one_sync_or_the_other_and_nothing_between() {
    let stage = Stage::new();
    let rows = |round: u8| {
        let seen = |tool: &'static str| {
            let items = vec![SeenItem { kind: Kind::Tool, name: tool, raw: b"{}" }; 20];
            Content::Seen(Seen { items, ..Seen::default() })
        };
        let tool = ["even", "odd"][usize::from(round % 2)];
        vec![row("a", round, seen(tool)), row("b", round, seen(tool))]
    };
    stage.open().replace(&rows(0), 0).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let path = stage.path();
        let done = &done;
        scope.spawn(move || {
            for round in 1..60 {
                Registry::open(&path).replace(&rows(round), u64::from(round)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        for _ in 0..3 {
            let path = stage.path();
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut registry = Registry::read(&path);
                    let lines = registry.list(Kind::Tool, None);
                    let same = lines.iter().all(|line| line.name == lines[0].name);
                    assert!(lines.len() == 40 && same, "{} {:?}", lines.len(), registry.notes());
                    assert_eq!(registry.notes(), []);
                }
            });
        }
    });
}

#[test]
fn one_at_a_time_has_its_turn() {
    let stage = Stage::filled();
    let mut registry = stage.open();
    let turn = registry.turn().unwrap();
    thread::scope(|scope| {
        let path = stage.path();
        let other = scope.spawn(move || Registry::open(&path).turn().is_some());
        thread::sleep(std::time::Duration::from_millis(50));
        assert!(!other.is_finished());
        drop(turn);
        assert!(other.join().unwrap());
    });
}

#[test]
fn one_at_which_somebody_else_is_for_too_long_is_busy_and_stays_as_it_is() {
    let stage = Stage::filled();
    let mut begun = stage.open();
    let writer = rusqlite::Connection::open(stage.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM words").unwrap();
    // Whoever reads is in nobody's way, and in the way of nobody.
    assert_eq!(tools(&mut stage.read()), "k8s.listPods k8s.get_pod");
    let error = begun.replace(&[one("b", 2, "x", b"{}")], 7).unwrap_err();
    assert!(error.to_string().contains("another process") && error.help().starts_with("wait"), "{error}");
    assert_eq!(begun.notes(), []);
    drop((begun, writer));
    // And one who lets nobody in.
    let owner = rusqlite::Connection::open(stage.path()).unwrap();
    owner.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM words").unwrap();
    let busy = Note::Busy { path: stage.path() };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut registry = stage.read();
            assert_eq!((tools(&mut registry), registry.notes()), (String::new(), &[busy.clone()][..]));
        });
        scope.spawn(|| {
            let mut registry = stage.open();
            assert_eq!(registry.notes()[0], busy);
            registry.check();
            assert!(registry.replace(&[one("b", 2, "x", b"{}")], 7).is_err());
            assert!(registry.notes().iter().all(|note| *note == busy), "{:?}", registry.notes());
        });
    });
    assert_eq!(
        busy.to_string().split_once(" is busy: ").map(|(_, why)| why),
        Some("another process has been writing it for longer than we wait")
    );
    owner.execute_batch("ROLLBACK").unwrap();
    drop(owner);
    assert_eq!(tools(&mut stage.open()), "k8s.listPods k8s.get_pod");
    let files = stage.path().parent().unwrap().read_dir().unwrap().count();
    assert_eq!(files, 2, "nothing was put aside");
}

#[test]
fn what_could_not_be_seen_is_not_replaced() {
    let stage = Stage::filled();
    let mut registry = stage.open();
    let busy = |_: &rusqlite::Connection| {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Err::<(), _>(rusqlite::Error::SqliteFailure(code, None))
    };
    registry.reading(busy);
    assert!(registry.replace(&[one("b", 2, "x", b"{}")], 7).is_err());
    assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod");
    registry.replace(&[one("b", 2, "x", b"{}")], 7).unwrap();
    assert_eq!(tools(&mut registry), "b.x");
}

#[test]
fn one_that_somebody_is_making_is_not_damaged() {
    let stage = Stage::new();
    std::fs::create_dir(stage.path().parent().unwrap()).unwrap();
    std::fs::write(stage.path(), "").unwrap();
    let mut registry = stage.read();
    assert_eq!((tools(&mut registry), registry.notes()), (String::new(), &[][..]));
}
