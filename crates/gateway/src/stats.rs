//! What is counted of one server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The lower bounds of the classes of time grow by a quarter from 10 us on; the last one has no end.
const CLASSES: usize = 64;

/// What is counted of one server, for as long as the daemon runs.
#[derive(Debug)]
pub struct Stats {
    calls: AtomicU64,
    errors: AtomicU64,
    troubles: AtomicU64,
    cached: AtomicU64,
    denied: AtomicU64,
    dropped: AtomicU64,
    times: [AtomicU64; CLASSES],
}

/// A moment of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that had an answer or failed.
    pub calls: u64,
    /// Answers that were errors.
    pub errors: u64,
    /// Calls that had no answer.
    pub troubles: u64,
    /// Calls, beside those, whose result was known already.
    pub cached: u64,
    /// Calls, beside those, that the policy did not let through.
    pub denied: u64,
    /// Messages that were dropped because they were none, or for nobody.
    pub dropped: u64,
    /// Half of the answers came within this time; `None` before the first.
    pub p50: Option<Duration>,
    /// Of a hundred answers, ninety-nine came within this time.
    pub p99: Option<Duration>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            calls: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            troubles: AtomicU64::new(0),
            cached: AtomicU64::new(0),
            denied: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            times: [const { AtomicU64::new(0) }; CLASSES],
        }
    }
}

impl Stats {
    /// An answer came after this time.
    pub(crate) fn answered(&self, after: Duration, is_error: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if is_error {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        self.times[class(after)].fetch_add(1, Ordering::Relaxed);
    }

    /// A call had no answer.
    pub(crate) fn failed(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.troubles.fetch_add(1, Ordering::Relaxed);
    }

    /// The result of a call was known already.
    pub(crate) fn cached(&self) {
        self.cached.fetch_add(1, Ordering::Relaxed);
    }

    /// The policy did not let a call through.
    pub(crate) fn denied(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was dropped.
    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the counts as they stand.
    pub fn counts(&self) -> Counts {
        let times: Vec<u64> = self.times.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Counts {
            calls: self.calls.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            troubles: self.troubles.load(Ordering::Relaxed),
            cached: self.cached.load(Ordering::Relaxed),
            denied: self.denied.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            p50: quantile(&times, 50),
            p99: quantile(&times, 99),
        }
    }
}

fn class(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    bounds().position(|bound| micros <= bound).unwrap_or(CLASSES - 1)
}

/// The upper bounds of the classes, in microseconds.
fn bounds() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(10_u64), |bound| Some(bound + bound / 4 + 1)).take(CLASSES)
}

fn quantile(times: &[u64], percent: u64) -> Option<Duration> {
    let all: u64 = times.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let mut so_far = 0;
    let found = times.iter().zip(bounds()).find(|(count, _)| {
        so_far += **count;
        so_far >= wanted
    });
    (all > 0).then(|| Duration::from_micros(found.map_or(u64::MAX, |(_, bound)| bound)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_quarter() {
        let stats = Stats::default();
        assert_eq!(stats.counts(), Counts::default());
        for millis in 1..=100 {
            stats.answered(Duration::from_millis(millis), millis > 90);
        }
        stats.failed();
        let counts = stats.counts();
        assert_eq!((counts.calls, counts.errors, counts.troubles), (101, 10, 1));
        for (time, millis) in [(counts.p50, 50), (counts.p99, 99)] {
            let time = time.unwrap().as_millis();
            assert!((millis..millis * 13 / 10).contains(&time), "{time} for {millis}");
        }
        stats.answered(Duration::from_secs(100_000), false);
    }
}
