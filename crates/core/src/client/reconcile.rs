//! Base, theirs, ours: what should become of each entry of one client's file.
//!
//! Their edits win over ours by asking, not by guessing: only what nobody else changed is written.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::client::relation::{ClientRecord, Relation, Standing};
use crate::client::scan::Found;
use crate::launch::{Fingerprint, Launch};
use crate::name::{Alias, ServerName};

/// What should become of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The section of the file: `None` for the main one.
    pub section: Option<String>,
    /// What the client calls it, or will call it.
    pub alias: Alias,
    /// The server of the catalogue that it is about; `None` for entries that belong to the client alone.
    pub server: Option<ServerName>,
    /// What should become of it.
    pub verdict: Verdict,
}

impl Item {
    /// Returns the key of its entry (`Found::key`).
    pub(crate) fn key(&self) -> (Option<&str>, &str) {
        (self.section.as_deref(), self.alias.as_str())
    }
}

/// What should become of an entry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It says what it should. The record may still have to be put right.
    InStep,
    /// It is wanted and not there.
    Add,
    /// Only we changed: it is to say what we want.
    Update,
    /// It is not wanted any more, and nobody else changed it.
    Remove,
    /// The client runs the same server by itself: its entry becomes ours, so that there are never two.
    TakeOver,
    /// A second entry of a server that has one already, with nothing in it that is the client's: it goes.
    RemoveTwin,
    /// Only they changed.
    Drift(Drift),
    /// They changed, and so did we.
    Conflict(Drift),
    /// A person decided that the file's version stands.
    Kept,
    /// It belongs to the client alone.
    Unmanaged,
}

/// What they did to an entry of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// They wrote something else into it.
    Edited,
    /// They removed it.
    Removed,
    /// They made a second entry of a server, with keys of their own in both, so that neither may go unasked.
    Doubled,
}

impl Verdict {
    /// Returns whether a push would write it.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Add | Self::Update | Self::Remove | Self::TakeOver | Self::RemoveTwin)
    }
}

/// What a client should be given: for each server, the launch that its entry is to say.
pub type Wanted = BTreeMap<ServerName, Launch>;

/// Which launches are the same server as one of the catalogue's.
///
/// The same canonical launch data is the same server, also where the catalogue has a secret by reference that the
/// client's file has openly: `plain` puts such references back.
pub struct Same<'c> {
    by_launch: HashMap<Fingerprint, ServerName>,
    plain: &'c dyn Fn(&Launch) -> Launch,
}

impl<'c> Same<'c> {
    /// Returns the look-up over the servers of a catalogue.
    pub fn of(catalogue: &Catalogue, plain: &'c dyn Fn(&Launch) -> Launch) -> Self {
        let mut by_launch = HashMap::new();
        for server in catalogue.servers() {
            by_launch.entry(plain(&server.launch).fingerprint()).or_insert_with(|| server.name.clone());
        }
        Self { by_launch, plain }
    }

    /// Returns the server that `launch` is.
    pub fn server(&self, launch: &Launch) -> Option<&ServerName> {
        self.by_launch.get(&(self.plain)(launch).fingerprint())
    }
}

/// Returns what should become of every entry of a file, and of every server that it lacks.
///
/// The laws, each with a property test: an alias in use never changes; an entry that is not ours is at most taken
/// over, and only when it is the same server; no server ends up with two entries in one section; what they changed is
/// never written over.
pub fn reconcile(found: &[Found], record: &ClientRecord, wanted: &Wanted, same: &Same<'_>) -> Vec<Item> {
    let mut work = Work::new(found, record, wanted);
    work.recorded(same);
    work.strangers();
    work.same_servers(same);
    work.missing();
    work.rest();
    work.items
}

struct Work<'a> {
    found: &'a [Found],
    record: &'a ClientRecord,
    wanted: &'a Wanted,
    index: HashMap<(Option<&'a str>, &'a str), usize>,
    /// The server of each entry that we have a record of.
    known: HashMap<(Option<&'a str>, &'a str), &'a ServerName>,
    /// Entries that have their item.
    done: Vec<bool>,
    /// Servers that have an entry, or of which a person decided that they have none.
    served: HashSet<&'a ServerName>,
    /// Names, each in its section, that new entries must not take.
    taken: HashSet<(Cow<'a, str>, Cow<'a, str>)>,
    items: Vec<Item>,
}

