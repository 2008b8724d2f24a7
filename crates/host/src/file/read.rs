//! Reading a file whole, within bounds, without ever waiting for it.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::target::refuse_what_is_no_file;
use super::{Refusal, Snapshot, Target};
use crate::hash::Hash;
use crate::{show, system};

/// The largest file that is read, in bytes; the size is checked before anything is read.
pub const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// How often a file that changes while it is read is read again. More would not help: the hash is compared later.
const ATTEMPTS: usize = 3;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file, though its folder is there.
    #[error("`{}` does not exist", show::path(path))]
    Missing {
        /// The file itself, behind all links.
        path: PathBuf,
    },
    /// What stands there is not read.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The file is larger than [`MAX_SIZE`].
    #[error("`{}` has {size} bytes, more than the {MAX_SIZE} that are read", show::path(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, or what had been read when it turned out too large.
        size: u64,
    },
    /// The system would not let us.
    #[error("`{}` cannot be read", show::path(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReadError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Missing { .. } => "check the path, or start the client once".to_owned(),
            Self::Refused(refusal) => refusal.help(),
            Self::TooLarge { .. } => "check the path: no config file is that large".to_owned(),
            Self::Io { .. } => "check who may read the file".to_owned(),
        }
    }
}

/// Reads the file that `path` leads to, whole.
///
/// Regular files only: a pipe, socket or device is refused at once, never waited for.
///
/// # Errors
///
/// [`ReadError::Missing`] if there is no file; the others say why one is left alone.
pub fn read(path: &Path) -> Result<Snapshot, ReadError> {
    let target = Target::resolve(path)?;
    Ok(Opened::open(target.real(), &target)?.snapshot)
}

/// A file that was read and is still open, so that it is known to be the same one later.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) meta: Metadata,
    pub(crate) snapshot: Snapshot,
}

impl Opened {
    /// Opens and reads `path`; the snapshot says `target`.
    pub(crate) fn open(path: &Path, target: &Target) -> Result<Self, ReadError> {
        let file = system::open_to_read(path).map_err(|source| cannot_open(path, source))?;
        let (bytes, meta) = content(&file, path)?;
        let (hash, stamp) = (Hash::of(&bytes), system::stamp(&meta));
        Ok(Self { file, meta, snapshot: Snapshot { bytes, hash, stamp, target: target.clone() } })
    }

    /// Reads the same open file anew, whatever name it has by now.
    pub(crate) fn refresh(&mut self, path: &Path) -> Result<(), ReadError> {
        let (bytes, meta) = content(&self.file, path)?;
        self.snapshot.hash = Hash::of(&bytes);
        self.snapshot.stamp = system::stamp(&meta);
        self.snapshot.bytes = bytes;
        self.meta = meta;
        Ok(())
    }

    /// Returns whether the open file looks as it did when it was read.
    pub(crate) fn is_still(&self) -> io::Result<bool> {
        let (was, is) = (self.snapshot.stamp, system::stamp(&self.file.metadata()?));
        // The change time moves when the file is renamed, which does not concern its content.
        Ok((was.size, was.mtime_ns) == (is.size, is.mtime_ns))
    }
}

fn cannot_open(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    if source.kind() == ErrorKind::NotFound {
        return ReadError::Missing { path };
    }
    // A link or a socket that appeared since the path was resolved cannot be opened; say what it is.
    match super::target::kind_of(&path) {
        Some(kind) => Refusal::NotAFile { path, kind }.into(),
        None => ReadError::Io { path, source },
    }
}

fn content(file: &File, path: &Path) -> Result<(Vec<u8>, Metadata), ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut before = file.metadata().map_err(io)?;
    refuse_what_is_no_file(path, &before)?;
    let mut attempt = 1;
    loop {
        refuse_size(path, before.len())?;
        let bytes = read_all(file, before.len()).map_err(io)?;
        refuse_size(path, bytes.len() as u64)?;
        let after = file.metadata().map_err(io)?;
        if attempt == ATTEMPTS || system::stamp(&after) == system::stamp(&before) {
            return Ok((bytes, after));
        }
        before = after;
        attempt += 1;
    }
}

/// Reads one byte more than allowed at most, since the file may grow meanwhile.
fn read_all(mut file: &File, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refuse_size(path: &Path, size: u64) -> Result<(), ReadError> {
    if size <= MAX_SIZE {
        return Ok(());
    }
    Err(ReadError::TooLarge { path: path.to_owned(), size })
}
