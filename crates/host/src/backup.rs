//! The backups: every version of a file that was replaced or displaced, by the hash of its content.
//!
//! `objects/HASH` holds a content once, `index.jsonl` says line by line which file it came from and why. An object is
//! durable before [`Backups::keep`] returns, and is never rewritten. The index only helps to find it again: a line
//! that a crash cut off is passed over, and an object without a line is listed without a label.

pub(crate) mod path_text;
mod prune;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::prune::{Limits, Pruned};
use crate::hash::Hash;
use crate::own::{self, PublishError};
use crate::{show, system, time};

/// A step takes milliseconds. Who holds the store for [`TRIES`] of these pauses has been stopped in the middle of it.
const PAUSE: Duration = Duration::from_millis(1);
const TRIES: u32 = 10_000;

/// Where a backup came from, and why it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The client that the file belongs to, if it is a client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The file, behind all links.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Why it was kept, as a person would say it: "before a push".
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub time: u64,
}

impl Label {
    /// Returns a label for now.
    pub fn now(client: Option<&str>, path: &Path, reason: &str) -> Self {
        Self {
            client: client.map(str::to_owned),
            path: path.to_owned(),
            reason: reason.to_owned(),
            time: time::now(),
        }
    }
}

/// One backup in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The name of the content, for [`Backups::load`].
    pub hash: Hash,
    /// Its size in bytes.
    pub size: u64,
    /// Where it came from; `None` if a crash came before that was written down.
    pub label: Option<Label>,
    /// When it was kept, in milliseconds since 1970.
    pub time: u64,
}

/// Why a backup was not kept, found or loaded.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store could not be read or written.
    #[error("the backups in `{}` cannot be used", show::path(path))]
    Io {
        /// The folder or file of the store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no backup of that content.
    #[error("there is no backup `{0}`")]
    Missing(Hash),
    /// The object's bytes are not those that its name promises.
    #[error("the backup `{0}` is damaged")]
    Damaged(Hash),
}

impl BackupError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "make room, and make the folder writable for you: nothing is changed without a backup"
            }
            Self::Missing(_) => "see the list of backups",
            Self::Damaged(_) => "choose another backup from the list",
        }
    }
}

/// Says that a content is in the backups, durably. Only [`Backups`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    hash: Hash,
}

impl Kept {
    /// Returns the name of the content.
    pub fn hash(self) -> Hash {
        self.hash
    }
}

/// The store of backups below one folder.
#[derive(Clone, Debug)]
pub struct Backups {
    folder: PathBuf,
}

/// One line of the index.
#[derive(Serialize, Deserialize)]
struct Line {
    hash: Hash,
    size: u64,
    #[serde(flatten)]
    label: Label,
}

impl Backups {
    /// Returns the store below `folder`. Nothing is made until something is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps `bytes`, durably, and returns their name. Content that is there already is not written again.
    ///
    /// # Errors
    ///
    /// The store is full or not writable; then whatever was to follow must not be done.
    pub fn keep(&self, bytes: &[u8], label: &Label) -> Result<Hash, BackupError> {
        let _held = self.hold()?;
        let hash = Hash::of(bytes);
        self.keep_object(hash, bytes)?;
        self.append(&Line { hash, size: bytes.len() as u64, label: label.clone() })?;
        Ok(hash)
    }

    /// Keeps several contents, as [`Backups::keep`] keeps one, but asks the disk for all of them at the same time.
    ///
    /// # Errors
    ///
    /// As for one; some of them may be kept then.
    pub fn keep_all(&self, contents: &[(&[u8], Label)]) -> Result<Vec<Kept>, BackupError> {
        let _held = self.hold()?;
        let hashes: Vec<Hash> = contents.iter().map(|(bytes, _)| Hash::of(bytes)).collect();
        let mut new: BTreeMap<Hash, &[u8]> = BTreeMap::new();
        for (hash, (bytes, _)) in hashes.iter().zip(contents) {
            if !self.has(*hash) {
                new.insert(*hash, bytes);
            }
        }
        let paths: Vec<(PathBuf, &[u8])> =
            new.into_iter().map(|(hash, bytes)| (self.object(hash), bytes)).collect();
        own::publish_all(&self.objects_folder(), &paths).map_err(self.io())?;
        let mut text = Vec::new();
        for (hash, (bytes, label)) in hashes.iter().zip(contents) {
            let line = Line { hash: *hash, size: bytes.len() as u64, label: label.clone() };
            serde_json::to_writer(&mut text, &line).map_err(io::Error::from).map_err(self.io())?;
            text.push(b'\n');
        }
        self.append_text(text).map_err(self.io())?;
        Ok(hashes.into_iter().map(|hash| Kept { hash }).collect())
    }

