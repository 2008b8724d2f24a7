//! What every Unix has in common.
#![expect(clippy::disallowed_methods, reason = "the one place that moves and removes files")]

use std::ffi::OsString;
use std::fs::{DirBuilder, File, FileType, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{Access, OFlags, StatVfsMountFlags};
use rustix::process::{Pid, test_kill_process};

use crate::file::{Kind, Stamp};

/// Never through a link that was put there since, and never waiting for the other end of a pipe.
const CAREFULLY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    again_open(OpenOptions::new().read(true).custom_flags(CAREFULLY.bits().cast_signed()), path)
}

pub(crate) fn open_to_write(path: &Path) -> io::Result<File> {
    again_open(OpenOptions::new().read(true).write(true).custom_flags(CAREFULLY.bits().cast_signed()), path)
}

/// Makes a file that nobody but its owner can open, whatever the umask.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    again_open(OpenOptions::new().read(true).write(true).create_new(true).mode(mode & 0o600), path)
}

/// Opens a file that only ever grows, and makes it if it is not there.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    let flags = CAREFULLY.bits().cast_signed();
    again_open(OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags), path)
}

fn again_open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    super::again(|| options.open(path))
}

/// Takes from others what they may do with a file of ours.
pub(crate) fn owner_only(path: &Path) -> io::Result<()> {
    let now = std::fs::symlink_metadata(path)?;
    if now.is_file() && mode(&now) != 0o600 {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens a folder, so that [`sync_folder`] cannot fail for want of a descriptor later.
pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    super::again(|| File::open(path))
}

pub(crate) fn sync_folder(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

/// Makes `path` and what is missing above it, open to its owner only.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns the names in a folder. Unlike the standard library's iterator it does not panic when closing fails.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = rustix::fs::Dir::new(open_folder(folder)?)?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(OsString::from_vec(entry?.file_name().to_bytes().to_vec()));
    }
    names.retain(|name| name != "." && name != "..");
    Ok(names)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    super::again(|| std::fs::rename(from, to))
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    super::again(|| std::fs::remove_file(path))
}

pub(crate) fn stamp(meta: &Metadata) -> Stamp {
    Stamp {
        dev: meta.dev(),
        ino: meta.ino(),
        size: meta.len(),
        mtime_ns: nanoseconds(meta.mtime(), meta.mtime_nsec()),
        ctime_ns: nanoseconds(meta.ctime(), meta.ctime_nsec()),
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// Returns how long ago anything about the file changed. The change time, not the modification time: programs set the
/// latter as they like. A time in the future counts as just now.
pub(crate) fn age(meta: &Metadata) -> Duration {
    let (Ok(seconds), Ok(rest)) = (u64::try_from(meta.ctime()), u32::try_from(meta.ctime_nsec())) else {
        return Duration::MAX;
    };
    let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, rest);
    SystemTime::now().duration_since(changed).unwrap_or_default()
}

pub(crate) fn mode(meta: &Metadata) -> u32 {
    meta.mode() & 0o7777
}

pub(crate) fn links(meta: &Metadata) -> u64 {
    meta.nlink()
}

pub(crate) fn kind(file: FileType) -> Kind {
    if file.is_dir() {
        Kind::Folder
    } else if file.is_fifo() {
        Kind::Pipe
    } else if file.is_socket() {
        Kind::Socket
    } else {
        Kind::Device
    }
}

pub(crate) fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, Access::WRITE_OK).is_ok()
}

pub(crate) fn on_read_only_mount(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Returns whether owner, group and permissions are the same.
pub(crate) fn same_access(one: &Metadata, other: &Metadata) -> bool {
    (one.uid(), one.gid(), mode(one)) == (other.uid(), other.gid(), mode(other))
}

/// Gives `to` the owner, extended attributes (the ACL is one) and permissions of `from`, in an order that never lets
/// anyone in whom `from` keeps out.
///
/// # Errors
///
/// `PermissionDenied` says that this user may not give a new file the metadata of the old one.
pub(crate) fn copy_access(from: &File, to: &File) -> io::Result<()> {
    let old = from.metadata()?;
    let new = to.metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        super::again(|| fchown(to, Some(old.uid()), Some(old.gid())))?;
    }
    super::copy_attributes(from, to)?;
    // Last: a change of owner clears set-id bits, and an ACL has its say in the group's permissions.
    if mode(&to.metadata()?) != mode(&old) {
        to.set_permissions(Permissions::from_mode(mode(&old)))?;
    }
    if same_access(&old, &to.metadata()?) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Asks a process to end. One that is gone has ended already.
pub(crate) fn ask_to_end(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

pub(crate) fn process_is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Only "no such process" is a no: a process of another user is alive too.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}
