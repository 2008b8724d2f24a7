//! Windows: a plain rename; a new file takes its access rules from the folder, as the old one did.
#![expect(clippy::disallowed_methods, reason = "the one place that moves and removes files")]

use std::ffi::OsString;
use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Exchange;
use crate::file::{Kind, Stamp};

/// Whether events tell when a program opens a file, and when it closes one that it has written to.
pub(crate) const TELLS_OPENING: bool = false;

pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

pub(crate) fn create_new(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// The folder's rules keep others out.
pub(crate) fn owner_only(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// A folder cannot be opened as a file here, and the file system's journal orders renames.
#[derive(Debug)]
pub(crate) struct Folder;

pub(crate) fn open_folder(_path: &Path) -> io::Result<Folder> {
    Ok(Folder)
}

pub(crate) fn sync_folder(_folder: &Folder) -> io::Result<()> {
    Ok(())
}

pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// Returns the names in a folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    folder.read_dir()?.map(|entry| Ok(entry?.file_name())).collect()
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

pub(crate) fn exchange(_one: &Path, _other: &Path) -> io::Result<Exchange> {
    Ok(Exchange::Unsupported)
}

/// Gives `from` the name `to`, and fails with `AlreadyExists` if something has that name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::hard_link(from, to)?;
    remove(from)
}

pub(crate) fn stamp(meta: &Metadata) -> Stamp {
    let since = |time: io::Result<SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        i64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX)
    };
    Stamp {
        dev: 0,
        ino: 0,
        size: meta.len(),
        mtime_ns: since(meta.modified()),
        ctime_ns: since(meta.created()),
    }
}

pub(crate) fn age(meta: &Metadata) -> Duration {
    meta.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

pub(crate) fn mode(_meta: &Metadata) -> u32 {
    0o600
}

pub(crate) fn links(_meta: &Metadata) -> u64 {
    1
}

pub(crate) fn kind(file: FileType) -> Kind {
    if file.is_dir() { Kind::Folder } else { Kind::Device }
}

pub(crate) fn may_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_dir() || !meta.permissions().readonly())
}

pub(crate) fn on_read_only_mount(_path: &Path) -> bool {
    false
}

pub(crate) fn is_immutable(_file: &File) -> bool {
    false
}

/// Here nobody tells.
pub(crate) fn is_stopped(_pid: u32) -> bool {
    false
}

pub(crate) fn reserve(_file: &File, _size: u64) -> io::Result<()> {
    Ok(())
}

pub(crate) fn same_access(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

pub(crate) fn copy_access(_from: &File, _to: &File) -> io::Result<()> {
    Ok(())
}

/// Not known without a handle, so the age of a file decides alone.
/// Asks a process to end: there is no way to ask on this system, so it is left to the person.
pub(crate) fn ask_to_end(_pid: u32) {}

pub(crate) fn process_is_alive(_pid: u32) -> bool {
    true
}
