//! What was written into client files, so that it can be undone.

use serde::{Deserialize, Serialize};
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ClientId;
use switchboard_host::hash::Hash;

/// How many writes are remembered.
const LIMIT: usize = 400;

/// The writes, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Write>,
}

/// One write of a client's file.
///
/// It is noted down before the file is touched: a crash in between leaves a note of a write that never was, which is
/// told by the hash, never a write without a note.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Write {
    pub(crate) client: ClientId,
    pub(crate) path: String,
    /// In seconds since 1970.
    pub(crate) at: u64,
    /// The bytes before, in the backups; `None` when there was no file.
    pub(crate) before: Option<Hash>,
    /// The bytes after, in the backups.
    pub(crate) after: Hash,
    /// The revision that was pushed.
    pub(crate) revision: u64,
    /// What was done, as sentences.
    pub(crate) done: Vec<String>,
    /// What was remembered of the client before.
    pub(crate) record: ClientRecord,
    /// It was undone.
    #[serde(default)]
    pub(crate) undone: bool,
}

impl Journal {
    /// Notes a write down.
    pub(crate) fn push(&mut self, write: Write) {
        self.entries.push(write);
        let surplus = self.entries.len().saturating_sub(LIMIT);
        self.entries.drain(..surplus);
    }

    /// Returns the writes of a client, newest first.
    pub(crate) fn of(&self, client: &str) -> impl Iterator<Item = &Write> {
        self.entries.iter().rev().filter(move |write| write.client.as_str() == client)
    }
}
