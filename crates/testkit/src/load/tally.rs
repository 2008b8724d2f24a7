//! What came of many calls.

use std::time::Duration;

use super::Fault;

/// How many reasons are kept.
const REASONS: usize = 5;

/// What came of many calls.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How long each took that was answered rightly, in nanoseconds.
    times: Vec<u64>,
    wrong: usize,
    failed: usize,
    reasons: Vec<String>,
    /// How long all of it took.
    pub(super) whole: Duration,
    /// What the processors did meanwhile for a command that was asked over its streams.
    pub(super) command: Option<Duration>,
}

impl Tally {
    pub(super) fn add(&mut self, done: &Result<Duration, Fault>) {
        match done {
            Ok(time) => self.times.push(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            Err(fault) => {
                match fault {
                    Fault::Wrong(_) => self.wrong += 1,
                    Fault::Failed(_) | Fault::Lost => self.failed += 1,
                }
                if self.reasons.len() < REASONS {
                    self.reasons.push(fault.to_string());
                }
            }
        }
    }

    /// Joins what another one has counted.
    pub(super) fn join(&mut self, mut other: Self) {
        self.times.append(&mut other.times);
        self.wrong += other.wrong;
        self.failed += other.failed;
        self.reasons.append(&mut other.reasons);
        self.reasons.truncate(REASONS);
    }

    /// Joins the faults of another one, not its times.
    pub(super) fn count_faults(&mut self, other: &Self) {
        self.wrong += other.wrong;
        self.failed += other.failed;
        self.reasons.extend_from_slice(&other.reasons);
        self.reasons.truncate(REASONS);
    }

    pub(super) fn is_right(&self) -> bool {
        self.wrong == 0 && self.failed == 0 && !self.times.is_empty()
    }

    /// Returns everything as JSON; times are in nanoseconds.
    pub(super) fn told(&self) -> serde_json::Value {
        let mut times = self.times.clone();
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        let at = |part: usize| times.get(last * part / 1_000).copied();
        serde_json::json!({
            "calls": times.len(),
            "wrong": self.wrong,
            "failed": self.failed,
            "reasons": self.reasons,
            "seconds": self.whole.as_secs_f64(),
            "min": at(0),
            "p50": at(500),
            "p90": at(900),
            "p99": at(990),
            "p999": at(999),
            "max": at(1_000),
            "command": self.command.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        })
    }
}
