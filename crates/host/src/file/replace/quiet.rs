//! Waiting until nobody is in the middle of writing, within bounds.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::file::{Opened, ReadError};
use crate::system;

/// Programs write a config file in one go: what has been still for this long is whole.
const QUIET: Duration = Duration::from_millis(5);
/// A file that never is still for that long is compared all the same, and found changed.
const TRIES: u32 = 40;

/// Waits until the file at `path` has not changed for a moment; for one that has long been still, not at all.
pub(super) fn wait(path: &Path) {
    for _ in 0..TRIES {
        let age = path.symlink_metadata().map_or(QUIET, |meta| system::age(&meta));
        let Some(left) = QUIET.checked_sub(age).filter(|left| !left.is_zero()) else { return };
        thread::sleep(left);
    }
}

/// Reads the displaced file, which has only `name` left, until whoever had it open is done writing into it.
pub(super) fn settle(displaced: &mut Opened, name: &Path) -> Result<(), ReadError> {
    for _ in 0..TRIES {
        let before = displaced.snapshot.stamp;
        thread::sleep(QUIET);
        displaced.refresh(name)?;
        // Emptied is what a file is before it is written: the rest is worth waiting for.
        if displaced.snapshot.stamp == before && !displaced.snapshot.bytes.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}
