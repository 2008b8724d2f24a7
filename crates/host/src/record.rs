//! Switchboard's own small state files: JSON, replaced whole, never silently emptied.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backup::read_own;
use crate::own::{self, PublishError};
use crate::{show, system, time};

/// What was found in the place of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded<T> {
    /// The record.
    Found(T),
    /// There is none yet.
    Missing,
    /// There was one that cannot be read. It was set aside, so the next save does not destroy it.
    Damaged {
        /// Where it lies now.
        set_aside: PathBuf,
        /// What is wrong with it, with line and column.
        why: String,
    },
}

/// Why a record was not loaded or saved.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file is there, but the system does not let us read it or set it aside. It was not touched.
    #[error("`{}` cannot be read", show::path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The old record stands.
    #[error("`{}` cannot be written", show::path(path))]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The new record stands, but a power cut may bring the old one back.
    #[error("`{}` was written, but the disk did not confirm it", show::path(path))]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl RecordError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Read { .. } => "make the file and its folder readable and writable for you",
            Self::NotWritten { .. } => "make room, and make the folder writable for you",
            Self::NotDurable { .. } => "check the disk, then try again",
        }
    }
}

/// Loads the record at `path`. One that cannot be read is renamed to `NAME.damaged-TIME` and reported as such.
///
/// # Errors
///
/// The file is there, but can be neither read nor set aside.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Loaded<T>, RecordError> {
    let read = |source| RecordError::Read { path: path.to_owned(), source };
    let bytes = match read_own(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Loaded::Missing),
        Err(error) => return Err(read(error)),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Loaded::Found(value)),
        Err(error) => {
            let set_aside = set_aside(path).map_err(read)?;
            Ok(Loaded::Damaged { set_aside, why: error.to_string() })
        }
    }
}

/// Saves `value` at `path`, whole and durable, readable for the owner only; folders that are missing are made. It is
/// written without blanks: what is remembered of many clients would be three times as long with them, at each change.
///
/// # Errors
///
/// [`RecordError::NotWritten`] means that the old record stands, [`RecordError::NotDurable`] that the new one does.
pub fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), RecordError> {
    let not_written = |source| RecordError::NotWritten { path: path.to_owned(), source };
    let mut bytes = serde_json::to_vec(value).map_err(io::Error::from).map_err(not_written)?;
    bytes.push(b'\n');
    system::make_folder(path.parent().unwrap_or(path)).map_err(not_written)?;
    own::publish(path, &bytes).map_err(|error| match error {
        PublishError::NotWritten(source) => not_written(source),
        PublishError::NotDurable(source) => RecordError::NotDurable { path: path.to_owned(), source },
    })
}

fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default();
    let mut when = time::now();
    loop {
        let mut aside = name.to_owned();
        aside.push(format!(".damaged-{when}"));
        let aside = path.with_file_name(aside);
        match system::rename_new(path, &aside) {
            Ok(()) => return Ok(aside),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => when += 1,
            Err(error) => return Err(error),
        }
    }
}
