//! Which strategy is used, and what is done when it fails: a state machine over plain values.
//!
//! ```text
//! events --fails--> version --fails--> pull --fails--> rest, and from the top again
//!    ^                 |                 |
//!    +---- every now and then -----------+
//! ```

use std::time::Duration;

use super::delay::{LONGEST, delay, spread};

/// A stream that says nothing for so long is taken for dead: a comment comes every 15 s.
pub(super) const STALE: Duration = Duration::from_secs(45);

/// A stream that lasted for so long was a good one.
const STEADY: Duration = Duration::from_secs(60);

/// After so many streams that broke at once the next strategy is tried.
const BREAKS: u32 = 3;

/// The first climb back to a better strategy; the next ones come later and later.
const CLIMB: Duration = Duration::from_secs(60);

/// No climb is further away than this.
const LONGEST_CLIMB: Duration = Duration::from_secs(15 * 60);

/// How another switchboard is followed, from the best strategy to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strategy {
    /// Its events come by themselves.
    Events,
    /// Its version is asked for every now and then.
    Version,
    /// Its servers are asked for every now and then.
    Pull,
}

impl Strategy {
    /// Returns what is tried when this one fails.
    fn next(self) -> Option<Self> {
        match self {
            Self::Events => Some(Self::Version),
            Self::Version => Some(Self::Pull),
            Self::Pull => None,
        }
    }
}

/// How often the strategies that ask do so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between two questions for the version.
    pub(super) version: Duration,
    /// Between two questions for the servers.
    pub(super) pull: Duration,
    /// What tells the jitter of this follower from that of others.
    pub(super) seed: u64,
}

/// Where we are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// A strategy is tried.
    Seeking(Strategy),
    /// Events come, since then.
    Streaming(Duration),
    /// This strategy asks; at that time a better one is tried.
    Polling(Strategy, Duration),
    /// Nothing is asked until a time has come; then this strategy is tried.
    Resting(Strategy),
}

/// What the person was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Using(Strategy),
    Away,
}

/// Everything that is decided by.
#[derive(Clone, Debug)]
pub(super) struct State {
    pace: Pace,
    phase: Phase,
    told: Told,
    /// Why the strategies before the one that is tried now did not work.
    why: Option<String>,
    /// How often in a row nothing worked.
    rounds: u32,
    /// How often a better strategy was tried in vain.
    climbs: u32,
    /// How often in a row a stream broke soon.
    breaks: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It begins.
    Began,
    /// What was to be done has worked: the stream is open, the answer is good.
    Worked,
    /// What was to be done did not work, or a stream says nothing or nonsense; the server may ask to be left alone.
    Failed { why: String, hold: Option<Duration> },
    /// The stream ended; how soon its server asks for the next one.
    Broke(Option<Duration>),
    /// The time that was waited for has come.
    Due,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Use a strategy once: open the stream, or ask.
    Do(Strategy),
    /// Read the stream on.
    Read,
    /// Wait until this moment.
    Wait(Duration),
    /// Tell the person.
    Say(Saying),
}

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    /// This strategy is used from now on; why not a better one.
    Using(Strategy, Option<String>),
    /// Nothing works; why.
    Away(String),
}

