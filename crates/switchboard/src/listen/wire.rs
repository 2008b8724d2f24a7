//! The way to the other side, as the loop sees it.

use std::time::Duration;

use super::news::{Garbage, News};

/// What can be asked of another switchboard.
pub(super) trait Wire {
    /// Its events.
    type Stream: Heard;

    /// Opens the stream of events, behind the event with this id.
    async fn open(&self, last: Option<u64>) -> Result<Self::Stream, Trouble>;

    /// Asks for the version.
    async fn version(&self) -> Result<News, Trouble>;

    /// Asks for the servers; `None` when they are what this etag names.
    async fn config(&self, etag: Option<&str>) -> Result<Option<News>, Trouble>;
}

/// A stream of events.
pub(super) trait Heard {
    /// Returns the next sign of life; `None` at the end, however the stream ended.
    async fn next(&mut self) -> Option<Sign>;

    /// Returns how long the other side asks to be left alone when the stream has ended.
    fn retry(&self) -> Option<Duration>;
}

/// A sign of life.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A comment, or part of something.
    Alive,
    /// A new revision, or what should have been one.
    Event(Result<News, Trouble>),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What happened, as a fragment that fits after a colon.
    pub(super) why: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
    /// How long the server asks to be left alone.
    pub(super) hold: Option<Duration>,
}

impl Trouble {
    /// Returns a trouble without a remedy.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None, hold: None }
    }

    /// Returns the trouble with a remedy.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the trouble that an answer is garbage.
    pub(super) fn garbage(what: &str, garbage: &Garbage) -> Self {
        Self::new(format!("{what} is not to be understood: {garbage}"))
            .hint("check that the address is that of a switchboard")
    }
}