    /// Returns whether the content is there, undamaged.
    pub fn has(&self, hash: Hash) -> bool {
        self.load(hash).is_ok()
    }

    /// Returns the content called `hash`.
    ///
    /// # Errors
    ///
    /// It is not there, or its bytes are not what the name promises.
    pub fn load(&self, hash: Hash) -> Result<Vec<u8>, BackupError> {
        let path = self.object(hash);
        let bytes = match read_own(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(BackupError::Missing(hash)),
            Err(source) => return Err(BackupError::Io { path, source }),
        };
        if Hash::of(&bytes) == hash { Ok(bytes) } else { Err(BackupError::Damaged(hash)) }
    }

    /// Returns every backup, the oldest first. One content kept twice stands twice.
    ///
    /// # Errors
    ///
    /// The store is there but cannot be read.
    pub fn list(&self) -> Result<Vec<Backup>, BackupError> {
        let mut unlabelled = self.objects()?;
        let objects = unlabelled.clone();
        let mut backups = Vec::new();
        for Line { hash, label, .. } in self.lines()? {
            unlabelled.remove(&hash);
            // A line whose object is gone says nothing that could be restored.
            if let Some((size, _)) = objects.get(&hash) {
                backups.push(Backup { hash, size: *size, time: label.time, label: Some(label) });
            }
        }
        backups.extend(unlabelled.into_iter().map(|(hash, (size, time))| Backup {
            hash,
            size,
            label: None,
            time,
        }));
        backups.sort_by_key(|backup| backup.time);
        Ok(backups)
    }

    /// The folder of the store.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn object(&self, hash: Hash) -> PathBuf {
        self.objects_folder().join(hash.to_string())
    }

    fn objects_folder(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index.jsonl")
    }

    /// Folders that hold files on their way, for the sweep.
    pub(crate) fn folders(&self) -> [PathBuf; 2] {
        [self.folder.clone(), self.objects_folder()]
    }

    fn io(&self) -> impl Fn(io::Error) -> BackupError + '_ {
        |source| BackupError::Io { path: self.folder.clone(), source }
    }

    /// Holds the store for one step: an object must not be pruned between being found and being relied on.
    fn hold(&self) -> Result<Held, BackupError> {
        system::make_folder(&self.objects_folder()).map_err(self.io())?;
        let file = system::open_to_append(&self.folder.join("lock")).map_err(self.io())?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Held(file)),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(self.io()(error)),
            }
        }
        Err(self.io()(ErrorKind::TimedOut.into()))
    }

    fn keep_object(&self, hash: Hash, bytes: &[u8]) -> Result<(), BackupError> {
        if self.has(hash) {
            // Whoever wrote it may have died before its name was durable.
            let folder = system::open_folder(&self.objects_folder()).map_err(self.io())?;
            return system::sync_folder(&folder).map_err(self.io());
        }
        own::publish(&self.object(hash), bytes).map_err(PublishError::into_io).map_err(self.io())
    }

    fn append(&self, line: &Line) -> Result<(), BackupError> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::from).map_err(self.io())?;
        text.push(b'\n');
        self.append_text(text).map_err(self.io())
    }

    fn append_text(&self, mut text: Vec<u8>) -> io::Result<()> {
        let mut file = system::open_to_append(&self.index())?;
        if ends_half_way(&mut file)? {
            text.insert(0, b'\n');
        }
        // Not waited for: what a power cut takes of it are labels, and the objects are durable without.
        file.write_all(&text)
    }

    /// Returns the lines of the index that can be read.
    fn lines(&self) -> Result<Vec<Line>, BackupError> {
        let bytes = match read_own(&self.index()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(BackupError::Io { path: self.index(), source }),
        };
        Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Returns size and time of every object.
    fn objects(&self) -> Result<BTreeMap<Hash, (u64, u64)>, BackupError> {
        let names = match system::names(&self.objects_folder()) {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(BackupError::Io { path: self.objects_folder(), source }),
        };
        let mut objects = BTreeMap::new();
        for hash in names.iter().filter_map(|name| Hash::parse(name.to_str()?)) {
            let meta = self.object(hash).symlink_metadata().map_err(self.io())?;
            let millis = system::stamp(&meta).mtime_ns / 1_000_000;
            objects.insert(hash, (meta.len(), u64::try_from(millis).unwrap_or_default()));
        }
        Ok(objects)
    }
}

/// The store, held for one step.
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Not left to the closing of the file, which may fail, and then would lock this process out.
        let _ = self.0.unlock();
    }
}

/// Returns whether the last line has no end: a crash cut it off.
fn ends_half_way(file: &mut File) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Reads a file of ours whole.
pub(crate) fn read_own(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    system::open_to_read(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