impl State {
    /// Returns the state before anything has happened.
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            phase: Phase::Seeking(Strategy::Events),
            told: Told::Nothing,
            why: None,
            rounds: 0,
            climbs: 0,
            breaks: 0,
        }
    }

    /// Returns what is to be done after an event; `now` is the time since the beginning. The last action is the one
    /// whose outcome is the next event.
    pub(super) fn step(&mut self, event: Event, now: Duration) -> Vec<Action> {
        match (self.phase.clone(), event) {
            (Phase::Seeking(Strategy::Events), Event::Worked) => self.stream(now),
            (Phase::Seeking(by), Event::Worked) => self.poll(by, now),
            (Phase::Seeking(tried), Event::Failed { why, hold }) => self.descend(tried, why, hold, now),
            (Phase::Streaming(since), Event::Broke(retry)) => self.reopen(since, retry, now),
            (Phase::Streaming(_), Event::Failed { why, hold }) => {
                self.descend(Strategy::Events, why, hold, now)
            }
            (Phase::Polling(by, climb_at), Event::Due) => {
                if now >= climb_at {
                    self.seek(Strategy::Events)
                } else {
                    vec![Action::Do(by)]
                }
            }
            (Phase::Polling(by, climb_at), Event::Worked) => vec![self.pause(by, climb_at, now)],
            (Phase::Polling(..), Event::Failed { why, hold: Some(hold) }) => {
                self.why = Some(why);
                self.rest(Strategy::Events, now + hold)
            }
            (_, Event::Began) | (Phase::Polling(..), Event::Failed { .. }) => self.seek(Strategy::Events),
            (Phase::Resting(next), Event::Due) => self.seek(next),
            // Nothing else can happen; to begin anew is always right.
            (_, Event::Worked | Event::Due | Event::Failed { .. } | Event::Broke(_)) => {
                self.seek(Strategy::Events)
            }
        }
    }

    fn seek(&mut self, strategy: Strategy) -> Vec<Action> {
        if strategy == Strategy::Events {
            self.why = None;
        }
        self.phase = Phase::Seeking(strategy);
        vec![Action::Do(strategy)]
    }

    fn rest(&mut self, next: Strategy, until: Duration) -> Vec<Action> {
        self.phase = Phase::Resting(next);
        vec![Action::Wait(until)]
    }

    fn stream(&mut self, now: Duration) -> Vec<Action> {
        self.phase = Phase::Streaming(now);
        (self.rounds, self.climbs) = (0, 0);
        let mut actions = self.tell(Strategy::Events);
        actions.push(Action::Read);
        actions
    }

    fn poll(&mut self, by: Strategy, now: Duration) -> Vec<Action> {
        let away = CLIMB.saturating_mul(1 << self.climbs.min(8)).min(LONGEST_CLIMB);
        let climb_at = now + away / 2 + spread(away / 2, self.pace.seed ^ u64::from(self.climbs));
        self.climbs += 1;
        (self.rounds, self.breaks) = (0, 0);
        self.phase = Phase::Polling(by, climb_at);
        let mut actions = self.tell(by);
        actions.push(self.pause(by, climb_at, now));
        actions
    }

    fn pause(&self, by: Strategy, climb_at: Duration, now: Duration) -> Action {
        let every = if by == Strategy::Version { self.pace.version } else { self.pace.pull };
        Action::Wait((now + every).min(climb_at))
    }

    fn descend(
        &mut self,
        tried: Strategy,
        why: String,
        hold: Option<Duration>,
        now: Duration,
    ) -> Vec<Action> {
        self.breaks = 0;
        // The best strategy's reason tells most.
        let why = self.why.get_or_insert(why).clone();
        match (tried.next(), hold) {
            (Some(next), None) => self.seek(next),
            (Some(next), Some(hold)) => self.rest(next, now + hold),
            (None, hold) => {
                let pause = delay(self.rounds, self.pace.seed).max(hold.unwrap_or_default());
                self.rounds += 1;
                let mut actions = Vec::new();
                if self.told != Told::Away {
                    self.told = Told::Away;
                    actions.push(Action::Say(Saying::Away(why)));
                }
                actions.extend(self.rest(Strategy::Events, now + pause));
                actions
            }
        }
    }

    /// A stream that ended is opened again, unless streams do not last here.
    fn reopen(&mut self, since: Duration, retry: Option<Duration>, now: Duration) -> Vec<Action> {
        self.breaks = if now.saturating_sub(since) >= STEADY { 1 } else { self.breaks + 1 };
        if self.breaks > BREAKS {
            return self.descend(Strategy::Events, "its stream ends again and again".to_owned(), None, now);
        }
        // About when it asks for, but not everybody in the same moment.
        let asked = retry.unwrap_or_default().min(LONGEST);
        let pause = delay(self.breaks - 1, self.pace.seed).max(asked / 2 + spread(asked, self.pace.seed));
        self.rest(Strategy::Events, now + pause)
    }

    fn tell(&mut self, strategy: Strategy) -> Vec<Action> {
        if self.told == Told::Using(strategy) {
            return Vec::new();
        }
        self.told = Told::Using(strategy);
        vec![Action::Say(Saying::Using(strategy, self.why.clone()))]
    }
}

#[cfg(test)]
mod tests;
