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
