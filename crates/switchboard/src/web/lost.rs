//! Why somebody has no answer for us.

use std::error::Error as _;
use std::time::Duration;

use reqwest::StatusCode;

/// Why there is no answer, as a fragment that fits after a colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    /// Nobody is there.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended in the middle.
    #[error("the connection broke: {0}")]
    Broke(String),
    /// No answer came within this time.
    #[error("it did not answer within {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// It sends us to another origin, which was not named.
    #[error("it redirects to {0}, which was not named")]
    Elsewhere(String),
    /// It sends us from one address to the next.
    #[error("it redirects again and again")]
    Circle,
    /// It answers with another status than it should.
    #[error("it answered {status}{detail}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What it says about it, behind a colon; or nothing.
        detail: String,
        /// How long it asks to be left alone.
        hold: Option<Duration>,
    },
    /// It answers with something else than a stream of events.
    #[error("what it answers is no stream of events")]
    NoStream,
    /// It sends an event of more bytes than this.
    #[error("an event of it is longer than {} MiB", .0 >> 20)]
    TooLong(usize),
}

impl Lost {
    /// Returns how long the other side asks to be left alone.
    pub(crate) fn hold(&self) -> Option<Duration> {
        if let Self::Status { hold, .. } = self { *hold } else { None }
    }
}

impl From<&reqwest::Error> for Lost {
    /// The last error of the chain is what the machine said.
    fn from(error: &reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(std::error::Error::source) {
            cause = Some(deeper);
        }
        let said = cause.map_or_else(|| "no reason given".to_owned(), ToString::to_string);
        if error.is_connect() || error.is_timeout() { Self::Unreachable(said) } else { Self::Broke(said) }
    }
}
