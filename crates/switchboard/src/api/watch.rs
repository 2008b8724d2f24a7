//! What happens with one server as it happens, for those who debug it: messages, phases, what it says on its standard error.
//! What looks like a secret is hidden.

use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::json;
use switchboard_core::name::ServerName;
use switchboard_core::secret::without_secrets;
use switchboard_gateway::{Happened, Way, What};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::flow::{Flow, Source};
use super::problem::Problem;
use super::{Inside, Reply};
use crate::mask::masked_message;

/// A comment is sent this often while nothing passes.
const BEAT: Duration = Duration::from_secs(15);

/// Sends what happens with a server from now on.
pub(super) fn messages(inside: &Inside, name: &str) -> Result<Reply, Box<Problem>> {
    let nobody = || {
        Problem::new(StatusCode::NOT_FOUND, format!("there is no server `{}`", name.escape_debug()))
            .hint("see `switchboard server list`")
    };
    let server = ServerName::parse(name).map_err(|_| nobody())?;
    let passing = inside.mcp.gateway().watch(&server).ok_or_else(nobody)?;
    Ok(Flow::Passing(Passing { passing, drain: inside.drain.clone() }).reply())
}

/// What happens, to one who watches.
pub(super) struct Passing {
    passing: Receiver<Happened>,
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

fn event(happened: &Happened) -> Bytes {
    let at = happened.at.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let at_ms = u64::try_from(at).unwrap_or(u64::MAX);
    let (kind, told) = match &happened.what {
        What::Passed { way, bytes, length } => {
            let text = String::from_utf8_lossy(bytes);
            // What is only the beginning of a message cannot be read, and so cannot be told to hold no secret.
            let whole = bytes.len() == *length;
            let is_message = text.trim_start().starts_with(['{', '[']);
            let shown = match (whole, is_message) {
                (false, _) => "(too long to be shown)".to_owned(),
                (true, true) => masked_message(&text),
                // Somebody prints what is no message, and may look for it here.
                (true, false) => without_secrets(&text),
            };
            let way = match way {
                Way::To => "to",
                Way::From => "from",
            };
            let shown = shown.trim_end();
            ("message", json!({ "at_ms": at_ms, "way": way, "bytes": length, "message": shown }))
        }
        What::Came { to, why } => ("phase", json!({ "at_ms": at_ms, "phase": to, "why": why })),
        What::Said(line) => ("stderr", json!({ "at_ms": at_ms, "stderr": without_secrets(line) })),
    };
    Bytes::from(format!("event: {kind}\ndata: {told}\n\n"))
}
