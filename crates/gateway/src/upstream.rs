//! The live connection to one server: what is sent to it, who waits for what it answers, and where the rest goes.
//!
//! Ids are ours on this side: whole numbers that only grow, so that clients with equal ids never meet. What comes back
//! goes to the mailbox of the one who asked, in the order in which it came.

mod answer;
mod calls;
mod sweep;
mod waiting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;
use tokio::sync::oneshot;
use tracing::debug;

use crate::envelope::{Envelope, Kind, NotAMessage, Params, splice};
use crate::link::{Frame, Link, MESSAGE_LIMIT};
use crate::log::{Log, Way};
use crate::mailbox::Letter;
use crate::message;
use crate::slot::Slot;
use crate::trouble::{METHOD_NOT_FOUND, Trouble};

pub(crate) use answer::Answer;
pub(crate) use sweep::Sweep;
pub(crate) use waiting::{LONGEST, Relay, Waiting};

/// So many calls may wait for one server.
pub(crate) const MOST_CALLS: usize = 16_384;

/// The live connection to one server.
pub(crate) struct Upstream {
    pub(crate) server: ServerName,
    pub(crate) link: Box<dyn Link>,
    era: OnceLock<Era>,
    calls: Mutex<HashMap<u64, Waiting>>,
    next: AtomicU64,
    /// When it was last used, in milliseconds since the gateway began.
    used: AtomicU64,
    /// How often the server was heard.
    heard: AtomicU64,
    slot: Weak<Slot>,
    log: Arc<Log>,
    sweep: Sweep,
    me: Weak<Upstream>,
    /// The long request by which the server tells what changes.
    news: AtomicU64,
    /// Why it is of no use any more, once that is so.
    over: OnceLock<String>,
    /// It takes no calls any more; changed only while the calls are held.
    let_go: AtomicBool,
    /// So many answers are being looked at: a call that waits no longer may have begun a task.
    at_hand: AtomicUsize,
}

impl Upstream {
    /// Returns a connection over this link, to be spoken to.
    pub(crate) fn new(server: ServerName, link: Box<dyn Link>, slot: Weak<Slot>, sweep: Sweep) -> Arc<Self> {
        let log = slot.upgrade().map_or_else(Arc::default, |slot| Arc::clone(&slot.generation.log));
        Arc::new_cyclic(|me| Self {
            server,
            link,
            era: OnceLock::new(),
            calls: Mutex::default(),
            next: AtomicU64::new(1),
            used: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            slot,
            log,
            sweep,
            me: me.clone(),
            news: AtomicU64::new(0),
            over: OnceLock::new(),
            let_go: AtomicBool::new(false),
            at_hand: AtomicUsize::new(0),
        })
    }

    /// Returns a handle on this connection that does not keep it.
    pub(crate) fn me(&self) -> Weak<Self> {
        self.me.clone()
    }

    /// Returns the gateway, while it is there.
    pub(crate) fn gateway(&self) -> Option<Arc<crate::gateway::Inside>> {
        self.slot.upgrade()?.gateway()
    }

    /// Returns the slot that it is the connection of.
    pub(crate) fn slot(&self) -> Weak<Slot> {
        self.slot.clone()
    }

    /// Returns how many tasks the server works on without a call in flight.
    pub(crate) fn tasks(&self) -> usize {
        self.gateway().map_or(0, |gateway| gateway.running.count(self))
    }

    /// A question of the server's has its answer.
    pub(crate) fn was_answered(&self, id: &RawValue) {
        if let Some(slot) = self.slot.upgrade() {
            slot.was_answered(id.get());
        }
    }

    /// Has a modern server tell what changes: its lists, and these resources. The request before it ends only then, so
    /// that nothing falls between them.
    pub(crate) fn listen(&self, uris: &[String]) {
        let id = self.new_id();
        let filter = serde_json::json!({
            "toolsListChanged": true,
            "promptsListChanged": true,
            "resourcesListChanged": true,
            "resourceSubscriptions": uris,
        });
        let params = crate::slot::own_params_with("notifications", &filter.to_string());
        let bytes = message::request(&id.to_string(), "subscriptions/listen", Some(&params));
        self.calls().insert(id, Waiting::News(self.slot.clone()));
        let before = self.news.swap(id, Ordering::Relaxed);
        if self.send(Frame::request(bytes, id, "subscriptions/listen", None)).is_err() {
            self.take(id);
        }
        if before != 0 && self.take(before).is_some() {
            self.tell_cancelled(before, None);
        }
    }

    /// Notes how the server speaks; only the first time counts.
    pub(crate) fn greeted(&self, era: Era) {
        let _ = self.era.set(era);
    }

    /// Returns how the server speaks; legacy until it has said.
    pub(crate) fn era(&self) -> Era {
        self.era.get().copied().unwrap_or(Era::Legacy)
    }

