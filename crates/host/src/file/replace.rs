//! Replacing a file whole, only if it still is what was read, and never losing what somebody else wrote.
//!
//! The order is the safety: the old content goes to the backups; the new one is written beside the real file, with
//! the old one's owner, permissions and attributes before the first byte; it is made durable; the file is compared
//! once more; then both files exchange their names in one step, and what came out of it is compared too. Whatever
//! another program slipped in between is in the backups before its name goes.

mod in_place;
mod outcome;
mod quiet;
mod way;

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;

pub use self::outcome::{HardLinks, How, Options, Outcome, Theirs, WriteError, Written};
use self::way::Way;
use super::{Opened, ReadError, Refusal, Snapshot, Target};
use crate::backup::{Backups, Label};
use crate::hash::Hash;
use crate::own;
use crate::system::{self, Exchange};
use crate::temp::Temp;

/// Puts `bytes` in the place of the file at `target`, if that still holds what `expected` says (`None`: if there is no
/// file). The content that goes is in `backups`, durably, before anything is written.
///
/// The file is at every moment either whole and old or whole and new, also across a crash; only where [`How::InPlace`]
/// is reported this was not to be had, and the old content is in the backups. Links on the way, owner, permissions,
/// ACL and extended attributes stay. A new file is readable for its owner only.
///
/// # Errors
///
/// Nothing was written, with the one exception of [`WriteError::HalfWritten`].
pub fn replace(
    target: &Target,
    expected: Option<&Snapshot>,
    bytes: &[u8],
    backups: &Backups,
    options: &Options,
) -> Result<Outcome, WriteError> {
    let replacing = Replacing { target, bytes, backups, options };
    quiet::wait(target.real());
    match (replacing.current()?, expected) {
        (None, None) => replacing.create(),
        (Some(found), Some(expected)) if found.snapshot.hash == expected.hash => replacing.update(&found),
        (found, _) => Ok(Outcome::conflict(found)),
    }
}

/// One call of [`replace()`].
struct Replacing<'a> {
    target: &'a Target,
    bytes: &'a [u8],
    backups: &'a Backups,
    options: &'a Options,
}

