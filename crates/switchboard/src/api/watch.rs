//! The messages of one server as they pass, for those who debug it. What looks like a secret is hidden.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::json;
use switchboard_core::name::ServerName;
use switchboard_gateway::{Passed, Way};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::flow::{Flow, Source};
use super::problem::Problem;
use super::{Inside, Reply};
use crate::mask::masked_message;

/// A comment is sent this often while nothing passes.
const BEAT: Duration = Duration::from_secs(15);

/// Sends the messages of a server from now on.
pub(super) fn messages(inside: &Inside, name: &str) -> Result<Reply, Box<Problem>> {
    let nobody = || {
        Problem::new(StatusCode::NOT_FOUND, format!("there is no server `{}`", name.escape_debug()))
            .hint("see `switchboard server list`")
    };
    let server = ServerName::parse(name).map_err(|_| nobody())?;
    let passing = inside.mcp.gateway().watch(&server).ok_or_else(nobody)?;
    Ok(Flow::Passing(Passing { passing, drain: inside.drain.clone() }).reply())
}

/// The messages that pass, to one who watches.
pub(super) struct Passing {
    passing: Receiver<Passed>,
    drain: CancellationToken,
}

impl Source for Passing {
    async fn next(&mut self) -> Option<Bytes> {
        let passed = tokio::select! {
            () = self.drain.cancelled() => return None,
            passed = tokio::time::timeout(BEAT, self.passing.recv()) => passed,
        };
        match passed {
            Ok(Ok(passed)) => Some(event(&passed)),
            Ok(Err(RecvError::Lagged(missed))) => {
                Some(Bytes::from(format!("event: missed\ndata: {missed}\n\n")))
            }
            Ok(Err(RecvError::Closed)) => None,
            Err(_) => Some(Bytes::from_static(b": beat\n\n")),
        }
    }
}

fn event(passed: &Passed) -> Bytes {
    let text = String::from_utf8_lossy(&passed.bytes);
    // What is only the beginning of a message cannot be read, and so cannot be told to hold no secret.
    let whole = passed.bytes.len() == passed.length;
    let shown = if whole { masked_message(&text) } else { "(too long to be shown)".to_owned() };
    let at = passed.at.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let way = match passed.way {
        Way::To => "to",
        Way::From => "from",
    };
    let told = json!({ "at_ms": u64::try_from(at).unwrap_or(u64::MAX), "way": way, "bytes": passed.length, "message": shown.trim_end() });
    Bytes::from(format!("event: message\ndata: {told}\n\n"))
}
