//! The revisions of the catalogue, with the text of each.

use serde::{Deserialize, Serialize};
use switchboard_core::catalogue::{self, Catalogue};
use switchboard_core::revision::{Revision, content_hash, reason};
use switchboard_host::backup::{Backups, Label};
use switchboard_host::dirs::Dirs;
use switchboard_host::hash::Hash;

use crate::fail::Failure;
use crate::home::save;

/// How many revisions are remembered.
const LIMIT: usize = 500;

/// The revisions, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) entries: Vec<Entry>,
}

/// One accepted change of the catalogue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) revision: Revision,
    /// In seconds since 1970.
    pub(crate) at: u64,
    /// What changed, as a sentence.
    pub(crate) reason: String,
    /// The servers concerned.
    pub(crate) changed: Vec<String>,
    /// How many servers there were.
    pub(crate) servers: usize,
    /// The text of the catalogue, in the backups.
    pub(crate) text: Hash,
}

impl History {
    /// Returns the newest revision.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// Returns whether the newest revision had any servers.
    pub(crate) fn had_servers(&self) -> bool {
        self.last().is_some_and(|entry| entry.servers > 0)
    }

    /// Returns whether `catalogue` says something else than the newest revision.
    pub(crate) fn differs(&self, catalogue: &Catalogue) -> bool {
        match self.last() {
            Some(last) => last.revision.hash != content_hash(catalogue),
            None => !catalogue.is_empty(),
        }
    }

    /// Returns the catalogue of the newest revision.
    pub(crate) fn last_catalogue(&self, backups: &Backups) -> Option<Catalogue> {
        let bytes = backups.load(self.last()?.text).ok()?;
        Some(catalogue::parse(std::str::from_utf8(&bytes).ok()?).value)
    }

    /// Takes `catalogue` in as a new revision, unless it says the same as the newest. The first one is numbered from
    /// `above` on.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn record(
        &mut self,
        catalogue: &Catalogue,
        before: Option<&Catalogue>,
        text: &str,
        dirs: &Dirs,
        above: u64,
        at: u64,
    ) -> Result<(), Failure> {
        let Some(mut revision) = Revision::after(self.last().map(|entry| &entry.revision), catalogue) else {
            return Ok(());
        };
        if revision.parent.is_none() {
            revision.number += above;
        }
        let (reason, changed) = reason(before.unwrap_or(&Catalogue::default()), catalogue);
        let label = Label::now(None, &dirs.catalogue(), &format!("revision {}", revision.number));
        let text = Backups::new(dirs.backups())
            .keep(text.as_bytes(), &label)
            .map_err(|error| Failure::failed("keep the revision").caused_by(&error).hint(error.help()))?;
        self.entries.push(Entry { revision, at, reason, changed, servers: catalogue.servers().len(), text });
        let surplus = self.entries.len().saturating_sub(LIMIT);
        self.entries.drain(..surplus);
        save(&dirs.history(), self)
    }

    /// Numbers the newest revision so that it is none before `seen`, which somebody has seen: as `seen` itself where it
    /// says the same, as the one after it else.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn raise(&mut self, seen: &Revision, dirs: &Dirs) -> Result<(), Failure> {
        let Some(Entry { revision, .. }) = self.entries.last_mut() else { return Ok(()) };
        let is_same = revision.hash == seen.hash;
        let least = if is_same { seen.number } else { seen.number + 1 };
        if revision.number >= least {
            return Ok(());
        }
        revision.number = least;
        save(&dirs.history(), self)
    }
}