impl<'a> Work<'a> {
    fn new(found: &'a [Found], record: &'a ClientRecord, wanted: &'a Wanted) -> Self {
        let index = found
            .iter()
            .enumerate()
            .map(|(at, entry)| ((entry.section.as_deref(), entry.alias.as_str()), at))
            .collect();
        let taken = found
            .iter()
            .map(|entry| (section_word(entry.section.as_deref()).into(), entry.alias.as_str().into()))
            .collect();
        Self {
            found,
            record,
            wanted,
            index,
            known: record
                .relations
                .iter()
                .map(|own| ((own.section.as_deref(), own.alias.as_str()), &own.server))
                .collect(),
            done: vec![false; found.len()],
            served: HashSet::new(),
            taken,
            items: Vec::new(),
        }
    }

    fn item(&mut self, section: Option<&str>, alias: &Alias, server: Option<&ServerName>, verdict: Verdict) {
        self.items.push(Item {
            section: section.map(str::to_owned),
            alias: alias.clone(),
            server: server.cloned(),
            verdict,
        });
    }

    fn take(&mut self, section: Option<&str>, alias: &Alias) {
        let section = section_word(section).to_owned();
        self.taken.insert((section.into(), alias.as_str().to_owned().into()));
    }

    /// Entries that we have a record of.
    fn recorded(&mut self, same: &Same<'_>) {
        let record = self.record;
        // What the client or its owner calls otherwise now: the new name counts, and nothing was removed.
        let renamed: HashSet<ServerName> = self
            .found
            .iter()
            .filter(|entry| {
                let key = (entry.section.as_deref(), entry.alias.as_str());
                entry.enabled && !self.known.contains_key(&key)
            })
            .filter_map(|entry| entry.ours.as_ref().or_else(|| same.server(entry.launch.as_ref()?)).cloned())
            .collect();
        // Of two records of one server, the one whose entry stands counts: nothing is missing.
        let standing: HashSet<&ServerName> = record
            .relations
            .iter()
            .filter(|own| !matches!(own.standing, Standing::Stashed { .. }))
            .filter(|own| self.index.contains_key(&(own.section.as_deref(), own.alias.as_str())))
            .map(|own| &own.server)
            .collect();
        for relation in &record.relations {
            let section = relation.section.as_deref();
            let at = self.index.get(&(section, relation.alias.as_str())).copied();
            let server = &relation.server;
            match &relation.standing {
                Standing::Managed { base, .. } => {
                    let mut verdict = self.managed(at, base, server);
                    if let Some(at) = at {
                        self.done[at] = true;
                    }
                    if matches!(verdict, Some(Verdict::Drift(Drift::Removed)))
                        && (renamed.contains(server) || standing.contains(server))
                    {
                        verdict = None;
                    }
                    // A rename in the catalogue can leave two records of one server.
                    if self.served.contains(server) {
                        verdict = match (verdict, at) {
                            (Some(Verdict::InStep | Verdict::Update), Some(at)) => {
                                Some(twin(&self.found[at]))
                            }
                            (Some(Verdict::Drift(Drift::Removed)), _) => None,
                            (verdict, _) => verdict,
                        };
                    }
                    if let Some(verdict) = verdict {
                        self.served.insert(server);
                        self.take(section, &relation.alias);
                        self.item(section, &relation.alias, Some(server), verdict);
                    }
                }
                Standing::Kept => {
                    if let Some(at) = at {
                        self.done[at] = true;
                    }
                    self.served.insert(server);
                    self.item(section, &relation.alias, Some(server), Verdict::Kept);
                }
                Standing::Stashed { .. } => {}
            }
        }
    }

