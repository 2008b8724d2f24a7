//! What comes back from a server without having been asked for: its own questions, and its news.
//!
//! A question goes to the session that caused it. Where that cannot be known it is refused, and from then on each
//! session has a process of its own: never is a recipient guessed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use switchboard_core::backoff;
use switchboard_core::mcp::revision::Era;
use tokio::time::Instant;
use tracing::{debug, info};

use super::Slot;
use crate::bridge;
use crate::envelope::{Envelope, Params, text};
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::object::Object;
use crate::offer::Sort;
use crate::session::{Level, Session};
use crate::trouble::{INTERNAL_ERROR, METHOD_NOT_FOUND, error};
use crate::upstream::{Answer, Upstream};

/// A subscription is kept so long after the last one left it.
const LINGER: Duration = Duration::from_secs(1);

/// A modern server that ended its news is asked for them again within so long; where it ends them again and again, it
/// is asked more and more rarely (requirement C8).
const LISTEN_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// News that were told for so long did not end at once.
const LASTED: Duration = Duration::from_secs(10);

/// How long a subscription may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is under way from a server to its clients.
#[derive(Default)]
pub(super) struct Back {
    /// Questions of the server's by its ids: who has them, and as what number.
    asks: Mutex<HashMap<Box<str>, Asked>>,
    /// Resources, each with the sessions that want to hear of it.
    subscribers: Mutex<HashMap<String, HashSet<u64>>>,
    /// So many times in a row a modern server ended its news at once, and when it was last asked for them.
    listens: Mutex<(u32, Option<Instant>)>,
}

