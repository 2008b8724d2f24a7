//! Who is there: counted, so that a daemon that nobody asked for by name knows when it is not needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many are there, and since when nobody is.
#[derive(Debug)]
pub(crate) struct Visits(Mutex<(usize, Instant)>);

/// Somebody who is there, as long as this is.
#[derive(Debug)]
pub(super) struct Visit(Arc<Visits>);

impl Default for Visits {
    fn default() -> Self {
        Self(Mutex::new((0, Instant::now())))
    }
}

impl Visits {
    /// Somebody comes.
    pub(super) fn begin(self: &Arc<Self>) -> Visit {
        self.lock().0 += 1;
        Visit(Arc::clone(self))
    }

    /// Returns since when nobody is there; `None` while somebody is.
    pub(crate) fn quiet_since(&self) -> Option<Instant> {
        let (count, since) = *self.lock();
        (count == 0).then_some(since)
    }

    fn lock(&self) -> MutexGuard<'_, (usize, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut visits = self.0.lock();
        visits.0 = visits.0.saturating_sub(1);
        visits.1 = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_quiet_once_everybody_has_left() {
        let visits = Arc::new(Visits::default());
        let begun = visits.quiet_since().unwrap();
        let (one, two) = (visits.begin(), visits.begin());
        drop(one);
        assert_eq!(visits.quiet_since(), None);
        drop(two);
        assert!(visits.quiet_since().unwrap() >= begun);
    }
}
