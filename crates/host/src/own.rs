//! Publishing Switchboard's own files: nobody else writes them, so a rename is enough.

use std::io;
use std::path::Path;

use crate::system;
use crate::temp::Temp;

/// Why a file of ours is not as it should be.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// The old file stands untouched.
    NotWritten(io::Error),
    /// The new file stands, but a power cut may bring the old one back.
    NotDurable(io::Error),
}

impl PublishError {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::NotWritten(error) | Self::NotDurable(error) => error,
        }
    }
}

/// Puts `bytes` at `path`, whole and durable, readable for the owner only.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let parent = path.parent().unwrap_or(path);
    let folder = system::open_folder(parent).map_err(PublishError::NotWritten)?;
    put(path, bytes).map_err(PublishError::NotWritten)?;
    system::sync_folder(&folder).map_err(PublishError::NotDurable)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temp = Temp::beside(path, 0o600)?;
    temp.fill(bytes)?;
    system::rename(temp.path(), path)?;
    temp.leave();
    Ok(())
}