/// Returns the word that a resource has changed.
pub(crate) fn updated(uri: &str) -> Bytes {
    let params = format!(r#"{{"uri":{}}}"#, serde_json::Value::from(uri));
    message::notification("notifications/resources/updated", Some(&params))
}

/// The session that has a question, and the number of it there.
type Asked = (Weak<Session>, u64);

/// Who a question is for.
enum Recipient {
    /// This session; what belongs to it goes here.
    Session(Arc<Session>, Arc<Mailbox>),
    /// The call with this id, whose client is of the modern era.
    Parked(u64),
    /// There is nobody.
    Nobody,
    /// It could be one of several.
    Unclear,
}

impl Slot {
    /// The server asks something.
    pub(crate) fn asked(self: &Arc<Self>, upstream: &Upstream, envelope: &Envelope<'_>, origin: Option<u64>) {
        let method = envelope.method.as_deref().unwrap_or_default();
        let refuse = |code: i32, what: &str| {
            let id = envelope.id.map_or("null", |id| id.get());
            upstream.tell(message::error(id, &error(code, what, None)));
        };
        match self.recipient(upstream, method, origin) {
            Recipient::Session(session, mail) => {
                if !session.caller().can(method) {
                    return refuse(METHOD_NOT_FOUND, "the client cannot do that");
                }
                match session.ask_for(&upstream.me(), envelope, &mail) {
                    Some(number) => {
                        let id = envelope.id.map_or("null", |id| id.get());
                        let mut asks = self.back.asks.lock().unwrap_or_else(PoisonError::into_inner);
                        asks.insert(id.into(), (Arc::downgrade(&session), number));
                    }
                    None => refuse(INTERNAL_ERROR, "too many questions wait for the client"),
                }
            }
            Recipient::Parked(call) => {
                self.generation.asks_back();
                if !bridge::park(upstream, call, envelope) {
                    refuse(METHOD_NOT_FOUND, "the client cannot do that");
                }
            }
            Recipient::Nobody => refuse(METHOD_NOT_FOUND, "there is no client that could answer"),
            Recipient::Unclear => {
                if self.generation.isolate() {
                    let server = self.generation.name.as_str();
                    info!(
                        server,
                        "asks its clients and does not say whom: from now on each session has a process of its own"
                    );
                }
                refuse(INTERNAL_ERROR, "it cannot be told which client this is for; try again");
            }
        }
    }

    fn recipient(&self, upstream: &Upstream, method: &str, origin: Option<u64>) -> Recipient {
        let found = upstream.with_relays(|relays| {
            let mut found: Option<(u64, Weak<Session>, Arc<Mailbox>, Era)> = None;
            for (id, relay) in relays {
                if origin.is_some_and(|origin| origin != id) {
                    continue;
                }
                match &mut found {
                    None => {
                        let (session, mail) = (relay.session.clone(), Arc::clone(&relay.mail));
                        found = Some((id, session, mail, relay.caller.era));
                    }
                    Some((newest, session, mail, _)) if session.ptr_eq(&relay.session) => {
                        if id > *newest {
                            (*newest, *mail) = (id, Arc::clone(&relay.mail));
                        }
                    }
                    Some(_) => return Err(()),
                }
            }
            Ok(found)
        });
        match found {
            Err(()) => Recipient::Unclear,
            Ok(Some((id, _, _, Era::Modern))) => Recipient::Parked(id),
            Ok(Some((_, session, mail, Era::Legacy))) => match session.upgrade() {
                Some(session) => Recipient::Session(session, mail),
                None => Recipient::Nobody,
            },
            Ok(None) => {
                let present = self.present();
                let mut capable = present.into_iter().filter(|session| session.caller().can(method));
                match (capable.next(), capable.next()) {
                    (Some(session), None) if session.caller().era == Era::Legacy => {
                        let outlet = session.outlet();
                        Recipient::Session(session, outlet)
                    }
                    (Some(_), Some(_)) => Recipient::Unclear,
                    _ => Recipient::Nobody,
                }
            }
        }
    }

    /// The server tells something.
    pub(crate) fn notified(
        self: &Arc<Self>,
        upstream: &Upstream,
        method: &str,
        envelope: &Envelope<'_>,
        bytes: &Bytes,
        origin: Option<u64>,
    ) {
        let changed = Sort::changed_by(method);
        if !changed.is_empty() {
            return self.is_stale(changed);
        }
        match method {
            "notifications/message" => self.logged(upstream, envelope, bytes, origin),
            "notifications/resources/updated" => self.updated(envelope, bytes),
            "notifications/cancelled" => self.took_back(envelope),
            "notifications/subscriptions/acknowledged" => {}
            _ => self.pass(upstream, bytes, origin),
        }
    }

    /// Passes on what is for the one whose call it belongs to, or for the only one there is.
    fn pass(&self, upstream: &Upstream, bytes: &Bytes, origin: Option<u64>) {
        if let Recipient::Session(_, mail) = self.recipient(upstream, "", origin) {
            mail.put(Letter { bytes: bytes.clone(), last: false });
        } else {
            debug!(server = self.generation.name.as_str(), "a notification is for nobody");
        }
    }

    /// Requirement C9: a log message goes to the one whose call it belongs to; one that belongs to no call to all.
    fn logged(&self, upstream: &Upstream, envelope: &Envelope<'_>, bytes: &Bytes, origin: Option<u64>) {
        let level = text(Params::read(envelope.params).level).and_then(|word| Level::parse(&word));
        enum To {
            One(Weak<Session>, Arc<Mailbox>, crate::session::Logs),
            All,
            Unclear,
        }
        let to = upstream.with_relays(|relays| {
            let mut to = To::All;
            for (id, relay) in relays {
                if origin.is_some_and(|origin| origin != id) {
                    continue;
                }
                match &to {
                    To::One(session, ..) if !session.ptr_eq(&relay.session) => return To::Unclear,
                    _ => to = To::One(relay.session.clone(), Arc::clone(&relay.mail), relay.logs),
                }
            }
            to
        });
        match to {
            To::One(session, mail, logs) => {
                let session = session.upgrade();
                if logs.want(level, session.as_deref()) {
                    mail.put(Letter { bytes: bytes.clone(), last: false });
                }
            }
            To::All => {
                for session in self.present() {
                    if session.caller().era == Era::Legacy && session.wants(level) {
                        session.outlet().put(Letter { bytes: bytes.clone(), last: false });
                    }
                }
            }
            To::Unclear => self.generation.stats.dropped(),
        }
    }

    fn updated(&self, envelope: &Envelope<'_>, bytes: &Bytes) {
        let Some(uri) = text(Params::read(envelope.params).uri) else { return };
        let wanted: HashSet<u64> = {
            let subscribers = self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            subscribers.get(&*uri).cloned().unwrap_or_default()
        };
        for session in self.present().into_iter().filter(|session| wanted.contains(&session.id)) {
            session.resource_updated(&uri, bytes);
        }
    }

    /// The server takes a question of its own back.
    fn took_back(&self, envelope: &Envelope<'_>) {
        let params = Params::read(envelope.params);
        let Some(id) = params.request else { return };
        let asked = self.back.asks.lock().unwrap_or_else(PoisonError::into_inner).remove(id.get());
        let Some((session, number)) = asked else { return };
        if let Some(session) = session.upgrade() {
            let reason = envelope
                .params
                .and_then(|params| Object::read(params.get())?.member("reason").map(str::to_owned));
            session.take_back(number, reason.as_deref(), &session.outlet());
        }
    }

    /// A question of the server's has its answer.
    pub(crate) fn was_answered(&self, id: &str) {
        self.back.asks.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Subscribes a session to a resource; the first one has the server asked for it (requirement C7).
    ///
    /// # Errors
    /// The server says no, or is not to be had: the error, as it is answered.
    pub(crate) async fn subscribe(self: &Arc<Self>, session: &Arc<Session>, uri: &str) -> Result<(), String> {
        let first = {
            let mut subscribers = self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            let present = subscribers.entry(uri.to_owned()).or_default();
            let first = present.is_empty();
            present.insert(session.id);
            first
        };
        if !first {
            return Ok(());
        }
        let done = self.ask_for_updates(uri, "resources/subscribe").await;
        if done.is_err() {
            self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner).remove(uri);
        }
        done
    }

    /// Returns whether a session hears of a resource from here.
    pub(crate) fn tells(&self, session: u64, uri: &str) -> bool {
        let subscribers = self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.get(uri).is_some_and(|present| present.contains(&session))
    }

    /// Ends a session's subscription; when it was the last one the server is told after a while.
    pub(crate) fn unsubscribe(self: &Arc<Self>, session: u64, uri: &str) {
        let last = {
            let mut subscribers = self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            match subscribers.get_mut(uri) {
                Some(present) => present.remove(&session) && present.is_empty(),
                None => false,
            }
        };
        let (Some(gateway), true) = (self.gateway.upgrade(), last) else { return };
        let (slot, uri) = (Arc::clone(self), uri.to_owned());
        gateway.tasks.spawn(async move {
            tokio::time::sleep(LINGER).await;
            let over = {
                let mut subscribers = slot.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
                let over = subscribers.get(&uri).is_some_and(HashSet::is_empty);
                if over {
                    subscribers.remove(&uri);
                }
                over
            };
            if over && slot.ready().is_some() {
                // A server that does not mind goes on telling, to nobody.
                let _ = slot.ask_for_updates(&uri, "resources/unsubscribe").await;
            }
        });
    }

    async fn ask_for_updates(&self, uri: &str, method: &str) -> Result<(), String> {
        let server = &self.generation.name;
        let upstream = self.wanted().await.map_err(|trouble| trouble.error(server))?;
        if upstream.era() == Era::Modern {
            return self.listen_again(&upstream);
        }
        let params = format!(r#"{{"uri":{}}}"#, serde_json::Value::from(uri));
        match upstream.ask(method, Some(&params), PATIENCE).await {
            Ok(Answer::Result(_)) => Ok(()),
            Ok(Answer::Error { whole, .. }) => Err(whole.get().to_owned()),
            Err(trouble) => Err(trouble.error(server)),
        }
    }

    /// A modern server is asked for all resources at once, by the request that listens to it.
    #[expect(clippy::unnecessary_wraps, reason = "one shape with the other way")]
    fn listen_again(&self, upstream: &Arc<Upstream>) -> Result<(), String> {
        self.listen_up(upstream);
        Ok(())
    }

    /// Has the server log what any of its clients wants.
    pub(crate) fn set_level(self: &Arc<Self>) {
        let level = self.present().iter().map(|session| session.log_level()).min();
        let (Some(level), Some(gateway)) = (level.and_then(Level::word), self.gateway.upgrade()) else {
            return;
        };
        let slot = Arc::clone(self);
        gateway.tasks.spawn(async move {
            let Some(upstream) = slot.ready() else { return };
            let params = format!(r#"{{"level":"{level}"}}"#);
            // One that does not know levels logs as it likes; what is not wanted is left out here.
            let _ = upstream.ask("logging/setLevel", Some(&params), PATIENCE).await;
        });
    }

    /// The request that listens to a modern server has ended: it is made again after a while.
    pub(crate) fn listen_later(self: &Arc<Self>) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let slot = Arc::clone(self);
        let pause = {
            let mut listens = self.back.listens.lock().unwrap_or_else(PoisonError::into_inner);
            let lasted = listens.1.is_some_and(|since| since.elapsed() >= LASTED);
            listens.0 = if lasted { 0 } else { listens.0.saturating_add(1) };
            backoff::delay(
                LISTEN_AGAIN.0,
                LISTEN_AGAIN.1,
                listens.0.saturating_sub(1),
                super::task::seed(self),
            )
        };
        gateway.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            let Some(upstream) = slot.ready() else { return };
            slot.listen_up(&upstream);
            // What changed meanwhile was not told.
            slot.is_stale(&Sort::ALL);
        });
    }

    /// Asks a modern server to tell what changes: its lists, and the resources that are subscribed to.
    pub(super) fn listen_up(&self, upstream: &Arc<Upstream>) {
        let uris: Vec<String> = {
            let subscribers = self.back.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
            subscribers
                .iter()
                .filter(|(_, present)| !present.is_empty())
                .map(|(uri, _)| uri.clone())
                .collect()
        };
        self.back.listens.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(Instant::now());
        upstream.listen(&uris);
    }
}

