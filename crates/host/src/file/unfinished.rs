//! Files that are being overwritten in place, written down so that one that a crash left torn is mended.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Opened, Swept, Target};
use crate::backup::{BackupError, Backups, path_text};
use crate::hash::Hash;
use crate::record::{self, Loaded};
use crate::system;

const END: &str = ".unfinished.json";

/// One overwrite that was begun. Both contents are in the backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unfinished {
    #[serde(with = "path_text")]
    path: PathBuf,
    old: Hash,
    new: Hash,
    pid: u32,
}

impl Unfinished {
    /// Writes down, durably, that the file at `path` is about to be overwritten.
    pub(super) fn begin(backups: &Backups, path: &Path, old: Hash, new: Hash) -> io::Result<Self> {
        let begun = Self { path: path.to_owned(), old, new, pid: std::process::id() };
        record::save(&begun.place(backups), &begun).map_err(io::Error::other)?;
        Ok(begun)
    }

    /// Strikes it out: the file is whole. What cannot be struck out is by the next sweep, which finds it whole.
    pub(super) fn end(&self, backups: &Backups) {
        let _ = system::remove(&self.place(backups));
    }

    fn place(&self, backups: &Backups) -> PathBuf {
        let name = Hash::of(self.path.as_os_str().as_encoded_bytes());
        backups.folder().join(format!("{name}{END}"))
    }

    /// Puts the old content back if the file is torn. Returns whether it was.
    fn mend(&self, backups: &Backups) -> io::Result<bool> {
        let target = Target::resolve(&self.path).map_err(io::Error::other)?;
        let found = Opened::open(&self.path, &target).map_err(io::Error::other)?.snapshot;
        let loaded = |hash| backups.load(hash).map_err(|error: BackupError| io::Error::other(error));
        let (old, new) = (loaded(self.old)?, loaded(self.new)?);
        // Whoever wrote something else since had the last word.
        let torn = found.bytes != old && found.bytes != new && is_mix(&found.bytes, &old, &new);
        if torn {
            let file = system::open_to_write(&self.path)?;
            overwrite(&file, &old)?;
            file.sync_all()?;
        }
        Ok(torn)
    }
}

/// Mends what writers that died left torn.
pub(super) fn mend_all(backups: &Backups) -> Vec<Swept> {
    let names = system::names(backups.folder()).unwrap_or_default();
    let places = names
        .into_iter()
        .filter(|name| name.to_str().is_some_and(|name| name.ends_with(END)))
        .map(|name| backups.folder().join(name));
    places.filter_map(|place| mend(&place, backups)).collect()
}

fn mend(place: &Path, backups: &Backups) -> Option<Swept> {
    let Ok(Loaded::Found(unfinished)) = record::load::<Unfinished>(place) else { return None };
    if unfinished.pid != std::process::id() && system::process_is_alive(unfinished.pid) {
        return None;
    }
    match unfinished.mend(backups) {
        Ok(torn) => {
            unfinished.end(backups);
            torn.then_some(Swept::Restored { path: unfinished.path, backup: unfinished.old })
        }
        Err(why) => Some(Swept::Left { path: unfinished.path, why }),
    }
}

/// Returns whether every byte comes from its place in one of the two: what an overwrite that was cut short leaves,
/// also where the disk wrote parts of it out of order.
fn is_mix(found: &[u8], old: &[u8], new: &[u8]) -> bool {
    let lengths = old.len().min(new.len())..=old.len().max(new.len());
    let from_either = |(at, byte): (usize, &u8)| [old.get(at), new.get(at)].contains(&Some(byte));
    lengths.contains(&found.len()) && found.iter().enumerate().all(from_either)
}

/// Overwrites first and cuts off after, so that the file is never empty.
pub(super) fn overwrite(mut file: &std::fs::File, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_overwrite_can_leave_counts_as_torn() {
        for torn in ["NNNNN", "NNooo", "ooNoo", "NNNooooo"] {
            assert!(
                is_mix(torn.as_bytes(), b"oooooooo", b"NNN") || is_mix(torn.as_bytes(), b"ooooo", b"NNNNN"),
                "{torn}"
            );
        }
        for foreign in ["", "{}", "NNNNNNNNN", "xoooo"] {
            assert!(!is_mix(foreign.as_bytes(), b"oooooooo", b"NNN"), "{foreign}");
        }
    }
}
