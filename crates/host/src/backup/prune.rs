//! Keeping the store within bounds.

use std::collections::HashSet;
use std::io;

use super::{Backup, BackupError, Backups, Line};
use crate::hash::Hash;
use crate::own::{self, PublishError};
use crate::{system, time};

/// How much of the past is kept. What is pinned is kept beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At most so many contents.
    pub count: usize,
    /// None that was last kept longer ago than this, in milliseconds.
    pub age: u64,
    /// At most so many bytes in all.
    pub bytes: u64,
}

/// What pruning came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many contents were removed.
    pub count: usize,
    /// How many bytes they held.
    pub bytes: u64,
}

impl Backups {
    /// Removes the oldest contents until the rest is within `limits`; never one that is in `pinned`.
    ///
    /// Pinned contents count towards the limits, so that others make room for them.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written; what was removed until then is gone, everything else is as it was.
    pub fn prune(&self, limits: Limits, pinned: &HashSet<Hash>) -> Result<Pruned, BackupError> {
        let _held = self.hold()?;
        let gone = too_many(self.list()?, limits, pinned);
        if gone.is_empty() {
            return Ok(Pruned::default());
        }
        // Objects first: a line without an object is passed over, an object without a line would live on unlabelled.
        for backup in &gone {
            system::remove(&self.object(backup.hash)).map_err(self.io())?;
        }
        self.forget(&gone.iter().map(|backup| backup.hash).collect())?;
        Ok(Pruned { count: gone.len(), bytes: gone.iter().map(|backup| backup.size).sum() })
    }

    fn forget(&self, gone: &HashSet<Hash>) -> Result<(), BackupError> {
        let mut text = Vec::new();
        for line in self.lines()?.iter().filter(|line| !gone.contains(&line.hash)) {
            write_line(&mut text, line).map_err(self.io())?;
        }
        own::publish(&self.index(), &text).map_err(PublishError::into_io).map_err(self.io())
    }
}

fn write_line(text: &mut Vec<u8>, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

/// Returns one entry for each content that is over the limits, each by the last time it was kept.
fn too_many(backups: Vec<Backup>, limits: Limits, pinned: &HashSet<Hash>) -> Vec<Backup> {
    let mut seen = HashSet::new();
    let newest_first: Vec<Backup> =
        backups.into_iter().rev().filter(|backup| seen.insert(backup.hash)).collect();
    let (kept, others): (Vec<_>, Vec<_>) =
        newest_first.into_iter().partition(|backup| pinned.contains(&backup.hash));
    let mut count = kept.len();
    let mut bytes: u64 = kept.iter().map(|backup| backup.size).sum();
    let oldest = time::now().saturating_sub(limits.age);
    let mut full = false;
    let over = |backup: &Backup| {
        // Once one does not fit, none that is older is kept either: the past has no holes.
        full |= count >= limits.count || bytes + backup.size > limits.bytes || backup.time < oldest;
        if !full {
            count += 1;
            bytes += backup.size;
        }
        full
    };
    others.into_iter().filter(over).collect()
}
