//! Files on their way: made beside the file they are to become, recognised later by their name.

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::hash::Hash;
use crate::system;

const MARK: &str = ".switchboard-";
const END: &str = ".tmp";
/// What file systems allow for one name, less what is put around it.
const LONGEST_NAME: usize = 255 - 64;

/// A file of ours that is not published yet. It is removed with this value, unless it was left on purpose.
#[derive(Debug)]
pub(crate) struct Temp {
    path: PathBuf,
    file: File,
    left: bool,
}

impl Temp {
    /// Makes an empty file beside `beside`, which nobody but its owner can open; `mode` can only take from that.
    pub(crate) fn beside(beside: &Path, mode: u32) -> io::Result<Self> {
        loop {
            let path = beside.with_file_name(name_for(beside));
            match system::create_new(&path, mode) {
                Ok(file) => return Ok(Self { path, file, left: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Writes the whole content, down to the disk.
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }

    /// Leaves whatever has the name: it was published, or is to be looked at by the next sweep.
    pub(crate) fn leave(&mut self) {
        self.left = true;
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.left {
            // The next sweep takes what cannot be removed now.
            let _ = system::remove(&self.path);
        }
    }
}

/// A number that tells this life of the process from another one with the same process id.
fn life() -> u64 {
    static LIFE: OnceLock<u64> = OnceLock::new();
    *LIFE.get_or_init(|| RandomState::new().build_hasher().finish())
}

fn name_for(path: &Path) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().and_then(OsStr::to_str).filter(|name| name.len() <= LONGEST_NAME);
    // A name that is too long, or not a text, is told by its hash.
    let name = name.map_or_else(|| short_name(path), str::to_owned);
    let (pid, life, count) = (std::process::id(), life(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!(".{name}{MARK}{pid}-{life:016x}-{count:x}{END}")
}

fn short_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    Hash::of(name.as_encoded_bytes()).to_string().chars().take(16).collect()
}

/// Who made a file with a name like ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maker {
    pid: u32,
    life: u64,
}

impl Maker {
    /// Returns who made the file called `name`, or `None` if no Switchboard did.
    pub(crate) fn of(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.strip_prefix('.')?.strip_suffix(END)?;
        let (_, mark) = name.rsplit_once(MARK)?;
        let mut parts = mark.split('-');
        let (pid, life, count) = (parts.next()?, parts.next()?, parts.next()?);
        let count = u64::from_str_radix(count, 16);
        (parts.next().is_none() && life.len() == 16 && count.is_ok()).then_some(())?;
        Some(Self { pid: pid.parse().ok()?, life: u64::from_str_radix(life, 16).ok()? })
    }

    /// Returns whether the process that made it may still be at work on it.
    pub(crate) fn is_alive(self) -> bool {
        if self.pid == std::process::id() {
            // In a container the process before this one had the same id.
            return self.life == life();
        }
        system::process_is_alive(self.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_recognised() {
        let own = name_for(Path::new("/a/mcp.json"));
        assert!(Maker::of(OsStr::new(&own)).unwrap().is_alive(), "{own}");
        let foreign = [
            "mcp.json",
            ".mcp.json.tmp",
            ".mcp.json.switchboard-.tmp",
            ".mcp.json.switchboard-12-ab-0.tmp",
            ".mcp.json.switchboard-12-0123456789abcdef-0-1.tmp",
            ".mcp.json.switchboard-x-0123456789abcdef-0.tmp",
            "mcp.json.switchboard-12-0123456789abcdef-0.tmp",
        ];
        for name in foreign {
            assert_eq!(Maker::of(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_former_life_with_the_same_process_id_is_dead() {
        let name = format!(".a.switchboard-{}-{:016x}-0.tmp", std::process::id(), life() ^ 1);
        assert!(!Maker::of(OsStr::new(&name)).unwrap().is_alive());
    }

    #[test]
    fn the_longest_name_still_gives_a_name_that_fits() {
        let name = "n".repeat(255);
        assert!(name_for(Path::new(&name)).len() <= 255);
        let name = "n".repeat(LONGEST_NAME);
        assert!(name_for(Path::new(&name)).len() <= 255, "{}", name_for(Path::new(&name)).len());
    }
}