impl Back {
    /// A new connection is there: what the one before was asked for is asked again.
    pub(super) fn connected(&self, slot: &Arc<Slot>) {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let Some(upstream) = slot.ready() else { return };
        if upstream.era() == Era::Modern {
            return slot.listen_up(&upstream);
        }
        slot.set_level();
        let uris: Vec<String> =
            self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        let Some(gateway) = slot.gateway.upgrade().filter(|_| !uris.is_empty()) else { return };
        let slot = Arc::clone(slot);
        gateway.tasks.spawn(async move {
            for uri in uris {
                // What changed while nobody listened is told as a change.
                if slot.ask_for_updates(&uri, "resources/subscribe").await.is_ok() {
                    let bytes = updated(&uri);
                    if let Ok(envelope) = Envelope::read(&bytes) {
                        slot.updated(&envelope, &bytes);
                    }
                }
            }
        });
    }

    /// Returns the resources that a session wants to hear of.
    pub(super) fn subscriptions_of(&self, session: u64) -> Vec<String> {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let its = subscribers.iter().filter(|(_, present)| present.contains(&session));
        its.map(|(uri, _)| uri.clone()).collect()
    }

    /// Returns whether anybody wants to hear of anything.
    pub(super) fn has_subscribers(&self) -> bool {
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.values().any(|present| !present.is_empty())
    }
}
