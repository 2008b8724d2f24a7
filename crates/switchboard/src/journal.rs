//! What was written into client files, so that it can be undone.

use serde::{Deserialize, Serialize};
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ClientId;
use switchboard_host::backup::Backups;
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
    /// What was remembered of the client before, in the backups: with every write of many, it would be most of the
    /// journal, and the journal is read and written whole.
    pub(crate) record: Hash,
    /// It was undone.
    #[serde(default)]
    pub(crate) undone: bool,
    /// It is being undone. Noted before the file is touched, so that what a crash cuts off can be finished: the hash
    /// tells whether the file was put back.
    #[serde(default)]
    pub(crate) undoing: bool,
    /// What the file becomes by an undo that keeps what somebody else changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merged: Option<Hash>,
}

impl Write {
    /// Returns what was remembered of the client before this write; `None` where that is lost.
    pub(crate) fn remembered(&self, backups: &Backups) -> Option<ClientRecord> {
        serde_json::from_slice(&backups.load(self.record).ok()?).ok()
    }
}

impl Journal {
    /// Notes a write down.
    pub(crate) fn push(&mut self, write: Write) {
        self.entries.push(write);
        while self.entries.len() > LIMIT {
            self.shorten();
        }
    }

    /// Makes one write of a file's two oldest, so that what was there before the first of them is still known; a file
    /// written only once keeps its note.
    fn shorten(&mut self) {
        let same = |a: &Write, b: &Write| a.client == b.client && a.path == b.path;
        let pair = (0..self.entries.len()).find_map(|first| {
            let later =
                self.entries[first + 1..].iter().position(|write| same(write, &self.entries[first]))?;
            Some((first, first + 1 + later))
        });
        let Some((first, second)) = pair else {
            self.entries.remove(0);
            return;
        };
        let gone = self.entries.remove(second);
        let kept = &mut self.entries[first];
        if kept.undone {
            *kept = gone;
        } else if !gone.undone {
            kept.after = gone.after;
            kept.at = gone.at;
            kept.revision = gone.revision;
            kept.done = vec!["several writes".to_owned()];
        }
    }

    /// Returns the bytes of a record, as they are kept in the backups.
    pub(crate) fn bytes_of(record: &ClientRecord) -> Vec<u8> {
        serde_json::to_vec(record).unwrap_or_default()
    }

    /// Returns the writes of a client, newest first.
    pub(crate) fn of(&self, client: &str) -> impl Iterator<Item = &Write> {
        self.entries.iter().rev().filter(move |write| write.client.as_str() == client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(client: &str, before: u8, after: u8) -> Write {
        let hash = |byte: u8| Hash::of(&[byte]);
        Write {
            client: ClientId::parse(client).unwrap(),
            path: format!("/{client}"),
            at: u64::from(after),
            before: Some(hash(before)),
            after: hash(after),
            revision: 0,
            done: vec![after.to_string()],
            record: hash(0),
            undone: false,
            undoing: false,
            merged: None,
        }
    }

    #[test]
    fn what_was_there_before_the_first_write_is_never_forgotten() {
        let mut journal = Journal::default();
        journal.push(write("quiet", 1, 2));
        for step in 0..LIMIT + 40 {
            let byte = |step: usize| u8::try_from(step % 200).unwrap();
            journal.push(write("busy", byte(step), byte(step + 1)));
        }
        assert_eq!(journal.entries.len(), LIMIT);
        assert_eq!(journal.of("quiet").count(), 1);
        let writes: Vec<&Write> = journal.of("busy").collect();
        assert_eq!(writes.last().unwrap().before, Some(Hash::of(&[0])), "the first bytes are still known");
        assert!(writes.windows(2).all(|pair| pair[0].before == Some(pair[1].after)), "the chain holds");
    }
}
