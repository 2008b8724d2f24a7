//! What goes wrong with one exchange, in words for whoever waits for its answer.

use std::error::Error as _;
use std::fmt;

use reqwest::StatusCode;

use super::message::Message;
use crate::approval::quoted;
use crate::login::NoToken;

/// Why a message got no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server said no.
    Status {
        /// The status.
        status: StatusCode,
        /// Whether the request named a session.
        in_session: bool,
        /// Whether it was the request that begins one.
        begins_session: bool,
        /// What the server asks to wait, in its own words.
        retry_after: Option<String>,
    },
    /// There is no token, or none that would do.
    Login(NoToken),
    /// The token that there is cannot be sent.
    Token,
    /// The connection could not be made, or broke.
    Connection(reqwest::Error),
    /// The server sends us elsewhere, where our headers must not go.
    Elsewhere(String),
    /// The server sends us around in circles.
    Circles,
    /// The answer is longer than a message may be.
    TooLong,
    /// The answer is not one.
    NotAnAnswer(String),
    /// The answer ended before it was complete.
    Cut,
    /// Too many calls wait for an answer.
    Busy,
}

impl Trouble {
    /// Returns what came of a request with this status.
    pub(super) fn status(response: &reqwest::Response, message: &Message, in_session: bool) -> Self {
        let retry_after = response.headers().get(reqwest::header::RETRY_AFTER);
        Self::Status {
            status: response.status(),
            in_session,
            begins_session: message.begins_session(),
            retry_after: retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned),
        }
    }

    /// Returns the sentence about `server`, and what to do.
    pub(super) fn sentence(&self, server: &str) -> (String, String) {
        let log = format!("run `switchboard server test {}`", quoted(server));
        match self {
            Self::Status { status, .. } if matches!(status.as_u16(), 401 | 403) => (
                format!("`{server}` needs a login or a token: it answered {status}"),
                format!(
                    "run `switchboard server login {}`, or give it an `Authorization` header",
                    quoted(server)
                ),
            ),
            Self::Status { status, in_session: true, .. } if status.as_u16() == 404 => (
                format!("the session with `{server}` is over: it answered {status}"),
                "reconnect the server in the client, so that it initialises anew".to_owned(),
            ),
            Self::Status { status, begins_session: true, .. }
                if matches!(status.as_u16(), 400 | 404 | 405) =>
            {
                (
                    format!("`{server}` does not speak MCP at its `url`: it answered {status}"),
                    "check the `url`; a server of the 2024 transport needs `type = \"sse\"`".to_owned(),
                )
            }
            Self::Status { status, retry_after: Some(wait), .. } => {
                (format!("`{server}` answered {status}"), format!("it asks to be tried again after {wait}"))
            }
            Self::Status { status, .. } => (format!("`{server}` answered {status}"), log),
            Self::Login(no_token) => (no_token.to_string(), no_token.help()),
            Self::Token => (
                format!("the token for `{server}` has characters that HTTP does not allow"),
                format!("run `switchboard server login {}`", quoted(server)),
            ),
            Self::Connection(error) if error.is_connect() || error.is_timeout() => (
                format!("could not reach `{server}`: {}", root_cause(error)),
                "check that it is running and that its `url` is right".to_owned(),
            ),
            Self::Connection(error) => {
                (format!("lost the connection to `{server}`: {}", root_cause(error)), "try again".to_owned())
            }
            Self::Elsewhere(origin) => (
                format!("`{server}` redirects to {origin}, which must not see its headers"),
                "give the address it redirects to as `url`, if you trust it".to_owned(),
            ),
            Self::Circles => (format!("`{server}` redirects again and again"), "check its `url`".to_owned()),
            Self::TooLong => {
                (format!("the answer of `{server}` is longer than 16 MiB"), "ask for less at once".to_owned())
            }
            Self::NotAnAnswer(what) => (format!("`{server}` answered with {what}, not with a message"), log),
            Self::Cut => (
                format!("`{server}` closed the stream before it had answered"),
                "try again; the call may or may not have been carried out".to_owned(),
            ),
            Self::Busy => (
                format!("too many calls to `{server}` wait for an answer"),
                "try again when some are done".to_owned(),
            ),
        }
    }
}

impl From<NoToken> for Trouble {
    fn from(no_token: NoToken) -> Self {
        Self::Login(no_token)
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        // The address may hold a secret.
        Self::Connection(error.without_url())
    }
}

/// The last error of the chain is what the machine said.
fn root_cause(error: &reqwest::Error) -> impl fmt::Display {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}