    /// The three-way decision; `None` when both sides are gone and only the record is left.
    fn managed(&self, at: Option<usize>, base: &Launch, server: &ServerName) -> Option<Verdict> {
        let ours = self.wanted.get(server);
        let Some(at) = at else {
            return ours.map(|_| Verdict::Drift(Drift::Removed));
        };
        let theirs = self.found[at].launch.as_ref();
        Some(match (theirs, ours) {
            (Some(theirs), Some(ours)) if theirs.same_fields(ours) => Verdict::InStep,
            (Some(theirs), Some(_)) if theirs.same_fields(base) => Verdict::Update,
            (Some(theirs), None) if theirs.same_fields(base) => Verdict::Remove,
            (_, Some(ours)) if ours.same_fields(base) => Verdict::Drift(Drift::Edited),
            _ => Verdict::Conflict(Drift::Edited),
        })
    }

    /// Entries that reach one of our servers, though we have no record of them: the record was lost.
    fn strangers(&mut self) {
        let found = self.found;
        for (at, entry) in found.iter().enumerate() {
            let Some(server) = entry.ours.as_ref().filter(|_| !self.done[at]) else { continue };
            self.done[at] = true;
            let verdict = match self.wanted.get(server) {
                None => Verdict::Remove,
                _ if self.served.contains(server) => twin(entry),
                Some(ours) if entry.launch.as_ref().is_some_and(|theirs| theirs.same_fields(ours)) => {
                    Verdict::InStep
                }
                Some(_) => Verdict::Update,
            };
            self.served.insert(server);
            self.item(entry.section.as_deref(), &entry.alias, Some(server), verdict);
        }
    }

    /// Entries by which the client runs a wanted server itself.
    fn same_servers(&mut self, same: &'a Same<'_>) {
        let found = self.found;
        // Of two entries of one server, the one with keys of the client's own is taken over.
        let mut order: Vec<usize> = (0..found.len()).filter(|&at| !self.done[at]).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(found[at].foreign.len()));
        for at in order {
            let entry = &found[at];
            let Some(server) =
                entry.launch.as_ref().filter(|_| entry.enabled).and_then(|launch| same.server(launch))
            else {
                continue;
            };
            if !self.wanted.contains_key(server) {
                continue;
            }
            self.done[at] = true;
            let verdict = if self.served.insert(server) { Verdict::TakeOver } else { twin(entry) };
            self.item(entry.section.as_deref(), &entry.alias, Some(server), verdict);
        }
    }

    /// Servers that are wanted and have no entry.
    fn missing(&mut self) {
        let (wanted, record) = (self.wanted, self.record);
        let stashes: HashMap<&ServerName, &Relation> = record
            .relations
            .iter()
            .rev()
            .filter(|relation| matches!(relation.standing, Standing::Stashed { .. }))
            .map(|relation| (&relation.server, relation))
            .collect();
        for server in wanted.keys() {
            if !self.served.insert(server) {
                continue;
            }
            let stashed = stashes.get(server);
            let section = stashed.and_then(|relation| relation.section.as_deref());
            let alias = stashed.map_or_else(|| Alias::from(server), |relation| relation.alias.clone());
            let alias = alias.free(|alias| {
                let of_another = self.known.get(&(section, alias)).is_some_and(|own| **own != *server);
                // Another server's own name is left to it, so a name that has no number need not be noted.
                let wanted_by_another = alias != server.as_str() && wanted.contains_key(alias);
                of_another
                    || wanted_by_another
                    || self.taken.contains(&(section_word(section).into(), alias.into()))
            });
            if alias.as_str() != server.as_str() {
                self.take(section, &alias);
            }
            self.item(section, &alias, Some(server), Verdict::Add);
        }
    }

    /// Entries that belong to the client alone.
    fn rest(&mut self) {
        let found = self.found;
        for (at, entry) in found.iter().enumerate() {
            if !self.done[at] && (entry.launch.is_some() || entry.problem.is_some()) {
                self.item(entry.section.as_deref(), &entry.alias, None, Verdict::Unmanaged);
            }
        }
    }
}

/// A word for a section that no project is called by when it is the main one.
fn section_word(section: Option<&str>) -> &str {
    section.unwrap_or("\0")
}

/// A second entry goes when it holds nothing of the client's own; else a person must say which one stays.
pub(crate) fn twin(entry: &Found) -> Verdict {
    if entry.foreign.is_empty() { Verdict::RemoveTwin } else { Verdict::Conflict(Drift::Doubled) }
}
