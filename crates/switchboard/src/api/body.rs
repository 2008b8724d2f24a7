//! Bodies of requests, read whole and within bounds.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};

use http_body_util::{BodyExt as _, Limited};
use switchboard_gateway::scan::IdScan;

use super::guard::{LONGEST_BODY, too_long};
use super::problem::Problem;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is too long is read to its end, and thrown away, up to this length in bytes: whoever still sends when the
/// connection closes may never see the answer.
pub(super) const FORGIVEN: usize = 64 * 1024 * 1024;

/// The longest message that is taken, in bytes: as long as one by a pipe.
pub(super) const LONGEST_MESSAGE: usize = switchboard_gateway::MESSAGE_LIMIT;

/// Returns the whole body.
pub(super) async fn read(body: Body) -> Result<Bytes, Box<Problem>> {
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return Err(too_long());
    }
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST_BODY).collect());
    match whole.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => Err(broke_off()),
        Err(_) => Err(too_slow()),
    }
}

/// A body that is to be a message.
pub(super) enum Message {
    /// All of it.
    Whole(Bytes),
    /// It is too long; the id is that of the request in it, as it was written.
    TooLong(Option<String>),
}

/// Returns the message that a body is.
pub(super) async fn message(mut body: Body) -> Result<Message, Box<Problem>> {
    let read = async {
        let (mut whole, mut length, mut scan) = (BytesMut::new(), 0, None::<IdScan>);
        if body.size_hint().lower() > FORGIVEN as u64 {
            return Ok(Message::TooLong(None));
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| broke_off())?;
            let Ok(bytes) = frame.into_data() else { continue };
            length += bytes.len();
            if let Some(scan) = &mut scan {
                scan.read(&bytes);
            } else if length > LONGEST_MESSAGE {
                let begun = scan.insert(IdScan::default());
                begun.read(&std::mem::take(&mut whole));
                begun.read(&bytes);
            } else if whole.is_empty() && body.is_end_stream() {
                // It came in one piece, which need not be copied.
                return Ok(Message::Whole(bytes));
            } else {
                whole.extend_from_slice(&bytes);
            }
            if length > FORGIVEN {
                break;
            }
        }
        Ok(scan.map_or_else(|| Message::Whole(whole.freeze()), |scan| Message::TooLong(scan.request_id())))
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| Err(too_slow()))
}

fn broke_off() -> Box<Problem> {
    Problem::new(StatusCode::BAD_REQUEST, "the body broke off")
}

fn too_slow() -> Box<Problem> {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")
}
