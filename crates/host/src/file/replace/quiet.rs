//! Waiting until nobody is in the middle of writing, within bounds.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::file::{Opened, ReadError};
use crate::system;

/// Programs write a config file in one go: what has been still for this long is whole.
const QUIET: Duration = Duration::from_millis(5);
/// Emptied is what a file is before it is written, so an empty one has to be still for longer.
const QUIET_WHEN_EMPTY: Duration = Duration::from_millis(50);
/// A file that never is still for that long is compared all the same, and found changed.
const TRIES: u32 = 40;
/// How often a displaced file that was emptied is looked at. It is rare, and giving up loses what is still to come.
const TRIES_WHEN_EMPTY: u32 = 400;

/// Waits until the file at `path` has not changed for a moment; for one that has long been still, not at all.
pub(super) fn wait(path: &Path) {
    for _ in 0..TRIES {
        let Ok(meta) = path.symlink_metadata() else { return };
        let wanted = if meta.len() == 0 { QUIET_WHEN_EMPTY } else { QUIET };
        let left = wanted.saturating_sub(system::age(&meta));
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(QUIET));
    }
}

/// Reads the displaced file, which has only `name` left, until whoever had it open is done writing into it.
pub(super) fn settle(displaced: &mut Opened, name: &Path) -> Result<(), ReadError> {
    for tries in 1..=TRIES_WHEN_EMPTY {
        let before = displaced.snapshot.stamp;
        thread::sleep(QUIET);
        displaced.refresh(name)?;
        let (still, empty) = (displaced.snapshot.stamp == before, displaced.snapshot.bytes.is_empty());
        if !empty && (still || tries >= TRIES) {
            break;
        }
    }
    Ok(())
}
