//! What a catalogue says about the life of one connection.

use std::time::Duration;

use crate::catalogue::{Health, Server};

/// A server that nobody uses is let go after so long, where its owner says nothing else.
const IDLE_STOP: Duration = Duration::from_secs(600);

/// The rules of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The delay before the second attempt is at most this.
    pub first: Duration,
    /// No delay is longer than this.
    pub longest: Duration,
    /// So many attempts, and it waits until somebody asks for it; 0 for no end.
    pub attempts: u64,
    /// How it is looked after; `None`: its end is the only sign.
    pub health: Option<Health>,
    /// It is stopped when nobody used it for so long; `None`: it is started at once and never stopped.
    pub idle_stop: Option<Duration>,
    /// How long calls in flight may take once it is no longer wanted.
    pub drain: Duration,
}

impl Rules {
    /// Returns the rules that a server's owner wants.
    pub fn of(server: &Server, drain: Duration) -> Self {
        let retry = server.retry.as_ref();
        let idle_stop = match server.idle_stop {
            Some(never) if never.is_zero() => None,
            Some(said) => Some(said),
            None => Some(IDLE_STOP),
        };
        Self {
            first: retry.map_or(Duration::from_millis(250), |retry| retry.first),
            longest: retry.map_or(Duration::from_secs(30), |retry| retry.max),
            attempts: retry.map_or(0, |retry| retry.attempts),
            health: server.health.clone(),
            idle_stop,
            drain,
        }
    }
}
