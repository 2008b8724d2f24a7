//! When a file that changes is looked at, and when what was found is told: a state machine without clock or file.
//!
//! How long a file has to be still depends on what is known about it. A file that took the place of another is whole
//! already; one that was closed after it was written is nearly as good; one that nobody has closed yet is not. What
//! looks like an accident (cut off, emptied, gone) gets time to be mended.

use std::time::{Duration, Instant};

/// What an event says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Another file, or another way to it, took the place of the old one in one step.
    Replaced,
    /// It was made or written to, and who did it has not closed it.
    Written,
    /// Somebody who could write to it closed it.
    Closed,
    /// Its owner, mode or times changed.
    Touched,
    /// It went away.
    Removed,
    /// It stands in a folder that has just appeared, or was not watched before: what wrote it was not seen.
    Appeared,
    /// No event told of it: it was found otherwise, and none may tell when it is done.
    Unseen,
}

impl Hint {
    /// How long a file has to be still after this hint.
    pub(super) fn moment(self) -> Duration {
        Duration::from_millis(match self {
            Self::Replaced | Self::Touched | Self::Removed => 5,
            Self::Closed => 10,
            Self::Appeared => 100,
            // Longer than programs pause between two parts of one file.
            Self::Unseen => 500,
            Self::Written => 1_500,
        })
    }

    /// Whether who changed the file seems to be done with it.
    fn is_done(self) -> bool {
        matches!(self, Self::Replaced | Self::Closed)
    }

    /// Returns what is known after one more event: the last one counts, but new times and modes say nothing about the
    /// content.
    pub(super) fn and(self, next: Self) -> Self {
        if next == Self::Touched { self } else { next }
    }
}

/// What a look at the file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// What is known already.
    Known,
    /// Another content.
    Other,
    /// The beginning of what was known, or nothing at all.
    Cut,
    /// No file, or none that can be read.
    Gone,
}

impl Sight {
    /// How long that has to stay so before it is believed.
    fn moment(self) -> Duration {
        Duration::from_millis(match self {
            Self::Known | Self::Other => 0,
            Self::Gone => 200,
            Self::Cut => 1_000,
        })
    }
}

/// Where a file is between two changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing goes on. The last change was told at that time, after so many rounds.
    Still(Option<(Instant, u32)>),
    /// Something goes on.
    Moving(Moving),
}

/// A file that somebody is changing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moving {
    first: Instant,
    last: Instant,
    hint: Hint,
    /// How often it seemed to be done, and was not.
    rounds: u32,
    /// What the last look found, if it has to stay so for a while.
    doubt: Option<Sight>,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// An event told of it.
    Hint(Hint),
    /// Time went by.
    Tick,
    /// It was looked at, as [`Action::Look`] asked for.
    Sight(Sight),
}

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing before [`Phase::deadline`].
    Wait,
    /// Read it and say what is there.
    Look,
    /// Tell what was read.
    Tell,
}

/// A file that is never still is told after that long, as soon as it is whole.
const LONGEST: Duration = Duration::from_secs(3);
/// Whatever a file does, it is told after that long.
const LONGEST_OF_ALL: Duration = Duration::from_secs(6);
/// A moment does not grow beyond this.
const LONGEST_MOMENT: Duration = Duration::from_millis(500);
/// Who changes a file again so soon after it was told is still at it.
const RESTLESS: Duration = Duration::from_millis(50);

impl Phase {
    /// Returns when [`Input::Tick`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Still(_) => None,
            Self::Moving(moving) => Some(moving.deadline()),
        }
    }

    /// Returns when the last sign of the present change came.
    pub(super) fn last(&self) -> Option<Instant> {
        match self {
            Self::Still(_) => None,
            Self::Moving(moving) => Some(moving.last),
        }
    }

    /// Returns whether a change goes on for so long that nothing is waited for any more.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        matches!(self, Self::Moving(moving) if now >= moving.first + LONGEST_OF_ALL)
    }

    /// Returns whether what goes on is known from no event.
    pub(super) fn is_unseen(&self) -> bool {
        matches!(self, Self::Moving(Moving { hint: Hint::Unseen, .. }))
    }
}

impl Moving {
    fn deadline(&self) -> Instant {
        let moment = match self.doubt {
            Some(sight) => sight.moment(),
            None => self.moment(),
        };
        let is_whole = self.hint != Hint::Written && self.doubt.is_none();
        (self.last + moment).min(self.first + if is_whole { LONGEST } else { LONGEST_OF_ALL })
    }

    /// Doubles with every round.
    fn moment(&self) -> Duration {
        let base = self.hint.moment();
        let grown = base.saturating_mul(2_u32.saturating_pow(self.rounds));
        grown.min(LONGEST_MOMENT.max(base))
    }

    fn hinted(self, hint: Hint, now: Instant) -> Self {
        if hint == Hint::Touched {
            return self;
        }
        let again = self.hint.is_done() && hint != Hint::Appeared;
        let rounds = if again { self.rounds.saturating_add(1) } else { self.rounds };
        Self { last: now, hint, rounds, doubt: None, ..self }
    }
}

/// Takes one step; `now` is when what `input` says happened.
pub(super) fn step(phase: Phase, input: Input, now: Instant) -> (Phase, Action) {
    match (phase, input) {
        (Phase::Still(told), Input::Hint(hint)) => {
            let again = told.filter(|(at, _)| now.saturating_duration_since(*at) < RESTLESS);
            let rounds = again.map_or(0, |(_, rounds)| rounds.saturating_add(1));
            (Phase::Moving(Moving { first: now, last: now, hint, rounds, doubt: None }), Action::Wait)
        }
        (Phase::Still(_), Input::Tick | Input::Sight(_)) => (phase, Action::Wait),
        (Phase::Moving(moving), Input::Hint(hint)) => (Phase::Moving(moving.hinted(hint, now)), Action::Wait),
        (Phase::Moving(moving), Input::Tick) => {
            (phase, if now < moving.deadline() { Action::Wait } else { Action::Look })
        }
        (Phase::Moving(_), Input::Sight(Sight::Known)) => (Phase::Still(None), Action::Wait),
        (Phase::Moving(moving), Input::Sight(sight)) => {
            let doubted = Moving { doubt: Some(sight), ..moving };
            if now < doubted.deadline() {
                (Phase::Moving(doubted), Action::Wait)
            } else {
                (Phase::Still(Some((now, moving.rounds))), Action::Tell)
            }
        }
    }
}

#[cfg(test)]
mod tests;
