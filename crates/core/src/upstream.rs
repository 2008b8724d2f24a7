//! The life of the connection to one server, as a function.
//!
//! [`step`] takes the phase, what happened and the time, and returns the next phase and what is to be done. Whoever
//! owns the connection receives, steps and acts, and decides nothing.

mod rules;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use rules::Rules;

use crate::backoff;

/// A connection that broke within so long after it was made counts as one more failed attempt.
pub const SOON: Duration = Duration::from_secs(10);

/// So many attempts in a row that came to nothing are a crash loop.
pub const CRASH_LOOP: u32 = 5;

/// A server that wants a login is asked again by itself after so long: nobody logs in as often as a program starts.
pub const LOGIN_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Whoever calls waits for the next attempt when it is this near; else they are told at once.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Where a connection stands. Times count from when the process began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is none, and nobody wants it.
    Idle {
        /// Attempts in a row that came to nothing.
        failed: u32,
    },
    /// It is being made: started, spoken to, asked what it has.
    Connecting {
        /// Attempts in a row that came to nothing.
        failed: u32,
    },
    /// It answers.
    Ready(Ready),
    /// It failed, and is tried again.
    Waiting {
        /// Attempts in a row that came to nothing.
        failed: u32,
        /// When it is tried again; `None` for when somebody asks for it.
        until: Option<Duration>,
    },
    /// The server wants a login or a token, which says nothing of whether it is well (requirement L2).
    Login {
        /// Since when.
        since: Duration,
        /// When it is asked again.
        until: Duration,
    },
    /// No new calls; those in flight may end until then.
    Draining {
        /// When those that are left are cut off.
        until: Duration,
    },
    /// It is over.
    Gone,
}

/// A connection that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Attempts in a row that had come to nothing before this one.
    pub failed: u32,
    /// Since when.
    pub since: Duration,
    /// When it was last used.
    pub used: Duration,
    /// When its health is looked at next; `None` where nobody asked for it.
    pub check: Option<Duration>,
    /// Checks in a row that had no answer.
    pub silent: u64,
}

impl Phase {
    /// Returns the one word for the phase that people see.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Idle { .. } => "idle",
            Self::Connecting { .. } => "connecting",
            Self::Ready(_) => "ready",
            Self::Waiting { failed, .. } if *failed >= CRASH_LOOP => "crash loop",
            Self::Waiting { .. } => "waiting",
            Self::Login { .. } => "needs login",
            Self::Draining { .. } => "draining",
            Self::Gone => "gone",
        }
    }

    /// Returns whether nothing happens until somebody wants the connection.
    pub fn waits_for_a_word(&self) -> bool {
        matches!(self, Self::Idle { .. } | Self::Waiting { until: None, .. })
    }

    /// Returns the phase of a connection that was never made.
    pub fn new() -> Self {
        Self::Idle { failed: 0 }
    }

    /// Returns when time alone changes something.
    pub fn due(&self, rules: &Rules) -> Option<Duration> {
        match self {
            Self::Idle { .. } | Self::Connecting { .. } | Self::Gone => None,
            Self::Ready(ready) => {
                let idle = rules.idle_stop.map(|stop| ready.used + stop);
                [ready.check, idle].into_iter().flatten().min()
            }
            Self::Waiting { until, .. } => *until,
            Self::Login { until, .. } | Self::Draining { until } => Some(*until),
        }
    }
}

impl Default for Phase {
    fn default() -> Self {
        Self::new()
    }
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody has a call for it.
    Wanted,
    /// It answers, and has said what it has.
    Connected,
    /// It could not be made.
    Failed,
    /// It could not be made, because the server wants a login or a token (401, 403).
    Unauthorized,
    /// It broke, or its process ended.
    Lost,
    /// It answered the question whether it is well.
    Alive,
    /// It did not.
    Silent,
    /// Time has passed; so many calls are in flight, and it was last used then.
    Time {
        /// Calls in flight.
        calls: usize,
        /// When it was last used.
        used: Duration,
    },
    /// A person wants it tried now.
    Again,
    /// It is no longer wanted.
    Retire,
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    Connect,
    /// Ask whether it is well.
    Check,
    /// Tell those who wait for it that it is not to be had for now.
    Refuse,
    /// Tell those whose calls are in flight that they are lost.
    Fail,
    /// End it: close its input, then its process.
    Close,
}

