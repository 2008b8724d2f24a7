//! How long to wait before something is tried again.

use std::time::Duration;

use switchboard_core::backoff;
pub(super) use switchboard_core::backoff::spread;

/// The first delay is at most this.
const FIRST: Duration = Duration::from_millis(250);

/// No delay is longer than this.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// Returns the delay after `attempt` failures, the first being 0: anything between nothing and a bound that doubles.
pub(super) fn delay(attempt: u32, seed: u64) -> Duration {
    backoff::delay(FIRST, LONGEST, attempt, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_stay_within_their_bound_and_fill_it() {
        for (attempt, bound) in [(0, 250), (1, 500), (4, 4_000), (6, 16_000), (7, 30_000), (40, 30_000)] {
            let all: Vec<u128> = (0..2_000).map(|seed| delay(attempt, seed).as_millis()).collect();
            assert!(all.iter().all(|&millis| millis <= bound), "attempt {attempt}");
            for tenth in 0..10 {
                let (from, to) = (bound * tenth / 10, bound * (tenth + 1) / 10);
                let in_it = all.iter().filter(|&&millis| from <= millis && millis < to).count();
                assert!((120..=280).contains(&in_it), "attempt {attempt}: {in_it} of 2000 in [{from}, {to})");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_delay() {
        assert_eq!(delay(3, 7), delay(3, 7));
        assert_ne!(delay(5, 7), delay(5, 8));
    }
}
