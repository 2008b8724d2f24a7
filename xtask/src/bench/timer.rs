//! Times of repeated runs: how they are taken together, and how they are written.

use std::time::Duration;

/// The times of one thing, in rounds.
///
/// The machine has other things to do: the least time says what the thing costs, the medians of the rounds say how
/// far that can be relied on.
#[derive(Default)]
pub(super) struct Times {
    rounds: Vec<Vec<Duration>>,
}

impl Times {
    pub(super) fn begin_round(&mut self) {
        self.rounds.push(Vec::new());
    }

    pub(super) fn add(&mut self, time: Duration) {
        if let Some(round) = self.rounds.last_mut() {
            round.push(time);
        }
    }

    /// Returns the medians of the rounds, in order.
    fn medians(&self) -> Vec<Duration> {
        let mut medians: Vec<Duration> = self
            .rounds
            .iter()
            .map(|round| {
                let mut round = round.clone();
                round.sort();
                round.get(round.len() / 2).copied().unwrap_or_default()
            })
            .collect();
        medians.sort();
        medians
    }

    /// Returns the median of the medians.
    pub(super) fn median(&self) -> Duration {
        let medians = self.medians();
        medians.get(medians.len() / 2).copied().unwrap_or_default()
    }

    /// Returns the least time, and the one that 99 of 100 stay under.
    pub(super) fn extremes(&self) -> (Duration, Duration) {
        let mut all: Vec<Duration> = self.rounds.iter().flatten().copied().collect();
        all.sort();
        let at = |part: usize| all.get(part).copied().unwrap_or_default();
        (at(0), at((all.len() * 99 / 100).min(all.len().saturating_sub(1))))
    }

    /// Returns the median, how far the rounds lie apart, and the least time.
    pub(super) fn told(&self) -> String {
        let medians = self.medians();
        let [first, last] = [medians.first(), medians.last()].map(|time| time.copied().unwrap_or_default());
        let (least, _) = self.extremes();
        let [median, first, last, least] = [self.median(), first, last, least].map(written);
        format!("{median} (rounds {first} to {last}; min {least})")
    }

    /// Returns the same with the time that 99 of 100 runs stay under; only where every single run was timed.
    pub(super) fn told_with_tail(&self) -> String {
        format!("{}, p99 {}", self.told(), written(self.extremes().1))
    }
}

/// Returns a time in the unit that suits it.
pub(super) fn written(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1_000.0 { format!("{micros:.0} us") } else { format!("{:.2} ms", micros / 1e3) }
}