impl Replacing<'_> {
    fn real(&self) -> &Path {
        self.target.real()
    }

    /// Reads the file as it is now, if the path still leads to it.
    fn current(&self) -> Result<Option<Opened>, WriteError> {
        let now = Target::resolve(self.target.asked())?;
        if now.real() != self.real() {
            return Err(WriteError::Relinked { path: self.target.asked().to_owned() });
        }
        match Opened::open(self.real(), &now) {
            Ok(opened) => Ok(Some(opened)),
            Err(ReadError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn create(&self) -> Result<Outcome, WriteError> {
        way::check_new(self.target)?;
        let folder = system::open_folder(self.target.folder()).map_err(self.io("open the folder"))?;
        let mut temp = Temp::beside(self.real(), 0o600).map_err(self.io("make a file beside it"))?;
        temp.fill(self.bytes).map_err(self.io("write a file beside it"))?;
        match system::rename_new(temp.path(), self.real()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Ok(Outcome::conflict(self.current()?));
            }
            Err(error) => return self.not_renamed(temp, error),
        }
        temp.leave();
        let written = self.written(&temp, How::Created);
        Ok(Outcome::published(written, system::sync_folder(&folder)))
    }

    fn update(&self, found: &Opened) -> Result<Outcome, WriteError> {
        let way = way::choose(self.target, found, self.options.hard_links)?;
        if found.snapshot.bytes == self.bytes {
            return Ok(self.confirm(found));
        }
        if self.options.kept.is_none_or(|kept| kept.hash() != found.snapshot.hash) {
            self.keep(&found.snapshot.bytes, &self.options.reason)?;
        }
        match way {
            Way::Exchange => self.publish(found),
            Way::InPlace => self.write_in_place(found),
        }
    }

    /// Makes durable what stands there already: a former call may have published it without being able to.
    fn confirm(&self, found: &Opened) -> Outcome {
        let written = Written { now: found.snapshot.clone(), how: How::Unchanged };
        let synced = found.file.sync_all().and_then(|()| {
            let folder = system::open_folder(self.target.folder())?;
            system::sync_folder(&folder)
        });
        Outcome::published(written, synced)
    }

    fn publish(&self, found: &Opened) -> Result<Outcome, WriteError> {
        // Opened before anything is public, so that it cannot fail for want of a descriptor afterwards.
        let folder = system::open_folder(self.target.folder()).map_err(self.io("open the folder"))?;
        let mode = system::mode(&found.meta);
        let mut temp = Temp::beside(self.real(), mode).map_err(self.io("make a file beside it"))?;
        match system::copy_access(&found.file, temp.file()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                drop(temp);
                return self.write_in_place(found);
            }
            Err(error) => return Err(self.io("copy its permissions")(error)),
        }
        temp.fill(self.bytes).map_err(self.io("write a file beside it"))?;

        let Some(again) = self.current()?.filter(|again| again.snapshot.hash == found.snapshot.hash) else {
            return Ok(Outcome::conflict(self.current()?));
        };
        if again.snapshot.stamp != found.snapshot.stamp {
            // The bytes are the same, but somebody may have changed who is let in.
            system::copy_access(&again.file, temp.file()).map_err(self.io("copy its permissions"))?;
        }
        match system::exchange(temp.path(), self.real()) {
            Ok(Exchange::Done) => self.after_exchange(temp, &again, &folder),
            Ok(Exchange::Unsupported) => self.rename_over(temp, again, &folder),
            // It is gone: somebody is about to put another file there.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Outcome::conflict(self.current()?)),
            // The file is a mount of its own, which cannot be renamed.
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                drop(temp);
                self.write_in_place(found)
            }
            Err(error) => self.not_renamed(temp, error),
        }
    }

    /// Looks at what came out of the exchange. From here on the new bytes are public, so no error may deny it.
    fn after_exchange(
        &self,
        mut temp: Temp,
        before: &Opened,
        folder: &SyncableFolder,
    ) -> Result<Outcome, WriteError> {
        let displaced = match Opened::open(temp.path(), self.target) {
            Ok(displaced) => displaced,
            Err(ReadError::Refused(Refusal::NotAFile { .. })) => return self.exchange_back(temp),
            Err(error) => {
                // What it holds is not known, so the name stays until the next sweep has kept it.
                temp.leave();
                let written = self.written(&temp, How::Exchanged);
                return Ok(Outcome::PublishedNotDurable { written, why: io::Error::other(error) });
            }
        };
        if !system::same_access(&displaced.meta, &before.meta) {
            // Who is let in was changed in the last moment; on failure the old rules stand, which were the user's too.
            let _ = system::copy_access(&displaced.file, temp.file());
        }
        Ok(self.settle(temp, displaced, before.snapshot.hash, folder, How::Exchanged))
    }

    /// Where names cannot be exchanged. The file that was compared stays open: what is written into it in the last
    /// moment is still found, only a file renamed over it in that moment is not.
    fn rename_over(
        &self,
        mut temp: Temp,
        again: Opened,
        folder: &SyncableFolder,
    ) -> Result<Outcome, WriteError> {
        if let Err(error) = system::rename(temp.path(), self.real()) {
            return self.not_renamed(temp, error);
        }
        temp.leave();
        let base = again.snapshot.hash;
        Ok(self.settle(temp, again, base, folder, How::Renamed))
    }

    /// Makes the new file durable and the displaced one safe, in this order: a program that had the old file open may
    /// still be writing into it, and the disk takes its time.
    fn settle(
        &self,
        mut temp: Temp,
        mut displaced: Opened,
        base: Hash,
        folder: &SyncableFolder,
        how: How,
    ) -> Outcome {
        let synced = system::sync_folder(folder);
        let theirs = match self.theirs(&mut displaced, temp.path(), base) {
            Ok(theirs) => theirs,
            Err(why) => {
                temp.leave();
                return Outcome::PublishedNotDurable { written: self.written(&temp, how), why };
            }
        };
        let written = self.written(&temp, how);
        drop(temp);
        match theirs {
            Some(theirs) => Outcome::Displaced { theirs, written },
            None => Outcome::published(written, synced),
        }
    }

    /// Returns what somebody else wrote into the displaced file, once it is in the backups.
    fn theirs(&self, displaced: &mut Opened, name: &Path, base: Hash) -> io::Result<Option<Theirs>> {
        if displaced.snapshot.hash == base && displaced.is_still()? {
            return Ok(None);
        }
        quiet::settle(displaced, name).map_err(io::Error::other)?;
        let Snapshot { bytes, hash, .. } = &displaced.snapshot;
        if *hash == base {
            return Ok(None);
        }
        self.keep(bytes, "written by another program at the same moment").map_err(io::Error::other)?;
        Ok(Some(Theirs { bytes: bytes.clone(), hash: *hash }))
    }

    /// Undoes an exchange with something that is no file, and so cannot be kept as bytes.
    fn exchange_back(&self, mut temp: Temp) -> Result<Outcome, WriteError> {
        let undone = system::exchange(temp.path(), self.real());
        let ours_again = temp.path().symlink_metadata().is_ok_and(|meta| is_ours(&temp, &meta));
        if !ours_again {
            temp.leave();
        }
        match undone {
            Ok(Exchange::Done) => Err(WriteError::Relinked { path: self.target.asked().to_owned() }),
            Ok(Exchange::Unsupported) | Err(_) => Ok(Outcome::PublishedNotDurable {
                written: self.written(&temp, How::Exchanged),
                why: io::Error::other("what was displaced is not a file"),
            }),
        }
    }

    /// Tells whether a rename that failed was carried out all the same, as network file systems may have it.
    fn not_renamed(&self, mut temp: Temp, error: io::Error) -> Result<Outcome, WriteError> {
        let published = self.real().symlink_metadata().is_ok_and(|meta| is_ours(&temp, &meta));
        if !published {
            return Err(self.io("put the new file in its place")(error));
        }
        temp.leave();
        Ok(Outcome::PublishedNotDurable { written: self.written(&temp, How::Renamed), why: error })
    }

    fn keep(&self, bytes: &[u8], reason: &str) -> Result<Hash, WriteError> {
        let label = Label::now(self.options.client.as_deref(), self.real(), reason);
        Ok(self.backups.keep(bytes, &label)?)
    }

    fn written(&self, temp: &Temp, how: How) -> Written {
        Written { now: self.snapshot(temp.file()), how }
    }

    /// Returns the new file as it is. Where the system does not say, the stamp is empty, and so equals no other.
    fn snapshot(&self, file: &std::fs::File) -> Snapshot {
        let stamp = file.metadata().map(|meta| system::stamp(&meta)).unwrap_or_default();
        let (bytes, hash) = (self.bytes.to_vec(), Hash::of(self.bytes));
        Snapshot { bytes, hash, stamp, target: self.target.clone() }
    }

    fn io(&self, step: &'static str) -> impl Fn(io::Error) -> WriteError + '_ {
        move |source| WriteError::Io { path: self.real().to_owned(), step, source }
    }
}

