//! What is remembered between a client and the catalogue: one record per entry of the client's file.
//!
//! It is state, not configuration: a lost record is rebuilt by a scan.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::document::Footing;
use crate::launch::Launch;
use crate::name::{Alias, ClientId, ServerName};
use crate::value::Value;

/// Everything that is remembered about clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relations {
    /// By client.
    #[serde(default)]
    pub clients: BTreeMap<ClientId, ClientRecord>,
}

/// What is remembered about one client's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRecord {
    /// The file, as it was linked.
    pub path: String,
    /// The entries that are ours, or that were decided about.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// What each section was like before we first wrote into it; the main one has no name.
    #[serde(default)]
    pub footings: BTreeMap<String, Footing>,
    /// The hash of the file when it was last read in full or written by us; its bytes are in the backups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The hash of the file before our first push, kept for `uninstall`; `None` when there was no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The revision that was last pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The time of the last read or write, in seconds since 1970.
    #[serde(default)]
    pub at: u64,
}

/// One record: what became of one server in one client's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The section of the file: `None` for the main one, else the project that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// What the client calls it. It belongs to the client: it is never changed.
    pub alias: Alias,
    /// The server of the catalogue.
    pub server: ServerName,
    /// Whether we keep it in step.
    pub standing: Standing,
}

/// Whether and how an entry is kept in step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// We keep it in step.
    Managed {
        /// What we last wrote, or found when we took it over.
        base: Launch,
        /// The entry before we first wrote into it; `None` when we added the entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Value>,
    },
    /// A person decided that the file's version stands, present or absent; we leave it alone.
    Kept,
    /// We took the entry out because its server is not wanted now; it comes back as it was.
    Stashed {
        /// The entry when it was taken out: what the client keeps in it beside our fields is in there.
        entry: Value,
        /// As for a managed entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Value>,
    },
}

impl ClientRecord {
    /// Returns the record of this entry.
    pub fn relation(&self, section: Option<&str>, alias: &str) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.section.as_deref() == section && relation.alias.as_str() == alias)
    }

    /// Puts a record in the place of the one for the same entry.
    pub fn put(&mut self, relation: Relation) {
        let same = |own: &&mut Relation| own.section == relation.section && own.alias == relation.alias;
        match self.relations.iter_mut().find(same) {
            // In its place: of two records of one server the first counts, today and tomorrow.
            Some(own) => *own = relation,
            None => self.relations.push(relation),
        }
    }

    /// Removes the record of this entry.
    pub fn forget(&mut self, section: Option<&str>, alias: &str) {
        self.relations.retain(|own| own.section.as_deref() != section || own.alias.as_str() != alias);
    }

    /// Removes records of entries that are not among `entries`, where their server has another one that is: it was renamed.
    pub(crate) fn forget_renamed<'e>(&mut self, entries: impl Iterator<Item = (Option<&'e str>, &'e str)>) {
        let entries: HashSet<(Option<&str>, &str)> = entries.collect();
        let there = |own: &Relation| entries.contains(&(own.section.as_deref(), own.alias.as_str()));
        let managed = |own: &Relation| matches!(own.standing, Standing::Managed { .. });
        let served: BTreeSet<ServerName> = self
            .relations
            .iter()
            .filter(|own| managed(own) && there(own))
            .map(|own| own.server.clone())
            .collect();
        self.relations.retain(|own| !managed(own) || there(own) || !served.contains(&own.server));
    }

    /// Returns whether a push has ever written, or an import taken over, an entry of this file.
    pub fn has_managed(&self) -> bool {
        self.relations.iter().any(|relation| matches!(relation.standing, Standing::Managed { .. }))
    }
}

/// The name under which a section's footing is kept.
pub fn section_key(section: Option<&str>) -> String {
    section.unwrap_or_default().to_owned()
}
