//! The board: what the daemon has announced, as one value that is swapped whole.
//!
//! Whoever reads it holds one consistent state: the revision, the catalogue and the settings belong together.

mod bulletin;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::name::ClientId;
use switchboard_core::problem::Problem;
use switchboard_core::settings::Settings;

use super::view::View;
use crate::history::Entry;

pub(crate) use bulletin::Bulletin;

/// How many bulletins are kept in full, for followers that come back.
const KEPT: usize = 64;

/// How many bytes of them.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Everything that the doors show.
#[derive(Clone, Default)]
pub(crate) struct Board {
    /// The revisions that were announced, oldest first; the last one is in service. Empty before the first revision.
    bulletins: VecDeque<Arc<Bulletin>>,
    /// What is known of earlier revisions, oldest first.
    pub(crate) past: Arc<Vec<Entry>>,
    /// The settings in force.
    pub(crate) settings: Arc<Settings>,
    /// How clients start us.
    pub(crate) bridge: Arc<Bridge>,
    /// What is wrong with files of the user's, each with the file's name: they are told in every surface.
    pub(crate) problems: Arc<Vec<(String, Problem)>>,
    /// How the clients' files stand.
    pub(crate) clients: Arc<BTreeMap<ClientId, View>>,
    /// Everything that start-up has to do is done.
    pub(crate) ready: bool,
}

/// What somebody who has seen one revision is to be told next.
#[derive(Clone)]
pub(crate) enum Next {
    /// Nothing: it is the newest.
    Nothing,
    /// The revision that follows.
    Revision(Arc<Bulletin>),
    /// The newest one whole, since what lies between is not known any more; with the servers that changed meanwhile.
    Whole(Arc<Bulletin>, Vec<String>),
}

impl Board {
    /// Returns a board with nothing announced.
    #[cfg(test)]
    pub(crate) fn new(past: Arc<Vec<Entry>>, settings: Arc<Settings>, bridge: Arc<Bridge>) -> Self {
        Self { past, settings, bridge, ..Self::default() }
    }

    /// Returns the revision in service; `None` before the first.
    pub(crate) fn now(&self) -> Option<&Arc<Bulletin>> {
        self.bulletins.back()
    }

    /// Returns the number of the revision in service; 0 before the first.
    pub(crate) fn number(&self) -> u64 {
        self.now().map_or(0, |now| now.number())
    }

    /// Puts a new revision on the board, and returns whether it is one: numbers only ever grow. The oldest go when
    /// there are too many, or too many bytes of them.
    pub(crate) fn announce(&mut self, bulletin: Bulletin) -> bool {
        if bulletin.number() <= self.number() {
            return false;
        }
        self.bulletins.push_back(Arc::new(bulletin));
        let mut bytes: usize = self.bulletins.iter().map(|one| one.size()).sum();
        while self.bulletins.len() > 1 && (self.bulletins.len() > KEPT || bytes > KEPT_BYTES) {
            bytes -= self.bulletins.pop_front().map_or(0, |gone| gone.size());
        }
        true
    }

    /// Forgets the revisions after this one: what is left is the board as it was then.
    pub(crate) fn forget_after(&mut self, number: u64) {
        self.bulletins.retain(|one| one.number() <= number);
    }

    /// Returns what somebody who has seen revision `seen` is to be told next: each revision in order where they are
    /// still known, else the newest one whole. A number that is still to come was never seen.
    pub(crate) fn after(&self, seen: u64) -> Next {
        let Some(now) = self.now() else { return Next::Nothing };
        if seen == now.number() {
            return Next::Nothing;
        }
        let follows = self.bulletins.iter().find(|one| one.number() == seen.saturating_add(1));
        match follows {
            Some(next) => Next::Revision(Arc::clone(next)),
            None => Next::Whole(Arc::clone(now), self.changed_since(seen)),
        }
    }

    /// Returns the servers that changed since revision `seen`, each once; all that are served when that is not known.
    pub(crate) fn changed_since(&self, seen: u64) -> Vec<String> {
        let Some(now) = self.now() else { return Vec::new() };
        let oldest = self.bulletins.front().map_or(0, |one| one.number());
        let past = self.past.iter().filter(|entry| entry.revision.number < oldest);
        let later = past
            .chain(self.bulletins.iter().map(|one| &one.entry))
            .filter(|entry| entry.revision.number > seen)
            .collect::<Vec<_>>();
        let is_whole = later.first().map_or(seen == now.number(), |first| first.revision.number == seen + 1)
            && later.windows(2).all(|pair| pair[0].revision.number + 1 == pair[1].revision.number);
        if seen == 0 || !is_whole {
            return now.names();
        }
        let mut told = BTreeSet::new();
        later.iter().flat_map(|entry| &entry.changed).filter(|name| told.insert(*name)).cloned().collect()
    }

    /// Returns what the catalogue says; nothing before the first revision.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.now().map_or_else(Arc::default, |now| Arc::clone(&now.catalogue))
    }

    /// Returns the servers as the value of `mcpServers`.
    pub(crate) fn servers(&self) -> Bytes {
        self.now().map_or_else(|| Bytes::from_static(b"{}"), |now| now.servers())
    }
}

#[cfg(test)]
mod tests;
