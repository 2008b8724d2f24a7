//! What is told.

use std::path::PathBuf;
use std::time::Instant;

use crate::file::{self, ReadError, Refusal};
use crate::hash::Hash;

/// What stands at a path, as far as a watch cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// A file with this content.
    Is(Hash),
    /// No file, or a link that leads to none.
    Missing,
    /// Something that cannot be read as a file: a folder, one file too large, or one that may not be read.
    Unreadable,
}

impl Content {
    /// Returns what [`file::read`] came to, so that a caller who has read can say what it knows.
    pub fn of(read: &Result<file::Snapshot, ReadError>) -> Self {
        match read {
            Ok(snapshot) => Self::Is(snapshot.hash),
            Err(
                ReadError::Missing { .. }
                | ReadError::Refused(Refusal::Dangling { .. } | Refusal::MissingFolder { .. }),
            ) => Self::Missing,
            Err(_) => Self::Unreadable,
        }
    }
}

/// A change: what stands at a path is not what was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The path, as it was asked for.
    pub path: PathBuf,
    /// What stands there now.
    pub content: Content,
    /// When the first sign of this change came.
    pub since: Instant,
}
