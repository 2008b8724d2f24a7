//! One message to the server and what comes back for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Method, Response, StatusCode};
use switchboard_core::mcp::revision::Era;
use tracing::debug;

use super::Inside;
use super::headers::{SESSION_ID, Terms};
use crate::envelope::Envelope;
use crate::link::body::{self, Kind, Stream, error_said, forget, too_long, whole};
use crate::link::endpoint::Answered;
use crate::link::events::Event;
use crate::link::{Call, MESSAGE_LIMIT};
use crate::trouble::Trouble;
use crate::upstream::Upstream;

/// So often in a row it is tried in vain to take up a stream that broke.
const RESUMES: u32 = 5;

/// The pause before a broken stream is taken up again, unless the server names another.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// The shortest and the longest pause, whatever the server says.
pub(super) const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// What can be asked twice without any harm.
const HARMLESS: [&str; 10] = [
    "completion/complete",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tasks/get",
    "tools/list",
];

/// What is said where a session is no more.
const OVER: &str = "its session is over";

/// Carries a call to the server, and what belongs to it back.
pub(super) async fn carry(inside: &Arc<Inside>, bytes: Bytes, call: Call) {
    let Err(trouble) = exchange(inside, &bytes, &call).await else { return };
    if let Some(upstream) = inside.upstream() {
        upstream.fail(call.id, trouble.clone());
    }
    unreachable_server(inside, &trouble);
}

/// A server that cannot be reached at all has no connection to be kept. While others wait for answers of it there is
/// something to be kept: a server that goes away often takes nothing new, and ends what it has.
fn unreachable_server(inside: &Inside, trouble: &Trouble) {
    let waits = |upstream: Arc<Upstream>| upstream.with_relays(|relays| relays.next().is_some());
    if let Trouble::Down(why) = trouble
        && !inside.upstream().is_some_and(waits)
    {
        inside.lost(why);
    }
}

/// Carries a notification or an answer to the server.
pub(super) async fn tell(inside: &Arc<Inside>, bytes: Bytes) {
    let terms = inside.terms.load_full();
    let method = Envelope::read(&bytes).ok().and_then(|envelope| envelope.method.map(String::from));
    let headers = || terms.of_plain(method.as_deref());
    match inside.endpoint.send(inside.endpoint.url(), Method::POST, &headers, Some(&bytes)).await {
        Ok(Answered { response, .. }) if response.status().is_success() => forget(response.into_body()).await,
        Ok(Answered { response, .. }) => {
            let status = response.status();
            debug!(%status, "a server does not take what it is told");
            if status == StatusCode::NOT_FOUND && terms.session.is_some() {
                inside.lost(OVER);
            }
        }
        Err(trouble) => {
            debug!(%trouble, "a server is not told something");
            unreachable_server(inside, &trouble);
        }
    }
}

async fn exchange(inside: &Arc<Inside>, bytes: &Bytes, call: &Call) -> Result<(), Trouble> {
    let terms = inside.terms.load_full();
    let response = post(inside, &terms, bytes, call).await?;
    if !response.status().is_success() {
        return refused(inside, &terms, response, call).await;
    }
    if &*call.method == "initialize" {
        inside.begin_session(response.headers().get(SESSION_ID));
    }
    match Kind::of(&response) {
        Kind::Events => stream(inside, &terms, response, call).await,
        Kind::Json => {
            let body = whole(response.into_body(), MESSAGE_LIMIT).await?;
            if deliver(inside, &body, call) {
                return Ok(());
            }
            Err(Trouble::Answer("no message, or one for somebody else".to_owned()))
        }
        Kind::Other(kind) => Err(Trouble::Answer(kind)),
    }
}

async fn post(
    inside: &Inside,
    terms: &Terms,
    bytes: &Bytes,
    call: &Call,
) -> Result<Response<Incoming>, Trouble> {
    let mirrored = match (&*call.method, &call.name) {
        ("tools/call", Some(tool)) if terms.is_stateless(call) => inside.mirror().headers(tool, bytes),
        _ => Vec::new(),
    };
    let headers = || -> HeaderMap { terms.of_call(call, &mirrored) };
    let send = || inside.endpoint.send(inside.endpoint.url(), Method::POST, &headers, Some(bytes));
    match send().await {
        // A connection that was kept may have been closed in this very moment.
        Err(Trouble::Lost(_)) if HARMLESS.contains(&&*call.method) => send().await,
        answered => answered,
    }
    .map(|answered| answered.response)
}

