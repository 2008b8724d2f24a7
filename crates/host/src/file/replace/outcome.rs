//! What replacing a file can come to.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::backup::{BackupError, Kept};
use crate::file::{Opened, ReadError, Refusal, Snapshot};
use crate::hash::Hash;
use crate::show;

/// On whose behalf a file is replaced, and what the user has agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The client that the file belongs to, for the label in the backups.
    pub client: Option<String>,
    /// Why, for the label in the backups, as a person would say it: "before a push".
    pub reason: String,
    /// What to do with a file that has more than one name.
    pub hard_links: HardLinks,
    /// A content that the caller has put into the backups already; if it is what stands there, it is not put there again.
    pub kept: Option<Kept>,
}

impl Options {
    /// Returns options for `reason`, with nothing agreed to.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { client: None, reason: reason.into(), hard_links: HardLinks::Refuse, kept: None }
    }
}

/// What to do with a file that has more than one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HardLinks {
    /// Leave it alone: replacing it would part the names.
    #[default]
    Refuse,
    /// Write into it in place. The user has agreed to the weaker guarantee.
    WriteInPlace,
}

/// What replacing a file came to, where nothing went wrong that keeps it from being tried.
#[derive(Debug)]
pub enum Outcome {
    /// The new bytes are there, and a power cut will not take them back.
    Written(Written),
    /// The new bytes are there for everybody to read, but the disk did not confirm it. Calling again with the same
    /// bytes tries to have it confirmed.
    PublishedNotDurable {
        /// What stands there.
        written: Written,
        /// What could not be done.
        why: io::Error,
    },
    /// Nothing was written: the file is not what was expected.
    Conflict {
        /// What it is instead; `None` if there is no file. Boxed, since it is the larger part of this type.
        found: Option<Box<Snapshot>>,
    },
    /// The new bytes are there, but another program had written others in the last moment. Those are in the backups;
    /// merge the change into them and call again, expecting `written.now`.
    Displaced {
        /// What the other program wrote.
        theirs: Theirs,
        /// What stands there.
        written: Written,
    },
}

impl Outcome {
    pub(super) fn conflict(found: Option<Opened>) -> Self {
        Self::Conflict { found: found.map(|opened| Box::new(opened.snapshot)) }
    }

    pub(super) fn published(written: Written, synced: io::Result<()>) -> Self {
        match synced {
            Ok(()) => Self::Written(written),
            Err(why) => Self::PublishedNotDurable { written, why },
        }
    }
}

/// A file that holds the new bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file as it was left, to be expected by the next call.
    pub now: Snapshot,
    /// How it came there.
    pub how: How,
}

impl Written {
    /// Returns whether a crash half-way could have left a torn file, to be mended from the backups.
    pub fn is_weaker(&self) -> bool {
        self.how == How::InPlace
    }
}

/// How new bytes came into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// There was no file.
    Created,
    /// Two files exchanged their names: nothing can have slipped in between unseen.
    Exchanged,
    /// One file was renamed over the other, since this file system cannot exchange names.
    Renamed,
    /// The file was overwritten, since it could not be replaced: it has several names, its folder may not be written,
    /// a new file could not be given its owner, or it is a mount of its own.
    InPlace,
    /// The file held these bytes already.
    Unchanged,
}

/// What another program wrote in the moment in which its file was replaced. It is in the backups.
///
/// `Debug` does not show the bytes: config files hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Theirs {
    /// The whole content. It may be cut off, if the program never came to its end.
    pub bytes: Vec<u8>,
    /// Its name in the backups.
    pub hash: Hash,
}

impl fmt::Debug for Theirs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Theirs").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Why a file was not replaced. Nothing was written, except for [`WriteError::HalfWritten`].
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What stands there cannot be kept safe.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The file could not be read again to be compared.
    #[error(transparent)]
    Read(ReadError),
    /// The old content could not be kept, so it was not touched.
    #[error("the old content cannot be kept in the backups")]
    Backup(#[from] BackupError),
    /// A link on the way was changed meanwhile and leads to another file.
    #[error("`{}` leads to another file by now", show::path(path))]
    Relinked {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A step before the file was touched failed.
    #[error("`{}` was not replaced: could not {step}", show::path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Writing in place failed half-way, and so did putting the old content back. It is in the backups.
    #[error("`{}` was overwritten only in part; the old content is the backup `{backup}`", show::path(path))]
    HalfWritten {
        /// The file.
        path: PathBuf,
        /// The old content.
        backup: Hash,
        /// What the system said.
        source: io::Error,
    },
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Read(other),
        }
    }
}

impl WriteError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.help(),
            Self::Read(error) => error.help(),
            Self::Backup(error) => error.help().to_owned(),
            Self::Relinked { .. } => "try again".to_owned(),
            Self::Io { .. } => "make room, and make the folder writable for you".to_owned(),
            Self::HalfWritten { .. } => "make room, then restore the backup".to_owned(),
        }
    }
}
