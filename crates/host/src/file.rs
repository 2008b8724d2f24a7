//! Files of other programs: read whole, replaced whole, never torn, never lost.
//!
//! [`read()`] takes a [`Snapshot`]; the caller works out new bytes; [`replace()`] publishes them only if the file still is
//! what was read. What another program writes in between is found, kept in the backups and handed back to be merged.
//!
//! ```
//! use switchboard_host::{backup::Backups, file};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let path = home.path().join("mcp.json");
//! # let backups = Backups::new(home.path().join("backups"));
//! let target = file::Target::resolve(&path)?;
//! file::replace(&target, None, b"{}", &backups, &file::Options::new("a new file"))?;
//!
//! let old = file::read(&path)?;
//! let outcome = file::replace(&old.target, Some(&old), b"{ }", &backups, &file::Options::new("before a push"))?;
//! assert!(matches!(outcome, file::Outcome::Written(_)));
//! assert_eq!(backups.load(old.hash)?, b"{}");
//! # Ok(())
//! # }
//! ```

mod access;
mod read;
mod refusal;
mod remove;
mod replace;
mod sweep;
mod target;
mod unfinished;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::access::{others_may_read, others_may_write};
pub(crate) use self::read::Opened;
pub use self::read::{MAX_SIZE, ReadError, read};
pub use self::refusal::{Kind, Refusal};
pub use self::remove::remove;
pub use self::replace::{
    HardLinks, How, Options, Outcome, Replacement, Theirs, WriteError, Written, replace, replace_all,
};
pub use self::sweep::{Swept, sweep, sweep_own};
pub use self::target::Target;
pub(crate) use self::target::hops;
use crate::hash::Hash;

/// What a file system says about a file without its content being read.
///
/// Two equal stamps make it likely that nothing changed, not certain: the hash decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The device.
    pub dev: u64,
    /// The number of the file on it.
    pub ino: u64,
    /// The size in bytes.
    pub size: u64,
    /// When the content changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When anything changed, in nanoseconds since 1970.
    pub ctime_ns: i64,
}

/// A file as it was at one moment.
///
/// `Debug` does not show the bytes: config files hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// The name of the content.
    pub hash: Hash,
    /// What the file system said right after the content was read.
    pub stamp: Stamp,
    /// Where the file is, and by which links.
    pub target: Target,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, hash, stamp, target } = self;
        f.debug_struct("Snapshot").field("hash", hash).field("stamp", stamp).field("target", target).finish()
    }
}