/// A file that is to be replaced, as for [`replace()`].
#[derive(Clone, Debug)]
pub struct Replacement<'r> {
    /// Where it is.
    pub target: Target,
    /// What was read there; `None` when there was nothing.
    pub expected: Option<&'r Snapshot>,
    /// What it is to hold.
    pub bytes: &'r [u8],
    /// On whose behalf.
    pub options: Options,
}

/// Replaces several files at the same time, each as [`replace()`] does it. What becomes of one does not concern another.
pub fn replace_all(files: &[Replacement<'_>], backups: &Backups) -> Vec<Result<Outcome, WriteError>> {
    own::each(files, |file| replace(&file.target, file.expected, file.bytes, backups, &file.options))
}

#[cfg(windows)]
type SyncableFolder = system::Folder;
#[cfg(unix)]
type SyncableFolder = std::fs::File;

/// Returns whether `found` is the file that was made as `temp`, whatever name that has by now.
fn is_ours(temp: &Temp, found: &Metadata) -> bool {
    let found = system::stamp(found);
    // Without a number for each file there is no telling, and no system without one exchanges names.
    let ours = temp.file().metadata().map(|meta| system::stamp(&meta)).unwrap_or_default();
    found.ino != 0 && (ours.dev, ours.ino) == (found.dev, found.ino)
}
