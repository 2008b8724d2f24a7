//! Listening to the feed of a server: an event stream that announces its tools.
//!
//! Whom to listen to follows from the catalogue ([`follow()`]), what an event says is read by [`announced()`], and how one
//! listener goes on is a function: [`step`] takes where it stands, what happened and the time, and returns where it
//! stands then and what is to be done. Whoever owns the stream receives, steps and acts.

mod announcement;
mod follow;

use std::time::Duration;

pub use announcement::{Announcement, Garbage, MOST_TOOLS, Tool, announced};
pub use follow::{Change, Source, follow};

use crate::backoff::{self, LONGEST_HOLD};
use crate::catalogue::Feed;

/// The first pause is at most this.
const FIRST: Duration = Duration::from_millis(250);

/// No pause of our own is longer than this.
pub const LONGEST: Duration = Duration::from_secs(30);

/// A stream that was open for so long did not end at once: the pauses after it begin anew.
const STEADY: Duration = Duration::from_secs(10);

/// Where a listener stands. Times count from when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// What it does now.
    pub phase: Phase,
    /// Attempts in a row that brought nothing.
    pub barren: u64,
    /// Attempts in a row that did not last.
    short: u32,
}

/// What a listener does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The stream is being opened, since then.
    Opening(Duration),
    /// The stream is open.
    Open {
        /// Since when.
        since: Duration,
        /// When it last gave a sign of life.
        heard: Duration,
        /// It has announced tools.
        brought: bool,
    },
    /// The stream is lost, and is opened again at this time.
    Waiting(Duration),
    /// So many attempts brought nothing that nobody tries any more.
    Down,
}

impl Phase {
    /// Returns the one word for the phase that people see.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Opening(_) => "opening",
            Self::Open { .. } => "listening",
            Self::Waiting(_) => "waiting",
            Self::Down => "down",
        }
    }
}

/// What happens to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The stream is open.
    Opened,
    /// Something came: a comment, or a part of an event.
    Heard,
    /// Tools were announced, in a way that can be understood.
    Announced,
    /// The stream could not be opened, or ended; for so long the other side asks to be left alone.
    Lost(Duration),
    /// Time has passed.
    Time,
    /// Somebody wants it tried now.
    Again,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the stream.
    Open,
    /// Let go of the stream, or of the attempt to open it: nothing came for too long.
    Close,
}

impl Listening {
    /// Returns a listener that begins, and what it is to do first.
    pub fn begin(now: Duration) -> (Self, Vec<Action>) {
        (Self { phase: Phase::Opening(now), barren: 0, short: 0 }, vec![Action::Open])
    }

    /// Returns when time alone changes something.
    pub fn due(&self, feed: &Feed) -> Option<Duration> {
        match self.phase {
            Phase::Opening(since) => Some(since + feed.timeout),
            Phase::Open { heard, .. } => Some(heard + feed.timeout),
            Phase::Waiting(until) => Some(until),
            Phase::Down => None,
        }
    }
}

/// Returns what comes of `event`: where the listener stands then, and what is to be done in this order.
pub fn step(
    listening: Listening,
    event: Event,
    now: Duration,
    feed: &Feed,
    seed: u64,
) -> (Listening, Vec<Action>) {
    let is_due = listening.due(feed).is_some_and(|due| due <= now);
    let Listening { phase, barren, short } = listening;
    let same = |phase| Listening { phase, barren, short };
    match (phase, event) {
        (Phase::Opening(_), Event::Opened) => {
            (same(Phase::Open { since: now, heard: now, brought: false }), Vec::new())
        }
        (Phase::Open { since, brought, .. }, Event::Heard) => {
            (same(Phase::Open { since, heard: now, brought }), Vec::new())
        }
        (Phase::Open { since, .. }, Event::Announced) => {
            let phase = Phase::Open { since, heard: now, brought: true };
            (Listening { phase, barren: 0, short }, Vec::new())
        }
        (phase @ (Phase::Opening(_) | Phase::Open { .. }), Event::Lost(hold)) => {
            (lost(&same(phase), hold, now, feed, seed), Vec::new())
        }
        (phase @ (Phase::Opening(_) | Phase::Open { .. }), Event::Time) if is_due => {
            (lost(&same(phase), Duration::ZERO, now, feed, seed), vec![Action::Close])
        }
        (Phase::Waiting(_), Event::Time) if is_due => (same(Phase::Opening(now)), vec![Action::Open]),
        (Phase::Waiting(_), Event::Again) => (same(Phase::Opening(now)), vec![Action::Open]),
        (Phase::Down, Event::Again) => Listening::begin(now),
        // What comes too early, or of a stream that is no more.
        (phase, _) => (same(phase), Vec::new()),
    }
}

/// Returns where a listener stands that has lost its stream.
fn lost(listening: &Listening, hold: Duration, now: Duration, feed: &Feed, seed: u64) -> Listening {
    // A stream that announces little, and stays alive for longer than silence is borne, is no failed attempt.
    let (lasted, brought) = match listening.phase {
        Phase::Open { since, heard, brought } => {
            (now.saturating_sub(since) >= STEADY, brought || heard.saturating_sub(since) >= feed.timeout)
        }
        _ => (false, false),
    };
    let barren = if brought { 0 } else { listening.barren + 1 };
    let short = if lasted { 1 } else { listening.short.saturating_add(1) };
    let phase = if feed.retry_attempts > 0 && barren >= feed.retry_attempts {
        Phase::Down
    } else {
        let pause = backoff::delay(FIRST, LONGEST, short - 1, seed).max(hold.min(LONGEST_HOLD));
        Phase::Waiting(now + pause)
    };
    Listening { phase, barren, short }
}

#[cfg(test)]
mod tests;
