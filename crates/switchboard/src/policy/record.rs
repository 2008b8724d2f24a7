//! What we wrote into the policy file, so that it can be undone, and what is generated in it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use switchboard_core::policy::merge::Base;
use switchboard_host::hash::Hash;

use super::names::Names;

/// How many writes are remembered.
const LIMIT: usize = 200;

/// What is remembered of the policy file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// What was last generated.
    pub(crate) base: Base,
    /// The last good content, in the backups; `None` where that was no file.
    pub(crate) good: Option<Hash>,
    /// What servers are called in the file.
    pub(super) names: Names,
    /// A write on its way.
    coming: Option<Coming>,
    /// The writes, oldest first.
    pub(crate) writes: VecDeque<Write>,
}

/// A write that may not have come to be: the content of the file tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Coming {
    /// What the file is afterwards.
    after: Option<Hash>,
    /// What is generated in it then.
    base: Base,
}

/// One write of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Write {
    /// Its number.
    pub(crate) id: u64,
    /// In seconds since 1970.
    pub(crate) at: u64,
    /// What was done.
    #[serde(flatten)]
    pub(crate) act: Act,
    /// The same as sentences.
    pub(crate) done: Vec<String>,
    /// The bytes before, in the backups; `None` when there was no file.
    pub(crate) before: Option<Hash>,
    /// The bytes after; `None` when the file went.
    pub(crate) after: Option<Hash>,
    /// What had been generated before, in the backups.
    pub(crate) base: Hash,
}

/// What was done to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "act")]
pub(crate) enum Act {
    /// It was brought up to date.
    Sync,
    /// A person said something of a tool.
    Set,
    /// A file that was wrong was put back to the last good one.
    Mend,
    /// A write was taken back.
    Undo {
        /// Which one.
        of: u64,
    },
}

impl Record {
    /// Returns the number of the next write.
    pub(crate) fn next_id(&self) -> u64 {
        self.writes.back().map_or(1, |write| write.id + 1)
    }

    /// Notes a write before it is done.
    pub(crate) fn begin(&mut self, write: Write, base: Base) {
        self.coming = Some(Coming { after: write.after, base });
        self.writes.push_back(write);
        if self.writes.len() > LIMIT {
            self.writes.pop_front();
        }
    }

    /// Finds out what became of a write that was begun: `held` is what stands in the file's place. Returns whether there
    /// was one.
    pub(crate) fn settle(&mut self, held: Option<Hash>) -> bool {
        let Some(coming) = self.coming.take() else { return false };
        if held == coming.after {
            self.base = coming.base;
        } else if self.writes.back().is_some_and(|write| write.before == held) {
            self.writes.pop_back();
        }
        // Else somebody has written since, and nobody knows upon which of the two. What was generated before makes a
        // line a person's at worst; what was to be generated could make tools look taken out that never were there.
        true
    }

    /// Returns the write that is undone where none is named: the last that is not undone yet.
    pub(crate) fn last(&self) -> Option<&Write> {
        let at = *self.standing(self.writes.len()).last()?;
        self.writes.get(at)
    }

    /// Returns the writes that stood before write number `end` of the list, by their places.
    fn standing(&self, end: usize) -> Vec<usize> {
        let mut stacks: Vec<Vec<usize>> = vec![Vec::new()];
        for (at, write) in self.writes.iter().enumerate().take(end) {
            let now = stacks.last().cloned().unwrap_or_default();
            stacks.push(match write.act {
                Act::Undo { of } => match self.place(of) {
                    Some(undone) if undone < at => stacks[undone].clone(),
                    // It is so long ago that it is forgotten, and with it all that stood before.
                    _ => Vec::new(),
                },
                Act::Sync | Act::Set | Act::Mend => now.into_iter().chain([at]).collect(),
            });
        }
        stacks.pop().unwrap_or_default()
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.writes.iter().position(|write| write.id == id)
    }

    /// Returns a write by its number.
    pub(crate) fn write(&self, id: u64) -> Option<&Write> {
        self.writes.iter().find(|write| write.id == id)
    }

    /// Returns whether a write stands: it is an undo, or was not undone.
    pub(crate) fn stands(&self, id: u64) -> bool {
        let Some(at) = self.place(id) else { return false };
        matches!(self.writes[at].act, Act::Undo { .. }) || self.standing(self.writes.len()).contains(&at)
    }

