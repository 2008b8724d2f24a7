//! Unix systems without an exchange: a plain rename, and no extended attributes.

use std::fs::File;
use std::io;
use std::path::Path;

use super::Exchange;

/// Whether events tell when a program opens a file, and when it closes one that it has written to.
pub(crate) const TELLS_OPENING: bool = false;

pub(crate) fn exchange(_one: &Path, _other: &Path) -> io::Result<Exchange> {
    Ok(Exchange::Unsupported)
}

/// Gives `from` the name `to`, and fails with `AlreadyExists` if something has that name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    // A hard link cannot replace anything.
    std::fs::hard_link(from, to)?;
    super::remove(from)
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

pub(super) fn copy_attributes(_from: &File, _to: &File) -> io::Result<()> {
    Ok(())
}

/// Pipes have the size that the system gives them.
pub(crate) fn widen(_pipe: impl std::os::fd::AsFd) {}