    /// It is of no use any more; only the first reason counts.
    pub(crate) fn ends(&self, why: &str) {
        let _ = self.over.set(why.to_owned());
    }

    /// Returns why it is of no use any more, where that is so.
    pub(crate) fn over(&self) -> Option<&str> {
        self.over.get().map(String::as_str)
    }

    /// Returns whether a call may be sent: it is not over, nor let go.
    pub(crate) fn takes_calls(&self) -> bool {
        self.over().is_none() && !self.let_go.load(Ordering::Relaxed)
    }

    /// Returns when it was last used, in time since the gateway began.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_millis(self.used.load(Ordering::Relaxed))
    }

    /// Returns a new id on this side.
    pub(crate) fn new_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a call of a client's under the id `id`; its answer goes where `relay` says.
    ///
    /// # Errors
    /// It was not sent, and nobody waits for it.
    pub(crate) fn relay(&self, id: u64, frame: Frame, relay: Relay) -> Result<(), Box<(Relay, Trouble)>> {
        self.used.store(self.sweep.millis(), Ordering::Relaxed);
        {
            let mut calls = self.calls();
            if self.let_go.load(Ordering::Relaxed) {
                return Err(Box::new((relay, Trouble::Gone)));
            }
            if calls.len() >= MOST_CALLS {
                return Err(Box::new((relay, Trouble::Busy)));
            }
            calls.insert(id, Waiting::Relay(Box::new(relay)));
        }
        self.sweep.begin();
        self.send(frame).map_err(|trouble| {
            let trouble = match trouble {
                // What was not sent was certainly not carried out, and may be asked for again.
                Trouble::Lost(why) => Trouble::Down(why),
                other => other,
            };
            match self.take(id) {
                Some(Waiting::Relay(relay)) => Box::new((*relay, trouble)),
                // It was answered in the same moment.
                _ => Box::new((Relay::nobody(), trouble)),
            }
        })
    }

    /// Asks the server something of our own, and returns the result or error as it stands.
    ///
    /// # Errors
    /// There was no answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        params: Option<&str>,
        limit: Duration,
    ) -> Result<Answer, Trouble> {
        /// Whoever stops to ask waits no more.
        struct Asked<'u>(&'u Upstream, u64);
        impl Drop for Asked<'_> {
            fn drop(&mut self) {
                drop(self.0.take(self.1));
            }
        }

        let id = self.new_id();
        let (reply, answer) = oneshot::channel();
        self.calls().insert(id, Waiting::Own(reply));
        let _asked = Asked(self, id);
        let bytes = message::request(&id.to_string(), method, params);
        if let Err(trouble) = self.send(Frame::request(bytes, id, method, None)) {
            self.take(id);
            return Err(trouble);
        }
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => Answer::read(&answer?),
            Ok(Err(_)) => Err(Trouble::Lost("the connection was closed".to_owned())),
            Err(_) => {
                if self.take(id).is_some() && method != "initialize" {
                    self.tell_cancelled(id, None);
                }
                Err(Trouble::Timeout(limit))
            }
        }
    }

    /// Sends a notification or an answer of our own.
    pub(crate) fn tell(&self, bytes: Bytes) {
        if let Err(trouble) = self.send(Frame::plain(bytes)) {
            debug!(server = %self.server, %trouble, "a notification did not reach the server");
        }
    }

    /// Sends a message.
    pub(crate) fn send(&self, frame: Frame) -> Result<(), Trouble> {
        self.log.passed(Way::To, &frame.bytes);
        self.link.send(frame)
    }

    fn tell_cancelled(&self, id: u64, reason: Option<&str>) {
        let reason = reason.map(|reason| format!(r#","reason":{reason}"#)).unwrap_or_default();
        let params = format!(r#"{{"requestId":{id}{reason}}}"#);
        self.link.cancel(id, message::notification("notifications/cancelled", Some(&params)));
    }

    /// The server said something that is longer than any message.
    pub(crate) fn said_too_much(&self) {
        self.log.odd(b"", &format!("more than {} MiB in one line", MESSAGE_LIMIT >> 20));
    }

    /// Returns how often the server was heard; more than before says that it lives.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Takes what the server sent, which is one message. `origin` is the call on whose stream it came, where the
    /// transport has one for each.
    pub(crate) fn receive(&self, bytes: &Bytes, origin: Option<u64>) {
        self.log.passed(Way::From, bytes);
        self.heard.fetch_add(1, Ordering::Relaxed);
        let envelope = match Envelope::read(bytes) {
            Ok(envelope) => envelope,
            // Requirement E4: what is no message is dropped, and never answered.
            Err(NotAMessage::Batch) => return self.receive_batch(bytes, origin),
            Err(what) => {
                self.log.odd(bytes, &what.to_string());
                return self.dropped(bytes, &what.to_string());
            }
        };
        match envelope.kind {
            Kind::Response => self.answered(&envelope, origin),
            Kind::Notification => self.notified(&envelope, bytes, origin),
            Kind::Request if envelope.method.as_deref() == Some("ping") => {
                let id = envelope.id.map_or("null", RawValue::get);
                self.tell(message::result(id, b"{}"));
            }
            Kind::Request => match self.slot.upgrade() {
                Some(slot) => slot.asked(self, &envelope, origin),
                None => self.refuse(&envelope),
            },
        }
    }

    /// Only one revision has arrays of messages, but whoever sends one means what is in it.
    fn receive_batch(&self, bytes: &Bytes, origin: Option<u64>) {
        let Ok(messages) = serde_json::from_slice::<Vec<&RawValue>>(bytes) else {
            return self.dropped(bytes, "it is no message of JSON-RPC");
        };
        for message in messages.into_iter().filter(|message| message.get().starts_with('{')) {
            self.receive(&bytes.slice_ref(message.get().as_bytes()), origin);
        }
    }

    fn refuse(&self, envelope: &Envelope<'_>) {
        let id = envelope.id.map_or("null", RawValue::get);
        let error = crate::trouble::error(METHOD_NOT_FOUND, "there is nobody to answer this", None);
        self.tell(message::error(id, &error));
    }

    fn dropped(&self, bytes: &[u8], why: &str) {
        debug!(server = %self.server, length = bytes.len(), why, "dropped what the server sent");
        if let Some(slot) = self.slot.upgrade() {
            slot.generation.stats.dropped();
        }
    }

    fn answered(&self, envelope: &Envelope<'_>, origin: Option<u64>) {
        let id = envelope.id.and_then(|id| id.get().parse::<u64>().ok());
        // Whoever answers one call on the stream of another is not to be trusted with either.
        if origin.is_some() && id.is_some_and(|id| Some(id) != origin) {
            return self
                .dropped(envelope.bytes(), "it answers another call than the one on whose stream it came");
        }
        // Some answer what they cannot read without an id; on a stream of its own it is clear who is meant.
        let id = id.or(origin.filter(|_| envelope.error.is_some()));
        // Before the call is taken from those that wait, so that there is no moment in which it is neither.
        self.at_hand.fetch_add(1, Ordering::Relaxed);
        self.hand_over(id.and_then(|id| self.take(id)), envelope);
        self.at_hand.fetch_sub(1, Ordering::Release);
    }

    fn hand_over(&self, waiting: Option<Waiting>, envelope: &Envelope<'_>) {
        match waiting {
            Some(Waiting::Own(reply)) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(Ok(Bytes::copy_from_slice(envelope.bytes())));
            }
            Some(Waiting::Relay(relay)) => relay.answer(self, envelope),
            // It cannot do that, or has had enough.
            Some(Waiting::News(slot)) if envelope.error.is_none() => waiting::again(&slot),
            Some(Waiting::News(_)) => {}
            None => self.dropped(envelope.bytes(), "nobody waits for this answer"),
        }
    }

    fn notified(&self, envelope: &Envelope<'_>, bytes: &Bytes, origin: Option<u64>) {
        let method = envelope.method.as_deref().unwrap_or_default();
        if method == "notifications/progress" {
            return self.progress(envelope);
        }
        let Some(slot) = self.slot.upgrade() else { return };
        slot.notified(self, method, envelope, bytes, origin);
    }

    /// Requirement R1: progress goes to the one whose call it is about, under the token of theirs.
    fn progress(&self, envelope: &Envelope<'_>) {
        let Some(token) = Params::read(envelope.params).token else { return };
        let Ok(id) = token.get().parse::<u64>() else { return };
        let mut calls = self.calls();
        let Some(Waiting::Relay(relay)) = calls.get_mut(&id) else {
            drop(calls);
            return self.progress_of_task(id, envelope, token);
        };
        relay.still_alive();
        let Some(own) = relay.token.as_deref() else { return };
        let place = envelope.place(token.get());
        let mut bytes: Bytes = splice(envelope.bytes(), &[(place, own.get().as_bytes())]).into();
        if let Some(public) = &relay.told {
            bytes = public.ids().told(&bytes).unwrap_or(bytes);
        }
        relay.mail.put(Letter { bytes, last: false });
    }

    /// A task goes on under the token of the call that began it (2025-11-25).
    fn progress_of_task(&self, call: u64, envelope: &Envelope<'_>, token: &RawValue) {
        let known = self.gateway().and_then(|gateway| gateway.running.progress(self, call));
        let Some((session, own)) = known.and_then(|(session, own)| Some((session.upgrade()?, own))) else {
            return;
        };
        let place = envelope.place(token.get());
        let bytes = splice(envelope.bytes(), &[(place, own.get().as_bytes())]);
        session.outlet().put(Letter { bytes: session.told_by(&self.server, bytes.into()), last: false });
    }
}
