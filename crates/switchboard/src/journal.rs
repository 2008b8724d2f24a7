//! What was written into client files, so that it can be undone.

use serde::{Deserialize, Serialize};
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ClientId;
use switchboard_host::hash::Hash;

/// How many writes are remembered.
const LIMIT: usize = 400;

/// The writes, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    pub entries: Vec<Write>,
}

/// One write of a client's file.
///
/// It is noted down before the file is touched: a crash in between leaves a note of a write that never was, which is
/// told by the hash, never a write without a note.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write {
    pub client: ClientId,
    pub path: String,
    /// In seconds since 1970.
    pub at: u64,
    /// The bytes before, in the backups; `None` when there was no file.
    pub before: Option<Hash>,
    /// The bytes after, in the backups.
    pub after: Hash,
    /// The revision that was pushed.
    pub revision: u64,
    /// What was done, as sentences.
    pub done: Vec<String>,
    /// What was remembered of the client before.
    pub record: ClientRecord,
    /// It was undone.
    #[serde(default)]
    pub undone: bool,
}

impl Journal {
    /// Notes a write down.
    pub fn push(&mut self, write: Write) {
        self.entries.push(write);
        let surplus = self.entries.len().saturating_sub(LIMIT);
        self.entries.drain(..surplus);
    }

    /// Returns the writes of a client, newest first.
    pub fn of(&self, client: &str) -> impl Iterator<Item = &Write> {
        self.entries.iter().rev().filter(move |write| write.client.as_str() == client)
    }
}
