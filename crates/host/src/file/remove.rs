//! Removing a file that Switchboard itself had made.

use std::io;

use super::{Snapshot, read};
use crate::system;

/// Removes the file that `snapshot` shows, if it still holds exactly that. The caller has kept its bytes.
///
/// # Errors
///
/// It holds something else by now, or the system does not let us; the file is still there.
pub fn remove(snapshot: &Snapshot) -> io::Result<()> {
    let real = snapshot.target.real();
    let now = read(real).map_err(io::Error::other)?;
    if now.hash != snapshot.hash {
        return Err(io::Error::other("it changed in the same moment"));
    }
    system::remove(real)?;
    system::open_folder(snapshot.target.folder()).and_then(|folder| system::sync_folder(&folder))
}