    /// Returns whether taking back `id` takes back nothing but our own writes, where the file is `held` now.
    pub(crate) fn is_ours_since(&self, id: u64, held: Option<Hash>) -> bool {
        let Some(at) = self.place(id) else { return false };
        let unbroken = |chain: &[usize]| {
            let joined =
                chain.windows(2).all(|pair| self.writes[pair[0]].after == self.writes[pair[1]].before);
            joined && chain.last().is_some_and(|last| self.writes[*last].after == held)
        };
        let all: Vec<usize> = (at..self.writes.len()).collect();
        // What was undone in between counts no more.
        let standing = self.standing(self.writes.len());
        let since = standing.iter().position(|standing| *standing == at).map(|from| &standing[from..]);
        unbroken(&all) || since.is_some_and(unbroken)
    }

    /// Returns the backups that going back relies on.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = Hash> + '_ {
        let writes = self.writes.iter();
        let all = writes.flat_map(|write| [write.before, write.after, Some(write.base)]);
        all.chain([self.good]).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> Hash {
        Hash::of(&[byte])
    }

    fn record(writes: &[(Act, u8, u8)]) -> Record {
        let mut record = Record::default();
        for (act, before, after) in writes {
            let write = Write {
                id: record.next_id(),
                at: 0,
                act: *act,
                done: Vec::new(),
                before: Some(hash(*before)),
                after: Some(hash(*after)),
                base: hash(0),
            };
            record.begin(write, Base::default());
            record.settle(Some(hash(*after)));
        }
        record
    }

    #[test]
    fn undoing_goes_back_step_by_step_and_an_undo_can_be_undone() {
        use Act::{Set, Sync, Undo};
        let last = |writes: &[(Act, u8, u8)]| record(writes).last().map(|write| write.id);
        assert_eq!(last(&[]), None);
        assert_eq!(last(&[(Sync, 0, 1), (Set, 1, 2)]), Some(2));
        assert_eq!(last(&[(Sync, 0, 1), (Set, 1, 2), (Undo { of: 2 }, 2, 1)]), Some(1));
        assert_eq!(last(&[(Sync, 0, 1), (Set, 1, 2), (Undo { of: 1 }, 2, 0)]), None);
        // The undo undone: what it took back stands again.
        let again = [(Sync, 0, 1), (Set, 1, 2), (Undo { of: 2 }, 2, 1), (Undo { of: 3 }, 1, 2)];
        assert_eq!(last(&again), Some(2));
        assert_eq!(last(&[(Sync, 0, 1), (Set, 1, 2), (Undo { of: 2 }, 2, 1), (Set, 1, 3)]), Some(4));
    }

    #[test]
    fn what_somebody_wrote_in_between_is_noticed() {
        use Act::{Set, Sync, Undo};
        let plain = record(&[(Sync, 0, 1), (Set, 1, 2)]);
        assert!(plain.is_ours_since(2, Some(hash(2))));
        assert!(plain.is_ours_since(1, Some(hash(2))));
        assert!(!plain.is_ours_since(2, Some(hash(9))));
        assert!(!plain.is_ours_since(2, None));
        assert!(!plain.is_ours_since(7, Some(hash(2))));
        let edited = record(&[(Sync, 0, 1), (Set, 8, 9)]);
        assert!(edited.is_ours_since(2, Some(hash(9))));
        assert!(!edited.is_ours_since(1, Some(hash(9))));
        // Undone by force, back upon what we wrote first: nothing of theirs is there to be lost.
        let forced = record(&[(Sync, 0, 1), (Set, 1, 2), (Undo { of: 2 }, 9, 1)]);
        assert!(forced.is_ours_since(1, Some(hash(1))));
    }

    #[test]
    fn a_write_that_never_came_to_be_is_not_remembered() {
        let write = Write {
            id: 1,
            at: 0,
            act: Act::Sync,
            done: Vec::new(),
            before: None,
            after: Some(hash(1)),
            base: hash(0),
        };
        let mut base = Base::default();
        base.give("k8s", "get_pods", "risk");
        for (held, writes, knows) in [(None, 0, false), (Some(hash(1)), 1, true), (Some(hash(7)), 1, false)] {
            let mut record = Record::default();
            record.begin(write.clone(), base.clone());
            let text = serde_json::to_string(&record).unwrap();
            let mut record: Record = serde_json::from_str(&text).unwrap();
            record.settle(held);
            assert_eq!(
                (record.writes.len(), record.base.knows("k8s", "get_pods")),
                (writes, knows),
                "{held:?}"
            );
        }
    }

    #[test]
    fn the_oldest_writes_are_forgotten() {
        let writes: Vec<(Act, u8, u8)> = (0..250).map(|at| (Act::Set, at, at + 1)).collect();
        let record = record(&writes);
        assert_eq!((record.writes.len(), record.next_id()), (LIMIT, 251));
        assert!(record.is_ours_since(51, Some(hash(250))));
        assert_eq!(record.write(50), None);
    }
}
