//! Streamable HTTP, with sessions (2025-03-26 to 2025-11-25) and stateless (2026-07-28).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

use super::endpoint::Endpoint;
use super::error::RemoteError;
use super::exchange::{carry, end_session, listen};
use super::input::Line;
use super::link::Link;
use super::message::Message;
use super::trouble::Trouble;
use super::{DRAIN, Pipe, Refusal, refuse, stopped};

/// So many calls may wait for answers.
const CALLS: usize = 256;

/// What must be known before the next message may follow (the session, that a notification has arrived) is waited for
/// no longer than this; the server is slow then, and not to be allowed to hold up everything else.
const ORDER: Duration = Duration::from_secs(5);

/// Runs the pipe and returns the exit code.
pub(super) async fn run(endpoint: Endpoint, mut pipe: Pipe) -> Result<u8, RemoteError> {
    let link = Arc::new(Link::new(endpoint, pipe.output.clone()));
    let mut exchanges = Exchanges::new(Arc::clone(&link));
    let code = tokio::select! {
        code = stopped(&mut pipe.gone) => code,
        () = exchanges.feed(&mut pipe.input) => 0,
    };
    drop(exchanges);
    end_session(&link).await;
    Ok(code)
}

/// The exchanges under way.
struct Exchanges {
    link: Arc<Link>,
    running: JoinSet<()>,
    listening: JoinSet<()>,
    /// Stateless calls by their ids: such a call is cancelled by hanging up.
    stateless: HashMap<String, AbortHandle>,
}

impl Exchanges {
    fn new(link: Arc<Link>) -> Self {
        Self { link, running: JoinSet::new(), listening: JoinSet::new(), stateless: HashMap::new() }
    }

    /// Carries every line, and at the end waits for the answers that are still to come.
    async fn feed(&mut self, input: &mut Receiver<Line>) {
        while let Some(line) = input.recv().await {
            while self.running.try_join_next().is_some() {}
            self.stateless.retain(|_, call| !call.is_finished());
            match line {
                Line::TooLong(id) => refuse(&self.link, Refusal::TooLong(id)).await,
                Line::Whole(line) => match Message::read(&line) {
                    Ok(message) => self.begin(line.into(), message).await,
                    Err(reason) => refuse(&self.link, Refusal::NotAMessage(reason)).await,
                },
            }
        }
        let _ =
            tokio::time::timeout(DRAIN, async { while self.running.join_next().await.is_some() {} }).await;
    }

    async fn begin(&mut self, line: Bytes, message: Message) {
        if let Some(call) = message.cancels.as_ref().and_then(|id| self.stateless.remove(id)) {
            call.abort();
            return;
        }
        if !message.ids.is_empty() && self.running.len() >= CALLS {
            self.link.fail(message.ids, &Trouble::Busy).await;
            return;
        }
        let in_order = message.ids.is_empty() || message.begins_session();
        let listens = message.method.as_deref() == Some("notifications/initialized");
        let stateless = message.version.as_ref().and(message.ids.first().cloned());
        let (seen, was_seen) = oneshot::channel();
        let call = self.running.spawn(carry(Arc::clone(&self.link), line, message, seen));
        self.stateless.extend(stateless.map(|id| (id, call)));
        if in_order {
            let _ = tokio::time::timeout(ORDER, was_seen).await;
        }
        if listens && self.listening.is_empty() {
            self.listening.spawn(listen(Arc::clone(&self.link)));
        }
    }
}
