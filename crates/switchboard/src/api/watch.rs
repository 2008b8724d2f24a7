//! The messages of one server as they pass, for those who debug it. What looks like a secret is hidden.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use bytes::Bytes;
use serde_json::json;
use switchboard_core::document::Format;
use switchboard_core::name::ServerName;
use switchboard_gateway::{Gateway, Passed, Way};
use tokio::sync::broadcast::error::RecvError;

use super::Reply;
use super::problem::Problem;
use super::reply::{put, typed};
use crate::mask::masked;

/// A comment is sent this often while nothing passes.
const BEAT: Duration = Duration::from_secs(15);

/// Sends the messages of a server from now on.
pub(super) fn messages(gateway: &Gateway, name: &str) -> Result<Reply, Box<Problem>> {
    let nobody = || {
        Problem::new(StatusCode::NOT_FOUND, format!("there is no server `{}`", name.escape_debug()))
            .hint("see `switchboard server list`")
    };
    let server = ServerName::parse(name).map_err(|_| nobody())?;
    let passing = gateway.watch(&server).ok_or_else(nobody)?;
    let chunks = futures_util::stream::unfold(passing, |mut passing| async move {
        let bytes = match tokio::time::timeout(BEAT, passing.recv()).await {
            Ok(Ok(passed)) => event(&passed),
            Ok(Err(RecvError::Lagged(missed))) => Bytes::from(format!("event: missed\ndata: {missed}\n\n")),
            Ok(Err(RecvError::Closed)) => return None,
            Err(_) => Bytes::from_static(b": beat\n\n"),
        };
        Some((Ok::<_, Infallible>(bytes), passing))
    });
    let mut reply = typed(Body::from_stream(chunks), "text/event-stream");
    put(&mut reply, CACHE_CONTROL, "no-store");
    Ok(reply)
}

fn event(passed: &Passed) -> Bytes {
    let text = String::from_utf8_lossy(&passed.bytes);
    // What is only the beginning of a message cannot be read, and so cannot be told to hold no secret.
    let whole = passed.bytes.len() == passed.length;
    let shown = if whole { masked(&text, Format::Json) } else { "(too long to be shown)".to_owned() };
    let at = passed.at.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let way = match passed.way {
        Way::To => "to",
        Way::From => "from",
    };
    let told = json!({ "at_ms": u64::try_from(at).unwrap_or(u64::MAX), "way": way, "bytes": passed.length, "message": shown.trim_end() });
    Bytes::from(format!("event: message\ndata: {told}\n\n"))
}
