//! One message to the server and what comes back for it, over Streamable HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode};
use switchboard_gateway::events::Event;
use tokio::sync::oneshot;

use super::body::{Kind, Stream, whole};
use super::headers;
use super::link::{Link, Waiting};
use super::message::Message;
use super::trouble::Trouble;
use crate::connect::say;

/// So often a stream that breaks without a word is taken up again.
const RESUMES: u32 = 5;

/// The pause before a broken stream is taken up again, unless the server names another.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause, whatever the server says.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Carries `line` to the server and its answers back. `seen` is dropped once the server has begun to answer.
pub(super) async fn carry(link: Arc<Link>, line: Bytes, message: Message, seen: oneshot::Sender<()>) {
    let mut waiting = Waiting::on(&message);
    if let Err(trouble) = post(&link, &line, &message, &mut waiting, seen).await {
        link.fail(waiting.ids, &trouble).await;
    }
}

async fn post(
    link: &Link,
    line: &Bytes,
    message: &Message,
    waiting: &mut Waiting,
    seen: oneshot::Sender<()>,
) -> Result<(), Trouble> {
    let headers = headers::of_message(link, message, line);
    let in_session = headers.contains_key(super::link::SESSION_ID);
    let response = link.endpoint.send(&Method::POST, &link.endpoint.url, &headers, Some(line)).await?;
    if message.begins_session() && response.status().is_success() {
        link.begin_session(response.headers());
    }
    drop(seen);
    let refused = (!response.status().is_success()).then(|| Trouble::status(&response, message, in_session));
    if waiting.ids.is_empty() {
        return refused.map_or(Ok(()), Err);
    }
    match (Kind::of(&response), refused) {
        (Kind::Events, None) => return stream(link, response, waiting, message.version.is_none()).await,
        // The stateless revision answers errors with a status and a message.
        (Kind::Json, refused) => answer(link, whole(response).await?, waiting, refused).await?,
        (Kind::Other(_) | Kind::Events, Some(refused)) => return Err(refused),
        (Kind::Other(kind), None) => return Err(Trouble::NotAnAnswer(kind)),
    }
    if waiting.ids.is_empty() {
        Ok(())
    } else {
        Err(Trouble::NotAnAnswer("a message for somebody else".to_owned()))
    }
}

/// Passes on a body that should be the answer. One that came with a bad status must at least answer the call.
async fn answer(
    link: &Link,
    body: Vec<u8>,
    waiting: &mut Waiting,
    refused: Option<Trouble>,
) -> Result<(), Trouble> {
    if let Some(refused) = refused {
        let before = waiting.ids.len();
        return match link.note(body, waiting) {
            Some(line) if waiting.ids.len() < before => {
                link.write(line).await;
                Ok(())
            }
            _ => Err(refused),
        };
    }
    link.deliver(body, waiting).await;
    Ok(())
}

/// Passes on the events of the answer, across breaks if the server gives its events ids.
async fn stream(
    link: &Link,
    response: Response,
    waiting: &mut Waiting,
    resumable: bool,
) -> Result<(), Trouble> {
    let mut stream = Stream::new(response);
    let mut breaks = 0;
    loop {
        while let Some(event) = stream.next().await {
            pass_on(link, event, waiting).await?;
            breaks = 0;
        }
        if waiting.ids.is_empty() {
            return Ok(());
        }
        breaks += 1;
        if !resumable || breaks > RESUMES || stream.last_id().is_none() {
            return Err(Trouble::Cut);
        }
        tokio::time::sleep(stream.retry().unwrap_or(PAUSE).min(LONGEST_PAUSE)).await;
        match open(link, stream.last_id()).await {
            Ok(response) if is_stream(&response) => stream.resume(response),
            Ok(response) if response.status().is_client_error() => return Err(Trouble::Cut),
            Ok(_) | Err(_) => {}
        }
    }
}

async fn pass_on(link: &Link, event: Event, waiting: &mut Waiting) -> Result<(), Trouble> {
    match event {
        Event::TooLong { .. } => Err(Trouble::TooLong),
        Event::Data { kind, data } => {
            if kind == "message" {
                link.deliver(data, waiting).await;
            }
            Ok(())
        }
    }
}

async fn open(link: &Link, last: Option<&str>) -> Result<Response, Trouble> {
    let headers = headers::of_listening(link, last);
    link.endpoint.send(&Method::GET, &link.endpoint.url, &headers, None).await
}

fn is_stream(response: &Response) -> bool {
    response.status() == StatusCode::OK && Kind::of(response) == Kind::Events
}

/// Listens for what the server says of its own accord, as long as it offers that.
pub(super) async fn listen(link: Arc<Link>) {
    let mut stream: Option<Stream> = None;
    let mut failures = 0;
    loop {
        match open(&link, stream.as_ref().and_then(Stream::last_id)).await {
            Ok(response) if is_stream(&response) => {
                match &mut stream {
                    Some(stream) => stream.resume(response),
                    None => stream = Some(Stream::new(response)),
                }
                if let Some(stream) = &mut stream {
                    failures = if hear(&link, stream).await { 0 } else { failures + 1 };
                }
            }
            // 405 is how a server says that it has nothing to say; any other refusal will not change either.
            Ok(response) if !response.status().is_server_error() => return,
            Ok(_) | Err(_) => failures += 1,
        }
        let pause = stream.as_ref().and_then(Stream::retry).unwrap_or(PAUSE) * 2_u32.pow(failures.min(5));
        tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
    }
}

/// Passes on what comes until the stream ends, and says whether anything came.
async fn hear(link: &Link, stream: &mut Stream) -> bool {
    let mut heard = false;
    while let Some(event) = stream.next().await {
        heard = true;
        if pass_on(link, event, &mut Waiting::default()).await.is_err() {
            say(&format!("dropped a message of `{}` that is longer than 16 MiB", link.endpoint.server));
        }
    }
    heard
}

/// Tells the server that the session is over. It may not care to know.
pub(super) async fn end_session(link: &Link) {
    const PATIENCE: Duration = Duration::from_secs(1);
    if link.in_session() {
        let headers = link.session_headers();
        let end = link.endpoint.send(&Method::DELETE, &link.endpoint.url, &headers, None);
        let _ = tokio::time::timeout(PATIENCE, end).await;
    }
}
