//! What servers ask of the client, and what it answers.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Session;
use crate::envelope::{Envelope, Params, splice};
use crate::link::Frame;
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::trouble::{INTERNAL_ERROR, error};
use crate::upstream::Upstream;

/// So many questions may wait for one client.
const MOST: usize = 1024;

/// Somebody who waits for an answer of the client's.
pub(super) enum Asked {
    /// A server, which gave the question this id, and this token for progress.
    Server { upstream: Weak<Upstream>, id: Box<RawValue>, token: Option<Box<RawValue>> },
    /// We do.
    Own(oneshot::Sender<Answered>),
}

/// What the client answered: the result, or else the error, as it was written.
pub(crate) type Answered = Result<Box<RawValue>, Box<RawValue>>;

impl Session {
    /// Passes a server's question on to the client, under an id of ours. Returns that id; `None` where the client has too
    /// many questions before it.
    pub(crate) fn ask_for(
        &self,
        upstream: &Weak<Upstream>,
        envelope: &Envelope<'_>,
        mail: &Mailbox,
    ) -> Option<u64> {
        let id = envelope.id?;
        let params = Params::read(envelope.params);
        let token = params.meta().token;
        let asked = Asked::Server {
            upstream: upstream.clone(),
            id: id.to_owned(),
            token: token.map(ToOwned::to_owned),
        };
        let number = self.note(asked)?;
        let text = number.to_string();
        let mut edits = vec![(envelope.place(id.get()), text.as_bytes())];
        if let Some(token) = token {
            edits.push((envelope.place(token.get()), text.as_bytes()));
        }
        edits.sort_by_key(|(place, _)| place.start);
        let bytes = splice(envelope.bytes(), &edits).into();
        let bytes = match upstream.upgrade() {
            Some(upstream) => self.told_by(&upstream.server, bytes),
            None => bytes,
        };
        mail.put(Letter { bytes, last: false });
        Some(number)
    }

    /// Asks the client something of our own, or on behalf of a server that cannot ask by itself. `params` is JSON. Returns
    /// the number of the question, by which it is taken back, and where the answer comes.
    pub(crate) fn ask(
        &self,
        method: &str,
        params: Option<&str>,
        mail: &Mailbox,
    ) -> Option<(u64, oneshot::Receiver<Answered>)> {
        let (reply, answer) = oneshot::channel();
        let number = self.note(Asked::Own(reply))?;
        let bytes = message::request(&number.to_string(), method, params);
        mail.put(Letter { bytes, last: false });
        Some((number, answer))
    }

    /// A server takes a question back.
    pub(crate) fn take_back(&self, number: u64, reason: Option<&str>, mail: &Mailbox) {
        if self.asks().remove(&number).is_some() {
            let reason = reason.map(|reason| format!(r#","reason":{reason}"#)).unwrap_or_default();
            let params = format!(r#"{{"requestId":{number}{reason}}}"#);
            let bytes = message::notification("notifications/cancelled", Some(&params));
            mail.put(Letter { bytes, last: false });
        }
    }

    /// The client answers a question; the answer passes as it is, under the id that the server gave.
    pub(super) fn answered(&self, envelope: &Envelope<'_>) {
        let Some(id) = envelope.id else { return };
        let Ok(number) = id.get().parse::<u64>() else { return };
        let asked = self.asks().remove(&number);
        match asked {
            None => {}
            Some(Asked::Server { upstream, id: own, .. }) => {
                let Some(upstream) = upstream.upgrade() else { return };
                let mut bytes = splice(envelope.bytes(), &[(envelope.place(id.get()), own.get().as_bytes())]);
                if let Some(restored) = self.ids(&upstream.server).and_then(|ids| ids.restored(&bytes)) {
                    bytes = restored;
                }
                crate::envelope::one_line(&mut bytes);
                // A server that is gone does not wait any more.
                let _ = upstream.send(Frame::plain(bytes.into()));
                upstream.was_answered(&own);
            }
            Some(Asked::Own(reply)) => {
                let answer = match (envelope.result, envelope.error) {
                    (Some(result), _) => Ok(result.to_owned()),
                    (None, error) => Err(error.unwrap_or(RawValue::NULL).to_owned()),
                };
                let _ = reply.send(answer);
            }
        }
    }

    /// The client is gone: whoever asked it something is told so.
    pub(super) fn leave_unanswered(&self) {
        let asks = std::mem::take(&mut *self.asks());
        for asked in asks.into_values() {
            // Whoever of us asks hears of it by this being dropped.
            if let Asked::Server { upstream, id, .. } = asked
                && let Some(upstream) = upstream.upgrade()
            {
                let error = error(INTERNAL_ERROR, "the client is gone", None);
                upstream.tell(message::error(id.get(), &error));
                upstream.was_answered(&id);
            }
        }
    }

    /// The client tells how far it is with a question of a server's.
    pub(super) fn progress(&self, envelope: &Envelope<'_>, params: &Params<'_>) {
        let Some(token) = params.token else { return };
        let Ok(number) = token.get().parse::<u64>() else { return };
        let known = match self.asks().get(&number) {
            Some(Asked::Server { upstream, token: Some(own), .. }) => Some((upstream.clone(), own.clone())),
            _ => None,
        };
        let Some((upstream, own)) = known else { return };
        if let Some(upstream) = upstream.upgrade() {
            let mut bytes = splice(envelope.bytes(), &[(envelope.place(token.get()), own.get().as_bytes())]);
            if let Some(restored) = self.ids(&upstream.server).and_then(|ids| ids.restored(&bytes)) {
                bytes = restored;
            }
            upstream.tell(Bytes::from(bytes));
        }
    }

    fn note(&self, asked: Asked) -> Option<u64> {
        let mut asks = self.asks();
        if asks.len() >= MOST {
            return None;
        }
        let number = self.next_ask.fetch_add(1, Ordering::Relaxed);
        asks.insert(number, asked);
        Some(number)
    }

    fn asks(&self) -> MutexGuard<'_, HashMap<u64, Asked>> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
