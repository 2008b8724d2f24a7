//! What only Linux has: exchange, extended attributes, immutable files, reserving room.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, FallocateFlags, IFlags, RenameFlags, XattrFlags};
use rustix::io::Errno;

use super::Exchange;

/// Whether events tell when a program opens a file, and when it closes one that it has written to.
pub(crate) const TELLS_OPENING: bool = true;

/// The kernel's own bound, for a list of names as for one value.
const LONGEST_ATTRIBUTE: usize = 64 * 1024;

pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<Exchange> {
    match super::again(|| Ok(rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)) {
        Ok(()) => Ok(Exchange::Done),
        Err(error) if is_unsupported(&error) => Ok(Exchange::Unsupported),
        Err(error) => Err(error),
    }
}

/// Gives `from` the name `to`, and fails with `AlreadyExists` if something has that name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match super::again(|| Ok(rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)) {
        // A hard link cannot replace anything either.
        Err(error) if is_unsupported(&error) => {
            std::fs::hard_link(from, to)?;
            super::remove(from)
        }
        outcome => outcome,
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP))
}

/// Returns whether the file or folder is immutable or append-only (`chattr +i`, `+a`).
pub(crate) fn is_immutable(file: &File) -> bool {
    rustix::fs::ioctl_getflags(file)
        .is_ok_and(|flags| flags.intersects(IFlags::IMMUTABLE.union(IFlags::APPEND)))
}

/// Returns whether a process was stopped (SIGSTOP, Ctrl-Z) and waits to be told to go on.
#[expect(clippy::disallowed_methods, reason = "/proc has no file of anybody's")]
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes behind the name, which may hold anything. A process that is traced has a state of its own.
    String::from_utf8_lossy(&stat).rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

/// Asks for room for `size` bytes without changing the file, so that writing in place does not run out half-way.
///
/// # Errors
///
/// Only where there is no room; a file system that cannot tell is taken to have it.
pub(crate) fn reserve(file: &File, size: u64) -> io::Result<()> {
    if size == 0 {
        return Ok(());
    }
    match super::again(|| Ok(rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, size)?)) {
        Err(error) if is_unsupported(&error) => Ok(()),
        outcome => outcome,
    }
}

/// Makes the extended attributes of `to` those of `from`: also the ones that a folder's default ACL gave it go.
pub(super) fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let (wanted, found) = (attributes(from)?, attributes(to)?);
    for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
        match rustix::fs::fremovexattr(to, name.as_slice()) {
            Ok(()) | Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    for (name, value) in &wanted {
        if found.get(name) != Some(value) {
            rustix::fs::fsetxattr(to, name.as_slice(), value, XattrFlags::empty())?;
        }
    }
    Ok(())
}

fn attributes(file: &File) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut room = vec![0; LONGEST_ATTRIBUTE];
    let names = match rustix::fs::flistxattr(file, room.as_mut_slice()) {
        Ok(length) => room.get(..length).unwrap_or_default().to_vec(),
        Err(Errno::NOTSUP) => return Ok(BTreeMap::new()),
        Err(errno) => return Err(errno.into()),
    };
    let mut attributes = BTreeMap::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if is_of_the_content(name) {
            continue;
        }
        match rustix::fs::fgetxattr(file, name, room.as_mut_slice()) {
            Ok(length) => {
                attributes.insert(name.to_vec(), room.get(..length).unwrap_or_default().to_vec());
            }
            // It went away since it was listed.
            Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(attributes)
}

/// Integrity measurements are of the old bytes: the kernel makes new ones.
fn is_of_the_content(name: &[u8]) -> bool {
    name == b"security.ima" || name == b"security.evm"
}

/// Lets a pipe hold a long message, so that whoever writes it need not wait in the middle for whoever reads. Where the
/// system has no more room for that, the pipe stays as it is.
pub(crate) fn widen(pipe: impl std::os::fd::AsFd) {
    const ROOM: usize = 256 * 1024;
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, ROOM);
}
