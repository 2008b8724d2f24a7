//! The board: what the daemon has announced, as one value that is swapped whole.
//!
//! Whoever reads it holds one consistent state: the revision, the catalogue and the settings belong together.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::name::ClientId;
use switchboard_core::problem::Problem;
use switchboard_core::settings::Settings;

use super::view::View;
use crate::history::Entry;

/// How many bulletins are kept in full, for followers that come back.
const KEPT: usize = 64;

/// How many bytes of them.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Everything that the doors show.
#[derive(Clone, Default)]
pub(crate) struct Board {
    /// The revisions that were announced, oldest first; the last one is in service. `None` before the first revision.
    pub(crate) bulletins: VecDeque<Arc<Bulletin>>,
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

/// One announced revision.
pub(crate) struct Bulletin {
    /// The revision, its hash, when and why it came to be, and the servers concerned.
    pub(crate) entry: Entry,
    /// What the catalogue says at this revision.
    pub(crate) catalogue: Arc<Catalogue>,
    /// The servers as JSON in the usual `mcpServers` form, references unresolved: prepared once, shared by all.
    pub(crate) servers: Bytes,
}

impl Bulletin {
    /// Returns the bulletin of a revision.
    pub(crate) fn new(entry: Entry, catalogue: Arc<Catalogue>) -> Self {
        Self { entry, catalogue, servers: Bytes::new() }
    }
}

impl Board {
    /// Returns the revision in service.
    pub(crate) fn now(&self) -> Option<&Arc<Bulletin>> {
        self.bulletins.back()
    }

    /// Puts a new revision on the board; the oldest go when there are too many, or too many bytes of them.
    pub(crate) fn announce(&mut self, bulletin: Bulletin) {
        self.bulletins.push_back(Arc::new(bulletin));
        let bytes = |all: &VecDeque<Arc<Bulletin>>| all.iter().map(|one| one.servers.len()).sum::<usize>();
        while self.bulletins.len() > 1 && (self.bulletins.len() > KEPT || bytes(&self.bulletins) > KEPT_BYTES)
        {
            self.bulletins.pop_front();
        }
    }
}
