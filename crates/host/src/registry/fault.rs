//! What can be the matter with the registry: a cache, so that most of it is only worth a note.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::show;

/// What to do where somebody else is at it.
const WAIT: &str = "wait until the other process is done, then try again; the registry is as it was";

/// What to do where the system does not let us.
const MAKE_WRITABLE: &str = "make it and its folder writable for you, and make room";

/// What is wrong with the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no registry, or not a whole one.
    Damaged(String),
    /// The system does not let us read or write it.
    Refused(String),
    /// Somebody else is at it for too long.
    Busy,
}

impl Fault {
    /// Returns what an error of the database means.
    pub(super) fn of(error: &rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            // A column that is not what it should be: the rows are not ours.
            return Self::Damaged(error.to_string());
        };
        match code {
            // Others who change the tables, or take part in the locking in another way, are at it no less.
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SchemaChanged => Self::Busy,
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::NoLargeFileSupport
            | ErrorCode::TooBig
            | ErrorCode::OperationAborted
            | ErrorCode::OperationInterrupted => Self::Refused(error.to_string()),
            _ => Self::Damaged(error.to_string()),
        }
    }

    pub(super) fn why(&self) -> &str {
        match self {
            Self::Damaged(why) | Self::Refused(why) => why,
            Self::Busy => "another process has been writing it for longer than we wait",
        }
    }

    pub(super) fn help(&self) -> &'static str {
        if *self == Self::Busy { WAIT } else { MAKE_WRITABLE }
    }

    pub(super) fn into_note(self, path: &Path) -> Note {
        let path = path.to_owned();
        match self {
            Self::Damaged(why) => Note::Damaged { path, why },
            Self::Refused(why) => Note::Refused { path, why },
            Self::Busy => Note::Busy { path },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::of(&error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// What is the matter with the registry. It is a cache, so that nothing else depends on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// What was there could not be used. It was put aside, and a new one begun.
    #[error("the registry was damaged ({why}); it was put aside as `{}`", show::path(aside))]
    Aside {
        /// Where it lies now, until the next one is put aside.
        aside: PathBuf,
        /// What was wrong with it.
        why: String,
    },
    /// It cannot be used, and whoever only reads does not put it aside.
    #[error("the registry `{}` is damaged: {why}", show::path(path))]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system does not let us read or write it.
    #[error("the registry `{}` cannot be used as it should: {why}", show::path(path))]
    Refused {
        /// The database.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Somebody else is writing it for too long. There is nothing wrong with it.
    #[error("the registry `{}` is busy: {}", show::path(path), Fault::Busy.why())]
    Busy {
        /// The database.
        path: PathBuf,
    },
}

impl Note {
    /// Returns what a person can do about it; `None` where that is nothing.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Aside { .. } => None,
            Self::Damaged { .. } => Some("`switchboard sync` fills a new one"),
            Self::Refused { .. } => Some(MAKE_WRITABLE),
            Self::Busy { .. } => Some(WAIT),
        }
    }

    /// Returns what went wrong.
    pub fn why(&self) -> &str {
        match self {
            Self::Aside { why, .. } | Self::Damaged { why, .. } | Self::Refused { why, .. } => why,
            Self::Busy { .. } => Fault::Busy.why(),
        }
    }
}

/// Why the registry was not changed.
#[derive(Debug, thiserror::Error)]
#[error("the registry `{}` cannot be written: {why}", show::path(path))]
pub struct NotWritten {
    path: PathBuf,
    why: String,
    help: &'static str,
}

impl NotWritten {
    pub(super) fn because(path: &Path, fault: &Fault) -> Self {
        Self { path: path.to_owned(), why: fault.why().to_owned(), help: fault.help() }
    }

    /// Returns it for a registry that was only opened to be read; `note` says why, where that was not meant.
    pub(super) fn only_read(path: &Path, note: Option<&Note>) -> Self {
        let why = note.map_or("it was opened to be read", Note::why).to_owned();
        Self { path: path.to_owned(), why, help: note.and_then(Note::help).unwrap_or(MAKE_WRITABLE) }
    }

    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        self.help
    }
}
