//! What a scripted server says at the moment, and whoever waits for it to say something else.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Something that is read by whoever serves, and changed by the test.
#[derive(Default)]
pub(super) struct Board<T> {
    now: Mutex<T>,
    changed: Condvar,
}

impl<T> Board<T> {
    /// Returns a board that begins so.
    pub(super) fn new(now: T) -> Self {
        Self { now: Mutex::new(now), changed: Condvar::new() }
    }

    /// Returns what it says.
    pub(super) fn now(&self) -> MutexGuard<'_, T> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what it says, and wakes whoever waits for that.
    pub(super) fn alter(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.now());
        self.changed.notify_all();
    }

    /// Waits until it says something else, or for so long.
    pub(super) fn wait<'b>(&self, now: MutexGuard<'b, T>, limit: Duration) -> MutexGuard<'b, T> {
        self.changed.wait_timeout(now, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}
