//! Who is there: counted, so that a daemon that nobody asked for by name knows when it is not needed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many are there, and since when nobody is.
#[derive(Debug)]
pub(crate) struct Visits(Mutex<Book>);

#[derive(Debug)]
struct Book {
    count: usize,
    /// The most since somebody asked for that last.
    most: usize,
    /// When the last one left.
    since: Instant,
}

/// Somebody who is there, as long as this is.
#[derive(Debug)]
pub(super) struct Visit(Arc<Visits>);

impl Default for Visits {
    fn default() -> Self {
        Self(Mutex::new(Book { count: 0, most: 0, since: Instant::now() }))
    }
}

impl Visits {
    /// Somebody comes.
    pub(super) fn begin(self: &Arc<Self>) -> Visit {
        let mut book = self.lock();
        book.count += 1;
        book.most = book.most.max(book.count);
        drop(book);
        Visit(Arc::clone(self))
    }

    /// Returns how many are there fewer than there were at most since this was asked last.
    pub(super) fn have_left(&self) -> usize {
        let mut book = self.lock();
        let now = book.count;
        std::mem::replace(&mut book.most, now) - now
    }

    /// Returns since when nobody is there; `None` while somebody is.
    pub(crate) fn quiet_since(&self) -> Option<Instant> {
        let book = self.lock();
        (book.count == 0).then_some(book.since)
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut book = self.0.lock();
        book.count = book.count.saturating_sub(1);
        book.since = Instant::now();
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
        assert_eq!(visits.have_left(), 0);
        drop(one);
        assert_eq!((visits.have_left(), visits.have_left()), (1, 0));
        assert_eq!(visits.quiet_since(), None);
        drop(two);
        assert!(visits.quiet_since().unwrap() >= begun);
    }
}