/// Passes on a message, and says whether the call has its answer now, or nobody waits for it any more.
fn deliver(inside: &Inside, message: &Bytes, call: &Call) -> bool {
    let Some(upstream) = inside.upstream() else { return true };
    if !message.is_empty() {
        upstream.receive(message, Some(call.id));
    }
    !upstream.waits(call.id)
}

/// The server says no: by a message where it is a good one, else by the status alone.
async fn refused(
    inside: &Inside,
    terms: &Terms,
    response: Response<Incoming>,
    call: &Call,
) -> Result<(), Trouble> {
    let status = response.status();
    if status == StatusCode::NOT_FOUND && terms.session.is_some() {
        return Err(over(inside, call));
    }
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = wait.map(|wait| wait.chars().take(40).flat_map(char::escape_default).collect::<String>());
    let bare = Trouble::Status(
        status.as_u16(),
        wait.map(|wait| format!("; it asks to be left alone for {wait}")).unwrap_or_default(),
    );
    if Kind::of(&response) != Kind::Json {
        forget(response.into_body()).await;
        return Err(bare);
    }
    let Ok(body) = whole(response.into_body(), MESSAGE_LIMIT).await else { return Err(bare) };
    let Some(said) = error_said(&body) else { return Err(bare) };
    // What says no to a handshake at all may be of another transport.
    let other = &*call.method == "initialize" && matches!(status.as_u16(), 400 | 404 | 405);
    if other {
        return Err(Trouble::Status(status.as_u16(), format!(": {said}")));
    }
    // Not all servers know that the answer to a session that is over is 404.
    let about_session = status == StatusCode::BAD_REQUEST && said.to_ascii_lowercase().contains("session");
    if about_session && terms.session.is_some() {
        return Err(over(inside, call));
    }
    if deliver(inside, &body, call) { Ok(()) } else { Err(bare) }
}

/// The session is no more: nothing of this connection is of use. This call was certainly not carried out.
fn over(inside: &Inside, call: &Call) -> Trouble {
    // Before all that was in flight is, of which it is not certain.
    if let Some(upstream) = inside.upstream() {
        upstream.fail(call.id, Trouble::Down(OVER.to_owned()));
    }
    inside.lost(OVER);
    Trouble::Down(OVER.to_owned())
}

/// Passes on the events of the answer, across breaks if the server gives its events ids.
async fn stream(
    inside: &Inside,
    terms: &Terms,
    response: Response<Incoming>,
    call: &Call,
) -> Result<(), Trouble> {
    let mut stream = Stream::for_one(response);
    let mut breaks = 0;
    loop {
        while let Some(event) = stream.next().await {
            breaks = 0;
            let Event::Data { kind, data } = event else { return Err(too_long()) };
            if kind == "message" && deliver(inside, &body::line(&data.into()), call) {
                stream.finish().await;
                return Ok(());
            }
        }
        let cut = || Trouble::Lost("its stream ended".to_owned());
        let resumable = !terms.is_stateless(call) && terms.era == Some(Era::Legacy);
        if !resumable || breaks >= RESUMES || stream.last_id().is_none() {
            return Err(cut());
        }
        breaks += 1;
        tokio::time::sleep(stream.retry().unwrap_or(PAUSE).clamp(PAUSES.0, PAUSES.1)).await;
        match open(inside, stream.last_id()).await {
            Ok(response) if is_stream(&response) => {
                // A server that names a pause wants to be asked again and again; the call has its time.
                breaks = if stream.retry().is_some() { 0 } else { breaks };
                stream = stream.resume(response);
            }
            Ok(response) if response.status() == StatusCode::NOT_FOUND && terms.session.is_some() => {
                inside.lost(OVER);
                return Err(cut());
            }
            Ok(response) if response.status().is_client_error() => return Err(cut()),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Asks for a stream, from behind the event `last` on.
pub(super) async fn open(inside: &Inside, last: Option<&str>) -> Result<Response<Incoming>, Trouble> {
    let terms = inside.terms.load_full();
    let headers = || terms.of_listening(last);
    let answered = inside.endpoint.send(inside.endpoint.url(), Method::GET, &headers, None).await?;
    Ok(answered.response)
}

/// Returns whether a response is a stream of events.
pub(super) fn is_stream(response: &Response<Incoming>) -> bool {
    response.status() == StatusCode::OK && Kind::of(response) == Kind::Events
}
