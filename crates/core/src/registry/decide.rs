//! Which servers have to be asked what they offer.

use std::collections::{BTreeMap, BTreeSet};

use crate::launch::Fingerprint;
use crate::name::ServerName;

/// A server that is to be in the registry.
///
/// Disabled servers are not: they are not served, so that nobody can use what they offer. One that is enabled again is
/// asked again, before anybody calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What the catalogue calls it.
    pub name: ServerName,
    /// The hash over everything by which it is started or reached.
    pub fingerprint: Fingerprint,
}

/// A server that is in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it was called.
    pub name: String,
    /// How it was started or reached when it said what it offers.
    pub fingerprint: Fingerprint,
    /// It did not answer when it was asked last.
    pub stale: bool,
}

/// Which servers somebody wants to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Those that have to be.
    #[default]
    Due,
    /// All of them.
    All,
    /// These, in any case, and no others.
    Named(BTreeSet<String>),
}

/// Why a server has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing is known of it.
    New,
    /// It is started or reached in another way than when it was seen.
    Changed,
    /// It did not answer last time.
    Failed,
    /// Somebody wants it.
    Forced,
}

/// What is to be done for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is called now.
    pub name: ServerName,
    /// How it is started or reached now.
    pub fingerprint: Fingerprint,
    /// What it is called in the registry, where something is known of it.
    pub from: Option<String>,
    /// Why it has to be asked; `None` where what is known is as good.
    pub due: Option<Why>,
    /// Whether it is to be asked now. Others than those that were named wait, even where they are due.
    pub ask: bool,
}

impl Step {
    /// Returns what the server was called, where that was something else.
    pub fn renamed(&self) -> Option<&str> {
        self.from.as_deref().filter(|from| *from != self.name.as_str())
    }
}

/// What is to be done, so that the registry holds what the catalogue names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// One step for each server, in the order of the catalogue.
    pub steps: Vec<Step>,
    /// What is known of servers that are there no more, and goes.
    pub drop: Vec<String>,
}

impl Sync {
    /// Returns the servers that are to be asked now.
    pub fn asked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.ask)
    }

    /// Returns whether the registry stays as it is.
    pub fn is_empty(&self) -> bool {
        self.drop.is_empty() && self.steps.iter().all(|step| !step.ask && step.renamed().is_none())
    }

    /// Returns whether a server is left that would have to be asked, and is not.
    pub fn leaves_some(&self) -> bool {
        self.steps.iter().any(|step| step.due.is_some() && !step.ask)
    }
}

/// Compares what the catalogue names with what the registry holds.
///
/// What is known belongs to how a server is launched, not to its name: a server that is called otherwise keeps it, and
/// two that exchange their names exchange it. Everything that is held goes to one server at most, and what goes to none is
/// dropped.
pub fn decide(wanted: &[Wanted], held: &[Held], choice: &Choice) -> Sync {
    let mut left: BTreeMap<&str, &Held> = held.iter().map(|held| (held.name.as_str(), held)).collect();
    let mut from: Vec<Option<&Held>> = vec![None; wanted.len()];
    // Those that are what and who they were.
    for (wanted, from) in wanted.iter().zip(&mut from) {
        let same = left.get(wanted.name.as_str()).filter(|held| held.fingerprint == wanted.fingerprint);
        if same.is_some() {
            *from = left.remove(wanted.name.as_str());
        }
    }
    // Those that are what they were, under other names; the first of the catalogue gets the first of the registry.
    let mut by_fingerprint: BTreeMap<Fingerprint, Vec<&str>> = BTreeMap::new();
    for held in held.iter().rev().filter(|held| left.contains_key(held.name.as_str())) {
        by_fingerprint.entry(held.fingerprint).or_default().push(&held.name);
    }
    for (wanted, from) in wanted.iter().zip(&mut from).filter(|(_, from)| from.is_none()) {
        let name = by_fingerprint.get_mut(&wanted.fingerprint).and_then(Vec::pop);
        *from = name.and_then(|name| left.remove(name));
    }
    // Those that are who they were, and have changed: what was known is better than nothing until they answer.
    for (wanted, from) in wanted.iter().zip(&mut from).filter(|(_, from)| from.is_none()) {
        *from = left.remove(wanted.name.as_str());
    }
    let steps = wanted.iter().zip(from).map(|(wanted, from)| step(wanted, from, choice)).collect();
    let drop = held.iter().map(|held| &held.name).filter(|name| left.contains_key(name.as_str()));
    Sync { steps, drop: drop.cloned().collect() }
}

fn step(wanted: &Wanted, from: Option<&Held>, choice: &Choice) -> Step {
    let due = match from {
        None => Some(Why::New),
        Some(held) if held.fingerprint != wanted.fingerprint => Some(Why::Changed),
        Some(held) if held.stale => Some(Why::Failed),
        Some(_) => None,
    };
    let (due, ask) = match choice {
        Choice::Due => (due, due.is_some()),
        Choice::All => (due.or(Some(Why::Forced)), true),
        Choice::Named(names) if names.contains(wanted.name.as_str()) => (due.or(Some(Why::Forced)), true),
        Choice::Named(_) => (due, false),
    };
    Step {
        name: wanted.name.clone(),
        fingerprint: wanted.fingerprint,
        from: from.map(|held| held.name.clone()),
        due,
        ask,
    }
}
