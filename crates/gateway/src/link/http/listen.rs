//! What a legacy server says of its own accord.

use std::sync::Arc;

use hyper::StatusCode;

use super::Inside;
use super::exchange::{PAUSE, PAUSES, is_stream, open};
use crate::link::body::{self, Stream};
use crate::trouble::Trouble;

/// Listens for what the server says of its own accord, as long as it offers that. The end of it is not the end of the
/// connection.
pub(super) async fn listen(inside: &Arc<Inside>) {
    let mut stream: Option<Stream> = None;
    let mut failures = 0;
    loop {
        match open(inside, stream.as_ref().and_then(Stream::last_id)).await {
            Ok(response) if is_stream(&response) => {
                let mut next = match stream.take() {
                    Some(stream) => stream.resume(response),
                    None => Stream::new(response),
                };
                failures = if hear(inside, &mut next).await { 0 } else { failures + 1 };
                stream = Some(next);
            }
            Ok(response) if response.status() == StatusCode::NOT_FOUND && stream.is_some() => {
                return inside.lost("its session is over");
            }
            // 405 is how a server says that it has nothing to say; any other refusal will not change either.
            Ok(response) if !response.status().is_server_error() => return,
            // Who logs in again does that in their own time.
            Err(Trouble::Login(_)) => failures = 5,
            Ok(_) | Err(_) => failures += 1,
        }
        let pause = stream.as_ref().and_then(Stream::retry).unwrap_or(PAUSE) * 2_u32.pow(failures.min(5));
        tokio::time::sleep(pause.clamp(PAUSES.0, PAUSES.1)).await;
    }
}

/// Passes on what comes until the stream ends, and says whether anything came.
async fn hear(inside: &Inside, stream: &mut Stream) -> bool {
    let mut heard = false;
    while let Some(event) = stream.next().await {
        heard = true;
        let Some(upstream) = inside.upstream() else { return heard };
        body::pass_on(event, &upstream);
    }
    heard
}
