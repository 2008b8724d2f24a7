//! What holds for every catalogue and every registry.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{fingerprint, name};
use super::*;
use crate::launch::Fingerprint;

/// A registry as a list of servers, each with what is known: the number of the answer that it came from.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    held: Held,
    answer: Option<u32>,
}

/// Puts rows in the place of what was there, as whoever keeps the registry does.
fn put(before: &[Known], rows: Vec<Row<u32>>) -> Vec<Known> {
    let of = |from: &str| before.iter().find(|known| known.held.name == from).unwrap().clone();
    let row = |row: Row<u32>| {
        let name = row.name.to_string();
        let fresh = |answer| Known {
            held: Held { name: name.clone(), fingerprint: row.fingerprint, stale: false },
            answer: Some(answer),
        };
        match row.content {
            Content::Seen(answer) => fresh(answer),
            Content::Kept { from } => {
                let known = of(&from);
                Known { held: Held { name, ..known.held }, ..known }
            }
            Content::Stale { from: Some(from), .. } => {
                let known = of(&from);
                Known { held: Held { name, stale: true, ..known.held }, ..known }
            }
            Content::Stale { from: None, .. } => {
                Known { held: Held { name, fingerprint: row.fingerprint, stale: true }, answer: None }
            }
        }
    };
    rows.into_iter().map(row).collect()
}

fn held(known: &[Known]) -> Vec<Held> {
    known.iter().map(|known| known.held.clone()).collect()
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Catalogues that share names and launches, so that all kinds of moves happen.
fn catalogues() -> impl Strategy<Value = Vec<Wanted>> {
    prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle().prop_flat_map(|names| {
        let ways = prop::collection::vec(1..5_u8, names.len());
        (Just(names), ways).prop_map(|(names, ways)| {
            let wanted = |(text, way): (&str, u8)| Wanted { name: name(text), fingerprint: fingerprint(way) };
            names.into_iter().zip(ways).map(wanted).collect()
        })
    })
}

fn choices() -> impl Strategy<Value = Choice> {
    let named = prop::sample::subsequence(NAMES.to_vec(), 0..3)
        .prop_map(|names| Choice::Named(names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>()));
    prop_oneof![4 => Just(Choice::Due), 1 => Just(Choice::All), 1 => named]
}

/// Carries a decision out; servers that are launched in these ways do not answer.
fn carried_out(before: &[Known], sync: &Sync, dead: &BTreeSet<Fingerprint>, answer: u32) -> Vec<Known> {
    let outcome = |step: &Step| {
        let outcome = if dead.contains(&step.fingerprint) { Err("dead".to_owned()) } else { Ok(answer) };
        (step.name.clone(), outcome)
    };
    let outcomes: BTreeMap<_, _> = sync.asked().map(outcome).collect();
    put(before, sync.fold(outcomes))
}

proptest! {
    #[test]
    fn a_history_of_catalogues_leaves_exactly_what_is_wanted(
        history in prop::collection::vec(
            (catalogues(), choices(), prop::collection::btree_set((1..5_u8).prop_map(fingerprint), 0..3)),
            1..6,
        ),
    ) {
        let mut known: Vec<Known> = Vec::new();
        for (number, (wanted, choice, dead)) in (1..).zip(history) {
            let sync = decide(&wanted, &held(&known), &choice);

            // Each server has one step, in the order of the catalogue.
            let names: Vec<_> = sync.steps.iter().map(|step| &step.name).collect();
            prop_assert_eq!(&names, &wanted.iter().map(|wanted| &wanted.name).collect::<Vec<_>>());
            // Everything that was known goes to one server, or goes: nothing is orphaned, nothing copied.
            let mut used: Vec<&str> =
                sync.steps.iter().filter_map(|step| step.from.as_deref()).chain(sync.drop.iter().map(String::as_str)).collect();
            used.sort_unstable();
            let mut all: Vec<&str> = known.iter().map(|known| known.held.name.as_str()).collect();
            all.sort_unstable();
            prop_assert_eq!(used, all);
            // Who is not due is known under its own fingerprint, and answered last time.
            for step in sync.steps.iter().filter(|step| step.due.is_none()) {
                let known = known.iter().find(|known| Some(&known.held.name) == step.from.as_ref()).unwrap();
                prop_assert!(known.held.fingerprint == step.fingerprint && !known.held.stale);
            }
            // Where as many are known under a fingerprint as are wanted, nobody asks for the fingerprint's sake.
            if choice == Choice::Due {
                for way in (1..5).map(fingerprint) {
                    let fresh = known.iter().filter(|known| known.held.fingerprint == way);
                    let count = wanted.iter().filter(|wanted| wanted.fingerprint == way).count();
                    if fresh.clone().all(|known| !known.held.stale) && fresh.count() >= count {
                        prop_assert!(sync.asked().all(|step| step.fingerprint != way));
                    }
                }
            }

            let after = carried_out(&known, &sync, &dead, number);
            // What was known of a server is there after a failure, too.
            for step in &sync.steps {
                let before = step.from.as_ref().and_then(|from| known.iter().find(|known| known.held.name == *from));
                let now = after.iter().find(|known| known.held.name == step.name.as_str());
                if let Some(answer) = before.and_then(|before| before.answer) {
                    let now = now.unwrap();
                    prop_assert!(now.answer == Some(answer) || (step.ask && now.answer == Some(number)));
                }
            }
            // A second look asks those again that failed or were left, and nobody else.
            let again = decide(&wanted, &held(&after), &Choice::Due);
            prop_assert!(again.drop.is_empty() && again.steps.iter().all(|step| step.renamed().is_none()));
            for step in &again.steps {
                let first = sync.steps.iter().find(|first| first.name == step.name).unwrap();
                let failed = first.ask && dead.contains(&first.fingerprint);
                let left = !first.ask && first.due.is_some();
                prop_assert_eq!(step.ask, failed || left, "{:?} after {:?}", step, first);
            }
            if !sync.leaves_some() && sync.asked().all(|step| !dead.contains(&step.fingerprint)) {
                prop_assert!(again.is_empty());
            }
            known = after;
        }
    }
}
