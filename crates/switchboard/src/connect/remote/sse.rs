//! HTTP with server-sent events, the transport of revision 2024-11-05: one stream down, an address to post to.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Url};
use switchboard_gateway::events::Event;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;

use super::body::{Kind, Stream};
use super::endpoint::Endpoint;
use super::error::RemoteError;
use super::headers;
use super::input::Line;
use super::link::{Link, Waiting};
use super::message::Message;
use super::trouble::Trouble;
use super::{DRAIN, Pipe, Refusal, refuse, stopped};

/// So long a server may take to name the address to post to.
const OPENING: Duration = Duration::from_secs(10);

/// Messages keep their order, so each is posted when the one before has been taken; but not for longer than this.
const POSTING: Duration = Duration::from_secs(30);

/// Runs the pipe and returns the exit code.
pub(super) async fn run(endpoint: Endpoint, mut pipe: Pipe) -> Result<u8, RemoteError> {
    let link = Link::new(endpoint, pipe.output.clone());
    let served = async {
        let opened = tokio::time::timeout(OPENING, open(&link)).await;
        let (stream, target) =
            opened.unwrap_or(Err(Trouble::NotAnAnswer("no address to post to".to_owned())))?;
        let calls = Calls::default();
        tokio::select! {
            trouble = hear(&link, stream, &calls) => {
                let ids = std::mem::take(&mut calls.waiting().ids);
                link.fail(ids, &trouble).await;
                Err(trouble)
            }
            () = feed(&link, &target, &mut pipe.input, &calls) => Ok(()),
        }
    };
    let ended: Result<(), Trouble> = tokio::select! {
        code = stopped(&mut pipe.gone) => return Ok(code),
        ended = served => ended,
    };
    ended.map(|()| 0).map_err(|trouble| {
        let (sentence, hint) = trouble.sentence(&link.endpoint.server);
        RemoteError::Stream { sentence, hint }
    })
}

/// The calls that wait for an answer on the stream.
#[derive(Default)]
struct Calls {
    waiting: Mutex<Waiting>,
    answered: Notify,
}

impl Calls {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the stream and waits for the address to post to, which must be of the same origin.
async fn open(link: &Link) -> Result<(Stream, Url), Trouble> {
    let endpoint = &link.endpoint;
    let headers = headers::of_listening(link, None);
    let response = endpoint.send(&Method::GET, &endpoint.url, &headers, None).await?;
    if !response.status().is_success() {
        return Err(Trouble::status(&response, &Message::default(), false));
    }
    if let Kind::Json | Kind::Other(_) = Kind::of(&response) {
        return Err(Trouble::NotAnAnswer("something other than a stream of events".to_owned()));
    }
    let base = response.url().clone();
    let mut stream = Stream::new(response);
    while let Some(event) = stream.next().await {
        let Event::Data { kind, data } = event else { continue };
        if kind != "endpoint" {
            continue;
        }
        let target = std::str::from_utf8(&data).ok().and_then(|target| base.join(target.trim()).ok());
        let target = target.ok_or_else(|| Trouble::NotAnAnswer("an address that is none".to_owned()))?;
        if target.origin() != endpoint.url.origin() {
            return Err(Trouble::Elsewhere(target.origin().ascii_serialization()));
        }
        return Ok((stream, target));
    }
    Err(Trouble::Cut)
}

/// Passes on what the server says, until it says no more.
async fn hear(link: &Link, mut stream: Stream, calls: &Calls) -> Trouble {
    while let Some(event) = stream.next().await {
        match event {
            Event::TooLong { .. } => return Trouble::TooLong,
            Event::Data { kind, data } if kind == "message" => {
                let line = link.note(data, &mut calls.waiting());
                if let Some(line) = line {
                    link.write(line).await;
                }
                calls.answered.notify_one();
            }
            Event::Data { .. } => {}
        }
    }
    Trouble::Cut
}

/// Posts every line, and at the end waits for the answers that are still to come.
async fn feed(link: &Link, target: &Url, input: &mut Receiver<Line>, calls: &Calls) {
    while let Some(line) = input.recv().await {
        match line {
            Line::TooLong(id) => refuse(link, Refusal::TooLong(id)).await,
            Line::Whole(line) => match Message::read(&line) {
                Ok(message) => post(link, target, &line.into(), &message, calls).await,
                Err(reason) => refuse(link, Refusal::NotAMessage(reason)).await,
            },
        }
    }
    let answered = async {
        while !calls.waiting().ids.is_empty() {
            calls.answered.notified().await;
        }
    };
    let _ = tokio::time::timeout(DRAIN, answered).await;
}

async fn post(link: &Link, target: &Url, line: &Bytes, message: &Message, calls: &Calls) {
    calls.waiting().ids.extend(message.ids.iter().cloned());
    let headers = headers::of_message(link, message, line);
    let sent =
        tokio::time::timeout(POSTING, link.endpoint.send(&Method::POST, target, &headers, Some(line))).await;
    let trouble = match sent {
        Ok(Ok(response)) if response.status().is_success() => return,
        Ok(Ok(response)) => Trouble::status(&response, message, false),
        Ok(Err(trouble)) => trouble,
        Err(_) => Trouble::Cut,
    };
    let mut failed = message.ids.clone();
    // What has been answered on the stream meanwhile has not failed.
    let before = std::mem::take(&mut calls.waiting().ids);
    failed.retain(|id| before.contains(id));
    calls.waiting().ids = before.into_iter().filter(|id| !failed.contains(id)).collect();
    link.fail(failed, &trouble).await;
}
