//! Clearing away what a writer that died left beside the files it was replacing.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Opened, Target, unfinished};
use crate::backup::{Backups, Label};
use crate::hash::Hash;
use crate::system;
use crate::temp::Maker;

/// No write takes this long: what is older belongs to a dead writer, even if its process id lives on.
const LONGEST_WRITE: Duration = Duration::from_secs(60);

/// What became of one file that a dead writer left.
#[derive(Debug)]
pub enum Swept {
    /// It was removed.
    Removed {
        /// Its path.
        path: PathBuf,
        /// Where its content is kept: it may be what another program wrote, displaced a moment before the crash.
        /// `None` if it was empty or of a folder of ours.
        backup: Option<Hash>,
    },
    /// A file was left torn by a writer that died while it had to write in place; its old content was put back.
    Restored {
        /// The file.
        path: PathBuf,
        /// The content that it has again.
        backup: Hash,
    },
    /// It stands still, since its content could not be kept or it could not be removed.
    Left {
        /// Its path.
        path: PathBuf,
        /// What went wrong.
        why: io::Error,
    },
}

/// Mends what dead writers left torn, and removes what they left in `folders`, each content first kept in `backups`. Files that a living process may
/// still be at work on stay. A folder that is missing or unreadable is passed over.
pub fn sweep(folders: &[PathBuf], backups: &Backups) -> Vec<Swept> {
    let mut all = unfinished::mend_all(backups);
    all.extend(leftovers(folders).map(|path| swept(path.clone(), take_foreign(&path, backups))));
    all
}

/// Removes what dead writers left in folders where only Switchboard writes; nothing in them can be another program's.
pub fn sweep_own(folders: &[PathBuf], backups: &Backups) -> Vec<Swept> {
    let own_and_backups: Vec<PathBuf> = folders.iter().cloned().chain(backups.folders()).collect();
    leftovers(&own_and_backups)
        .map(|path| swept(path.clone(), system::remove(&path).map(|()| None)))
        .collect()
}

fn swept(path: PathBuf, outcome: io::Result<Option<Hash>>) -> Swept {
    match outcome {
        Ok(backup) => Swept::Removed { path, backup },
        Err(why) if why.kind() == ErrorKind::NotFound => Swept::Removed { path, backup: None },
        Err(why) => Swept::Left { path, why },
    }
}

fn leftovers(folders: &[PathBuf]) -> impl Iterator<Item = PathBuf> + '_ {
    folders.iter().flat_map(|folder| {
        let names = system::names(folder).unwrap_or_default();
        names.into_iter().map(|name| folder.join(name)).filter(|path| is_left(path))
    })
}

fn is_left(path: &Path) -> bool {
    let Some(maker) = path.file_name().and_then(Maker::of) else { return false };
    let old = path.symlink_metadata().is_ok_and(|meta| system::age(&meta) > LONGEST_WRITE);
    old || !maker.is_alive()
}

/// Keeps the content, whatever it is: after an exchange the name stands for what another program wrote.
fn take_foreign(path: &Path, backups: &Backups) -> io::Result<Option<Hash>> {
    let target = Target::resolve(path).map_err(io::Error::other)?;
    let found = Opened::open(path, &target).map_err(io::Error::other)?.snapshot;
    let backup = match found.bytes.is_empty() {
        true => None,
        false if backups.has(found.hash) => Some(found.hash),
        false => {
            let label = Label::now(None, path, "left by a writer that died");
            Some(backups.keep(&found.bytes, &label).map_err(io::Error::other)?)
        }
    };
    system::remove(path)?;
    Ok(backup)
}
