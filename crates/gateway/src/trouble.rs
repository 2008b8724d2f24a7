//! What goes wrong between a client and a server, in the words that the caller gets.

use std::fmt;
use std::time::Duration;

use serde_json::json;
use switchboard_core::name::ServerName;

/// JSON-RPC: the bytes are not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: not a request.
pub const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC: there is no such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// JSON-RPC: there is no such tool, prompt or the like.
pub const INVALID_PARAMS: i32 = -32602;
/// JSON-RPC: it could not be done.
pub const INTERNAL_ERROR: i32 = -32603;
/// MCP until 2025-11-25: there is no such resource.
pub const RESOURCE_NOT_FOUND: i32 = -32002;

/// Why a request got no answer from a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server could not be started or reached; the sentence says why.
    Down(String),
    /// It was there, and is gone while the call was in flight.
    Lost(String),
    /// It did not answer in time.
    Timeout(Duration),
    /// It takes no more: too many calls wait for it.
    Busy,
    /// It is being replaced or removed, and the call took longer than the drain.
    Drained,
    /// It is not served any more, or by another version, and the call was never sent.
    Gone,
    /// It needs a login or a token.
    Login(String),
    /// It answered with this status of HTTP and no message; the text says more, where there is more to say.
    Status(u16, String),
    /// It answered with something that is no message, or is too long.
    Answer(String),
}

impl Trouble {
    /// Returns the one word by which programs tell it.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Down(_) => "down",
            Self::Lost(_) => "lost",
            Self::Timeout(_) => "timeout",
            Self::Busy => "busy",
            Self::Drained => "drained",
            Self::Gone => "gone",
            Self::Login(_) => "login",
            Self::Status(..) => "status",
            Self::Answer(_) => "answer",
        }
    }

    /// Returns whether the call was certainly not carried out, so that calling again does it once.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Down(_) | Self::Busy | Self::Gone | Self::Login(_) | Self::Status(429 | 503, _))
    }

    /// Returns the error as the member `error` of an answer.
    pub fn error(&self, server: &ServerName) -> String {
        let data = json!({ "gateway": {
            "server": server.as_str(),
            "reason": self.reason(),
            "retryable": self.is_retryable(),
        }});
        error(INTERNAL_ERROR, &format!("`{server}` {self}"), Some(&data))
    }
}

/// Fits behind the name of the server.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(why) => write!(f, "is not to be had: {why}"),
            Self::Lost(why) => {
                write!(f, "was lost before it had answered ({why}); the call may have been carried out")
            }
            Self::Timeout(limit) => write!(f, "did not answer within {} ms", limit.as_millis()),
            Self::Busy => f.write_str("has too many calls waiting; try again when some are done"),
            Self::Drained => f.write_str("is being replaced, and the call took longer than it could wait"),
            Self::Gone => f.write_str("is not served any more; the call was not sent"),
            Self::Login(what) => f.write_str(what),
            Self::Status(status, more) => write!(f, "answered with the status {status}{more}"),
            Self::Answer(what) => write!(f, "answered with {what}"),
        }
    }
}

/// The mark before what a person can do about a trouble, in the sentence that tells it.
pub const HINT: &str = "; hint: ";

/// The mark before what a server wrote last on its standard error, behind everything else.
pub const SAID_LAST: &str = "; it said last: ";

/// So much of a server's own words is told, in characters.
const MOST_SAID: usize = 200;

/// Returns a server's words as they can stand in a sentence of ours: not too many, on one line, and nothing in them that
/// looks like a hint of ours.
pub(crate) fn said(words: &str) -> String {
    let plain: String = words.chars().take(MOST_SAID).filter(|letter| !letter.is_control()).collect();
    plain.replace(HINT, "; ")
}

/// Returns the member `error` of an answer.
pub fn error(code: i32, message: &str, data: Option<&serde_json::Value>) -> String {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data.clone();
    }
    error.to_string()
}
