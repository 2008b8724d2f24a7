//! Stories: what is in the catalogue, what is held, what is done. `a=1` is a server `a` that is launched in the way 1, and
//! `!` marks one that did not answer last time.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::launch::Fingerprint;
use crate::name::ServerName;

pub(super) fn fingerprint(number: u8) -> Fingerprint {
    Fingerprint([number; 32])
}

pub(super) fn name(text: &str) -> ServerName {
    ServerName::parse(text).unwrap()
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, Fingerprint, bool)> {
    text.split_whitespace().map(|word| {
        let (server, way) = word.split_once('=').unwrap();
        let (way, stale) = way.strip_suffix('!').map_or((way, false), |way| (way, true));
        (server, fingerprint(way.parse().unwrap()), stale)
    })
}

fn decided(catalogue: &str, registry: &str, choice: &str) -> Sync {
    let wanted: Vec<Wanted> =
        pairs(catalogue).map(|(server, fingerprint, _)| Wanted { name: name(server), fingerprint }).collect();
    let held: Vec<Held> = pairs(registry)
        .map(|(server, fingerprint, stale)| Held { name: server.to_owned(), fingerprint, stale })
        .collect();
    let choice = match choice {
        "" => Choice::Due,
        "*" => Choice::All,
        names => Choice::Named(names.split(' ').map(str::to_owned).collect::<BTreeSet<_>>()),
    };
    decide(&wanted, &held, &choice)
}

fn shown(sync: &Sync) -> String {
    let step = |step: &Step| {
        let from = match (&step.from, step.renamed()) {
            (None, _) => String::new(),
            (Some(_), None) => " keeps".to_owned(),
            (Some(_), Some(from)) => format!(" takes {from}"),
        };
        let why = step.due.map(|why| format!(" {}", format!("{why:?}").to_lowercase())).unwrap_or_default();
        format!("{}{from}{why}{}", step.name, if step.ask { ", ask" } else { "" })
    };
    let drop = sync.drop.iter().map(|name| format!("drop {name}"));
    sync.steps.iter().map(step).chain(drop).collect::<Vec<_>>().join("; ")
}

#[test]
fn only_those_are_asked_that_have_to_be() {
    for (story, catalogue, registry, choice, done) in [
        ("nothing at all", "", "", "", ""),
        ("the first run", "a=1 b=2", "", "", "a new, ask; b new, ask"),
        ("nothing changed", "a=1 b=2", "a=1 b=2", "", "a keeps; b keeps"),
        ("another order", "b=2 a=1", "a=1 b=2", "", "b keeps; a keeps"),
        ("one is new", "a=1 b=2", "a=1", "", "a keeps; b new, ask"),
        ("one has changed", "a=3 b=2", "a=1 b=2", "", "a keeps changed, ask; b keeps"),
        ("one failed last time", "a=1 b=2", "a=1! b=2", "", "a keeps failed, ask; b keeps"),
        ("a change is taken back after it failed", "a=1", "a=1!", "", "a keeps failed, ask"),
        ("one is gone, or disabled", "a=1", "a=1 b=2", "", "a keeps; drop b"),
        ("all are gone", "", "a=1 b=2!", "", "drop a; drop b"),
        ("all by force", "a=1 b=3", "a=1 b=2", "*", "a keeps forced, ask; b keeps changed, ask"),
        ("one by name", "a=1 b=2 c=3", "a=1 b=2!", "a", "a keeps forced, ask; b keeps failed; c new"),
        ("a name that is not there", "a=1", "a=1", "x", "a keeps"),
    ] {
        assert_eq!(shown(&decided(catalogue, registry, choice)), done, "{story}");
    }
}

#[test]
fn what_is_known_follows_a_server_to_its_new_name() {
    for (story, catalogue, registry, done) in [
        ("a new name", "z=1", "a=1", "z takes a"),
        ("a new name for one that failed", "z=1", "a=1!", "z takes a failed, ask"),
        ("an exchange", "a=2 b=1", "a=1 b=2", "a takes b; b takes a"),
        ("a chain", "b=1 c=2 d=3", "a=1 b=2 c=3", "b takes a; c takes b; d takes c"),
        ("a ring", "a=3 b=1 c=2", "a=1 b=2 c=3", "a takes c; b takes a; c takes b"),
        ("a new one under an old name", "a=9 z=1", "a=1", "a new, ask; z takes a"),
        ("a change of the one that takes a name", "b=1 c=9", "a=1 b=2", "b takes a; c new, ask; drop b"),
        ("name and launch at once", "z=9", "a=1", "z new, ask; drop a"),
        ("a twin is added", "a=1 b=1", "a=1", "a keeps; b new, ask"),
        ("a twin goes", "a=1", "a=1 b=1", "a keeps; drop b"),
        ("a twin is called otherwise", "a=1 z=1", "a=1 b=1", "a keeps; z takes b"),
        ("both twins are", "y=1 z=1", "a=1 b=1", "y takes a; z takes b"),
        ("two become one", "z=1", "a=1 b=1", "z takes a; drop b"),
        ("one becomes two", "y=1 z=1", "a=1", "y takes a; z new, ask"),
    ] {
        assert_eq!(shown(&decided(catalogue, registry, "")), done, "{story}");
    }
}

#[test]
fn a_failure_is_never_taken_for_a_success() {
    let sync = decided("a=1 b=2 c=9 d=4 y=5", "a=1 c=3 x=5!", "");
    let outcomes = BTreeMap::from([
        (name("a"), Ok("an answer that nobody asked for")),
        (name("b"), Ok("of b")),
        (name("c"), Err("it ended".to_owned())),
        (name("d"), Err("nobody is there".to_owned())),
    ]);
    let rows: Vec<(String, Content<&str>)> =
        sync.fold(outcomes).into_iter().map(|row| (row.name.to_string(), row.content)).collect();
    let stale =
        |from: Option<&str>, why: &str| Content::Stale { from: from.map(str::to_owned), why: why.to_owned() };
    let expected = [
        ("a", Content::Kept { from: "a".to_owned() }),
        ("b", Content::Seen("of b")),
        ("c", stale(Some("c"), "it ended")),
        ("d", stale(None, "nobody is there")),
        ("y", stale(Some("x"), "it was not asked to the end")),
    ];
    assert_eq!(rows, expected.map(|(name, content)| (name.to_owned(), content)));
}

#[test]
fn what_waits_is_known_to_wait() {
    let sync = decided("a=1 b=2 c=3", "a=1 b=9", "a");
    assert!(sync.leaves_some() && !sync.is_empty());
    let rows = sync.fold(BTreeMap::from([(name("a"), Ok(()))]));
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["a", "b"], "nothing is known of c");
    assert!(decided("a=1", "a=1", "").is_empty());
    assert!(!decided("z=1", "a=1", "").is_empty());
    assert!(!decided("", "a=1", "").is_empty());
}
