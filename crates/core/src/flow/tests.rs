//! The flow against a small world: what is planned is carried out, and things come to rest.

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::name::{ClientId, ServerName};
use world::World;

fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

fn id(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_start_reads_opens_announces_writes_watches_and_is_ready() {
    let mut world = World { revision: 7, doors: 1, clients: ["cursor", "zed"].into(), ..World::default() };
    let mut state = State::default();
    assert!(!state.plan(at(0)).ready, "nothing is ready before it began");
    state.fold(Event::Reload, at(0));
    assert_eq!(
        state.plan(at(0)),
        Plan { read: true, ..Plan::default() },
        "what decides is read first, alone"
    );
    state.fold(Event::Read(world.reading()), at(0));
    let plan = state.plan(at(0));
    assert!(plan.open && plan.watch && plan.announce == Some(7) && plan.rewrite.len() == 2 && !plan.ready);
    assert!(world.settle(&mut state, at(0)).ready);
    assert_eq!((world.announced, world.open, world.watched.len()), (vec![7], 1, 2));
}

#[test]
fn a_changed_catalogue_goes_to_every_client_and_a_changed_file_only_to_its_own() {
    let mut world = World { revision: 1, clients: ["cursor", "zed"].into(), ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    world.settle(&mut state, at(0));

    state.fold(Event::Changed(Source::Client(id("zed"))), at(1));
    let plan = state.plan(at(1));
    assert_eq!((plan.read, plan.rewrite), (false, [id("zed")].into()));
    world.settle(&mut state, at(1));

    world.revision = 2;
    state.fold(Event::Changed(Source::Catalogue), at(2));
    world.settle(&mut state, at(2));
    assert_eq!(world.announced, [1, 2]);
    assert!(world.files.values().all(|revision| *revision == 2));
}

#[test]
fn the_same_catalogue_saved_again_moves_nobody() {
    let mut world = World { revision: 1, clients: ["cursor"].into(), ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    world.settle(&mut state, at(0));
    state.fold(Event::Changed(Source::Catalogue), at(1));
    state.fold(Event::Read(world.reading()), at(1));
    assert!(state.plan(at(1)).is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_tried_again_later_and_later() {
    let mut world =
        World { revision: 1, clients: ["cursor", "zed"].into(), stuck: ["zed"].into(), ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    let mut times = Vec::new();
    let mut now = at(0);
    for _ in 0..9 {
        let due = world.settle(&mut state, now).due.expect("zed waits");
        times.push(due.saturating_sub(now).as_secs());
        now = due;
    }
    assert_eq!(times, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(world.files.keys().collect::<Vec<_>>(), [&id("cursor")], "the others are not kept from it");
    // Somebody mended it: at once, not in a minute.
    world.stuck.clear();
    state.fold(Event::Changed(Source::Client(id("zed"))), now);
    assert_eq!(world.settle(&mut state, now).due, None);
    assert_eq!(world.files.len(), 2);
}

#[test]
fn a_home_in_other_hands_is_waited_for_and_nothing_is_done_in_it_meanwhile() {
    let mut world = World { revision: 1, clients: ["cursor"].into(), held: true, ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    let plan = world.settle(&mut state, at(0));
    assert!(plan.due.is_some_and(|due| due < Duration::from_millis(100)), "{plan:?}");
    assert!(world.files.is_empty() && world.announced.is_empty());
    world.held = false;
    let plan = world.settle(&mut state, at(1));
    assert!(plan.ready && world.announced == [1]);
}

#[test]
fn commands_wait_for_the_home_and_for_nothing_else_but_the_end() {
    let mut world = World { revision: 1, held: true, ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    world.settle(&mut state, at(0));
    state.fold(Event::Asked, at(0));
    assert!(state.plan(at(0)).answer, "a command takes hold of the home by itself");
    let plan = world.settle(&mut state, at(0));
    assert!(plan.due.is_some_and(|due| due < Duration::from_millis(100)), "{plan:?}");
    assert!(state.plan(at(1)).answer, "it is tried again");
    state.fold(Event::Stop, at(0));
    assert_eq!(state.plan(at(0)), Plan { end: true, ..Plan::default() });
}

#[test]
fn a_changed_server_takes_the_place_of_the_old_one_once_it_answers() {
    let mut world = World { revision: 1, wanted: [("a", 1), ("b", 1)].into(), ..World::default() };
    let mut state = State::default();
    state.fold(Event::Reload, at(0));
    world.settle(&mut state, at(0));
    assert_eq!(world.table.len(), 2);

    world.wanted.insert("a", 2);
    world.dead.insert("a");
    state.fold(Event::Changed(Source::Catalogue), at(1));
    world.settle(&mut state, at(1));
    assert_eq!(world.table[&server("a")], "1", "the old one stays as long as the new one does not answer");
    assert_eq!(world.running.len(), 3);

    state.fold(Event::Came(server("a"), "2".to_owned(), true), at(2));
    world.settle(&mut state, at(2));
    assert_eq!(world.table[&server("a")], "2");
    assert_eq!(world.running.len(), 2, "the old one goes");

    world.wanted.remove("b");
    state.fold(Event::Changed(Source::Catalogue), at(3));
    world.settle(&mut state, at(3));
    assert_eq!((world.table.len(), world.running.len()), (1, 1));
}

/// Things that can happen, to the world and to the daemon.
#[derive(Clone, Debug)]
enum Step {
    Edit,
    Doors,
    Link(&'static str),
    Unlink(&'static str),
    Touch(&'static str),
    Ask,
    Reload,
    Hold(bool),
    Stick(&'static str, bool),
    Wait(u64),
    Server(&'static str, Option<u64>),
    Kill(&'static str, bool),
    Offers(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let name = prop::sample::select(vec!["cursor", "zed", "codex"]);
    prop_oneof![
        3 => Just(Step::Edit),
        1 => Just(Step::Doors),
        1 => name.clone().prop_map(Step::Link),
        1 => name.clone().prop_map(Step::Unlink),
        2 => name.clone().prop_map(Step::Touch),
        1 => Just(Step::Ask),
        1 => Just(Step::Reload),
        1 => any::<bool>().prop_map(Step::Hold),
        1 => (name.clone(), any::<bool>()).prop_map(|(name, stuck)| Step::Stick(name, stuck)),
        2 => (0..100_u64).prop_map(Step::Wait),
        3 => (name.clone(), prop::option::of(0..4_u64)).prop_map(|(name, version)| Step::Server(name, version)),
        2 => (name.clone(), any::<bool>()).prop_map(|(name, dead)| Step::Kill(name, dead)),
        1 => name.clone().prop_map(Step::Offers),
    ]
}

proptest! {
    /// Whatever happens in whatever order: in the end every file and every listener has the newest revision, and nobody
    /// was ever told an older one after a newer one.
    #[test]
    fn everything_comes_to_rest_at_the_newest_revision(steps in prop::collection::vec((step(), any::<bool>()), 0..60)) {
        let mut world = World { revision: 1, clients: ["cursor"].into(), ..World::default() };
        let mut state = State::default();
        let mut now = at(0);
        state.fold(Event::Reload, now);
        for (step, settle) in steps {
            match step {
                Step::Edit => {
                    world.revision += 1;
                    state.fold(Event::Changed(Source::Catalogue), now);
                }
                Step::Doors => {
                    world.doors += 1;
                    state.fold(Event::Changed(Source::Settings), now);
                }
                Step::Link(name) => {
                    world.clients.insert(name);
                    state.fold(Event::Changed(Source::Settings), now);
                }
                Step::Unlink(name) => {
                    world.clients.remove(name);
                    state.fold(Event::Changed(Source::Settings), now);
                }
                Step::Touch(name) => state.fold(Event::Changed(Source::Client(id(name))), now),
                Step::Ask => state.fold(Event::Asked, now),
                Step::Reload => state.fold(Event::Reload, now),
                Step::Hold(held) => world.held = held,
                Step::Stick(name, stuck) => {
                    if stuck { world.stuck.insert(name); } else { world.stuck.remove(name); }
                }
                Step::Wait(seconds) => now += at(seconds),
                Step::Server(name, version) => {
                    if let Some(version) = version {
                        world.wanted.insert(name, version);
                    } else {
                        world.wanted.remove(name);
                        world.unrecorded.remove(&server(name));
                    }
                    state.fold(Event::Changed(Source::Catalogue), now);
                }
                Step::Offers(name) => {
                    if world.wanted.contains_key(name) {
                        world.unrecorded.insert(server(name));
                    }
                    state.fold(Event::Offers(server(name)), now);
                }
                Step::Kill(name, dead) => {
                    if dead { world.dead.insert(name); } else { world.dead.remove(name); }
                }
            }
            if settle {
                world.settle(&mut state, now);
            }
        }
        world.held = false;
        world.stuck.clear();
        // As long as something is due, time goes on.
        let mut plan = world.settle(&mut state, now);
        while let Some(due) = plan.due {
            now = now.max(due);
            plan = world.settle(&mut state, now);
        }
        prop_assert!(plan.ready);
        prop_assert!(world.gaps.is_empty(), "calls could not find {:?}", world.gaps);
        prop_assert_eq!(world.table.len(), world.wanted.len());
        // Whatever could not be brought up answers at last.
        for (name, version) in world.wanted.clone() {
            state.fold(Event::Came(server(name), version.to_string(), true), now);
        }
        world.settle(&mut state, now);
        prop_assert_eq!(&world.table, &world.reading().servers);
        prop_assert_eq!(world.running.len(), world.table.len(), "nothing is left of what is wanted no more");
        prop_assert_eq!(world.announced.last(), Some(&world.revision));
        prop_assert!(world.announced.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", world.announced);
        prop_assert_eq!(world.open, world.doors);
        prop_assert!(world.unrecorded.is_empty(), "{:?} is not in the registry", world.unrecorded);
        prop_assert_eq!(world.judged, (world.revision, world.recorded), "the policy is behind");
        let wanted: BTreeSet<ClientId> = world.clients.iter().map(|name| id(name)).collect();
        prop_assert_eq!(&world.watched, &wanted);
        for client in &wanted {
            prop_assert_eq!(world.files.get(client), Some(&world.revision));
        }
    }
}
