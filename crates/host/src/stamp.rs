//! The stamp: from which catalogue the registry was filled last, so that where nothing has changed nothing is looked at.
//!
//! It is a small file of its own. To find out that nothing has changed costs reading it and asking the file system about
//! two files ([`unchanged`]); nothing is parsed, and no database is opened. It only ever says that nothing changed where
//! that is certain; whoever is in doubt looks.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::file::Stamp;
use crate::record::{self, RecordError};
use crate::system;

/// The version of what stands in the file. Another one counts as none.
const VERSION: u32 = 1;

/// Longer than any stamp, in bytes.
const LONGEST: usize = 2048;

/// A file that changed so shortly before it was read may have changed once more since, within the same tick of the clock
/// that file systems use (a hundredth of a second at most), without anything to tell by.
const TICK: Duration = Duration::from_millis(200);

/// The same where the file system counts in whole seconds, or in pairs of them.
const COARSE_TICK: Duration = Duration::from_secs(3);

/// From which files a sync was made, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// What the file system said about the catalogue when it was read.
    pub catalogue: Stamp,
    /// When that was: the moment before it was read.
    pub read_at: SystemTime,
    /// What the file system says about the registry, with all that came of the sync in it.
    pub registry: Stamp,
    /// Whether every server answered that had to. Where one did not, it is asked again.
    pub complete: bool,
    /// What came of it.
    pub counts: Counts,
}

/// What a sync came to, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many tools the servers offer together.
    pub tools: u64,
    /// How many servers there are.
    pub servers: u64,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    catalogue: Stamp,
    registry: Stamp,
    /// The sync was complete, and an edit after it cannot have left the stamp of the catalogue as it was.
    sure: bool,
    counts: Counts,
}

/// Returns what the last sync came to where nothing has changed since: neither the catalogue, nor the registry. `None`
/// where that is not certain.
pub fn unchanged(stamp: &Path, catalogue: &Path, registry: &Path) -> Option<Counts> {
    let record = load(stamp)?;
    let is_still =
        |path: &Path, was: Stamp| std::fs::metadata(path).is_ok_and(|meta| system::stamp(&meta) == was);
    let same = record.sure && is_still(catalogue, record.catalogue) && is_still(registry, record.registry);
    same.then_some(record.counts)
}

/// Returns what the file system said about the registry after the last sync: as long as it still does, nobody but us can
/// have written in it.
pub fn registry(stamp: &Path) -> Option<Stamp> {
    load(stamp).map(|record| record.registry)
}

fn load(stamp: &Path) -> Option<Record> {
    let mut file = system::open_to_read(stamp).ok()?;
    let mut buffer = [0; LONGEST];
    let mut length = 0;
    loop {
        match file.read(buffer.get_mut(length..)?) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    let record: Record = serde_json::from_slice(buffer.get(..length)?).ok()?;
    (record.version == VERSION).then_some(record)
}

/// Has the next sync look at everything, though nothing has changed.
///
/// # Errors
/// The stamp cannot be written.
pub fn doubt(path: &Path) -> Result<(), RecordError> {
    match load(path) {
        Some(record) if record.sure => record::save(path, &Record { sure: false, ..record }),
        _ => Ok(()),
    }
}

impl Synced {
    /// Keeps the stamp at `path`, in the place of the one before.
    ///
    /// # Errors
    /// It cannot be written. The one before may still be there: it is no danger, since it says from what it was made.
    pub fn save(&self, path: &Path) -> Result<(), RecordError> {
        record::save(
            path,
            &Record {
                version: VERSION,
                catalogue: self.catalogue,
                registry: self.registry,
                sure: self.complete && is_settled(&self.catalogue, self.read_at),
                counts: self.counts,
            },
        )
    }
}

/// Returns whether a file had not changed for so long when it was read that any later change is seen by its stamp.
fn is_settled(stamp: &Stamp, read_at: SystemTime) -> bool {
    const SECOND: i64 = 1_000_000_000;
    let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    // A clock before 1970 is wrong, and so nothing is certain.
    let Ok(read_at) = read_at.duration_since(SystemTime::UNIX_EPOCH).map(nanos) else { return false };
    // Programs set the time of a content as they like; one that is still to come says nothing.
    let content = if stamp.mtime_ns > read_at { stamp.ctime_ns } else { stamp.mtime_ns };
    let changed = content.max(stamp.ctime_ns);
    let is_coarse = stamp.mtime_ns % SECOND == 0 && stamp.ctime_ns % SECOND == 0;
    changed.saturating_add(nanos(if is_coarse { COARSE_TICK } else { TICK })) <= read_at
}

#[cfg(unix)]
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests play those who edit files")]
mod tests;