/// Returns what comes of `event`: the next phase, and what is to be done in this order.
pub fn step(phase: Phase, event: Event, now: Duration, rules: &Rules, seed: u64) -> (Phase, Vec<Action>) {
    match (phase, event) {
        (Phase::Gone, _) => (Phase::Gone, Vec::new()),
        (Phase::Draining { until }, event) => draining(until, event, now),
        (phase, Event::Retire) => retired(&phase, now, rules),
        (Phase::Idle { failed }, Event::Wanted | Event::Again)
        | (Phase::Waiting { failed, .. }, Event::Again) => {
            (Phase::Connecting { failed }, vec![Action::Connect])
        }
        (Phase::Connecting { failed }, Event::Connected) => {
            let check = rules.health.as_ref().map(|health| now + health.every);
            (Phase::Ready(Ready { failed, since: now, used: now, check, silent: 0 }), Vec::new())
        }
        (Phase::Connecting { failed }, Event::Failed | Event::Lost) => {
            (waiting(failed, now, rules, seed), vec![Action::Close, Action::Refuse])
        }
        (Phase::Ready(ready), event) => ready_for(ready, event, now, rules, seed),
        (Phase::Waiting { failed, until }, Event::Wanted) => match until {
            Some(until) if until > now + PATIENCE => {
                (Phase::Waiting { failed, until: Some(until) }, vec![Action::Refuse])
            }
            Some(until) if until > now => (Phase::Waiting { failed, until: Some(until) }, Vec::new()),
            _ => (Phase::Connecting { failed }, vec![Action::Connect]),
        },
        (Phase::Waiting { failed, until: Some(until) }, Event::Time { .. }) if until <= now => {
            (Phase::Connecting { failed }, vec![Action::Connect])
        }
        (Phase::Connecting { .. }, Event::Unauthorized) => {
            (Phase::Login { since: now, until: now + LOGIN_AGAIN }, vec![Action::Close, Action::Refuse])
        }
        // Whoever calls may have logged in meanwhile; those who call one upon the other find out together.
        (Phase::Login { since, until }, Event::Wanted) if now < since + rules.first.min(PATIENCE) => {
            (Phase::Login { since, until: until.min(since + rules.first.min(PATIENCE)) }, Vec::new())
        }
        (Phase::Login { .. }, Event::Wanted | Event::Again) => {
            (Phase::Connecting { failed: 0 }, vec![Action::Connect])
        }
        (Phase::Login { until, .. }, Event::Time { .. }) if until <= now => {
            (Phase::Connecting { failed: 0 }, vec![Action::Connect])
        }
        // What comes late, of a connection that is no more.
        (phase, _) => (phase, Vec::new()),
    }
}

fn ready_for(
    mut ready: Ready,
    event: Event,
    now: Duration,
    rules: &Rules,
    seed: u64,
) -> (Phase, Vec<Action>) {
    let lasted = now.saturating_sub(ready.since) >= SOON;
    let failed = if lasted { 0 } else { ready.failed };
    match event {
        Event::Lost => {
            let after = vec![Action::Fail, Action::Close];
            // A server that is started when it is used is started when it is used next, unless it fell at once.
            if rules.idle_stop.is_some() && lasted {
                return (Phase::Idle { failed: 0 }, after);
            }
            (waiting(failed, now, rules, seed), after)
        }
        Event::Alive => {
            ready.silent = 0;
            (Phase::Ready(ready), Vec::new())
        }
        Event::Silent => {
            ready.silent += 1;
            if rules.health.as_ref().is_some_and(|health| ready.silent >= health.failures) {
                return (waiting(failed, now, rules, seed), vec![Action::Fail, Action::Close]);
            }
            (Phase::Ready(ready), Vec::new())
        }
        Event::Time { calls, used } => {
            ready.used = ready.used.max(used);
            if calls > 0 {
                ready.used = now;
            }
            if rules.idle_stop.is_some_and(|stop| ready.used + stop <= now) {
                return (Phase::Idle { failed: 0 }, vec![Action::Close]);
            }
            let mut actions = Vec::new();
            if let (Some(check), Some(health)) = (ready.check, &rules.health)
                && check <= now
            {
                ready.check = Some(now + health.every);
                actions.push(Action::Check);
            }
            (Phase::Ready(ready), actions)
        }
        Event::Wanted => {
            ready.used = now;
            (Phase::Ready(ready), Vec::new())
        }
        Event::Connected | Event::Failed | Event::Unauthorized | Event::Again | Event::Retire => {
            (Phase::Ready(ready), Vec::new())
        }
    }
}

fn draining(until: Duration, event: Event, now: Duration) -> (Phase, Vec<Action>) {
    match event {
        Event::Lost => (Phase::Gone, vec![Action::Fail, Action::Close]),
        Event::Time { calls: 0, .. } => (Phase::Gone, vec![Action::Close]),
        Event::Time { .. } if until <= now => (Phase::Gone, vec![Action::Fail, Action::Close]),
        Event::Wanted => (Phase::Draining { until }, vec![Action::Refuse]),
        _ => (Phase::Draining { until }, Vec::new()),
    }
}

fn retired(phase: &Phase, now: Duration, rules: &Rules) -> (Phase, Vec<Action>) {
    match phase {
        Phase::Ready(_) => (Phase::Draining { until: now + rules.drain }, Vec::new()),
        Phase::Connecting { .. } => (Phase::Gone, vec![Action::Close, Action::Refuse]),
        _ => (Phase::Gone, vec![Action::Refuse]),
    }
}

/// Returns the phase after one more attempt that came to nothing.
fn waiting(failed: u32, now: Duration, rules: &Rules, seed: u64) -> Phase {
    let failed = failed + 1;
    let given_up = rules.attempts > 0 && u64::from(failed) >= rules.attempts;
    let delay = backoff::delay(rules.first, rules.longest, failed - 1, seed);
    Phase::Waiting { failed, until: (!given_up).then_some(now + delay) }
}
