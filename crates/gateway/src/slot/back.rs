//! What comes back from a server without having been asked for: its own questions, and its news.
//!
//! A question goes to the session that caused it. Where that cannot be known it is refused, and from then on each
//! session has a process of its own: never is a recipient guessed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use switchboard_core::backoff;
use switchboard_core::mcp::revision::Era;
use tokio::time::Instant;
use tracing::{debug, info};

use super::Slot;
use super::subscribers::Subscribers;
use super::whose::{Call, Whose};
use crate::bridge;
use crate::envelope::{Envelope, Params, text};
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::object::Object;
use crate::offer::Sort;
use crate::session::{Level, Session};
use crate::trouble::{INTERNAL_ERROR, METHOD_NOT_FOUND, error};
use crate::upstream::Upstream;

/// A modern server that ended its news is asked for them again within so long; where it ends them again and again, it
/// is asked more and more rarely (requirement C8).
const LISTEN_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// News that were told for so long did not end at once.
const LASTED: Duration = Duration::from_secs(10);

/// How long a server may take to take note of a level.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is under way from a server to its clients.
#[derive(Default)]
pub(super) struct Back {
    /// Questions of the server's by its ids: who has them, and as what number.
    asks: Mutex<HashMap<Box<str>, Asked>>,
    /// Who wants to hear of which resource.
    pub(super) subscribers: Subscribers,
    /// The level that a connection was told last.
    level: tokio::sync::Mutex<(Weak<Upstream>, &'static str)>,
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
        match self.recipient(upstream, envelope, origin) {
            Recipient::Session(session, mail) => {
                if !session.caller().can(method) {
                    return refuse(METHOD_NOT_FOUND, "the client cannot do that");
                }
                match session.ask_for(&upstream.me(), envelope, &mail) {
                    Some(number) => {
                        upstream.asks(&Arc::downgrade(&session));
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

    fn recipient(&self, upstream: &Upstream, envelope: &Envelope<'_>, origin: Option<u64>) -> Recipient {
        let method = envelope.method.as_deref().unwrap_or_default();
        match self.whose(upstream, envelope, origin) {
            Whose::Unclear => Recipient::Unclear,
            Whose::Gone => Recipient::Nobody,
            Whose::Task(session) => match session.upgrade() {
                Some(session) if session.caller().era == Era::Legacy => {
                    let outlet = session.outlet();
                    Recipient::Session(session, outlet)
                }
                _ => Recipient::Nobody,
            },
            Whose::Call(Call { id, era: Era::Modern, .. }) => Recipient::Parked(id),
            Whose::Call(call) => match call.session.upgrade() {
                Some(session) => Recipient::Session(session, call.mail),
                None => Recipient::Nobody,
            },
            Whose::Nobodys => {
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
            _ => self.pass(upstream, envelope, bytes, origin),
        }
    }

    /// Passes on what is for the one whose call it belongs to, or for the only one there is.
    fn pass(&self, upstream: &Upstream, envelope: &Envelope<'_>, bytes: &Bytes, origin: Option<u64>) {
        let whom = match self.whose(upstream, envelope, origin) {
            Whose::Task(session) => {
                let session = session.upgrade().filter(|session| session.caller().era == Era::Legacy);
                session.map(|session| (Some(Arc::clone(&session)), session.outlet()))
            }
            Whose::Call(call) => Some((call.session.upgrade(), call.mail)),
            Whose::Unclear | Whose::Gone => None,
            Whose::Nobodys => match self.present().as_slice() {
                [session] if session.caller().era == Era::Legacy => {
                    Some((Some(Arc::clone(session)), session.outlet()))
                }
                _ => None,
            },
        };
        let Some((session, mail)) = whom else {
            debug!(server = self.generation.name.as_str(), "a notification is for nobody");
            return;
        };
        self.tell_one(session.as_deref(), &mail, bytes);
    }

    /// Tells a session something. That of a call which is set aside may be gone: it is kept for the next.
    fn tell_one(&self, session: Option<&Session>, mail: &Mailbox, bytes: &Bytes) {
        let bytes = bytes.clone();
        let bytes = match session {
            Some(session) => session.told_by(&self.generation.name, bytes),
            None => bytes,
        };
        mail.put(Letter { bytes, last: false });
    }

    /// Requirement C9: a log message goes to the one whose call it belongs to; one that belongs to no call to all.
    fn logged(&self, upstream: &Upstream, envelope: &Envelope<'_>, bytes: &Bytes, origin: Option<u64>) {
        let level = text(Params::read(envelope.params).level).and_then(|word| Level::parse(&word));
        match self.whose(upstream, envelope, origin) {
            Whose::Task(session) => {
                let session = session.upgrade().filter(|session| session.caller().era == Era::Legacy);
                if let Some(session) = session.filter(|session| session.wants(level)) {
                    self.tell_one(Some(&session), &session.outlet(), bytes);
                }
            }
            Whose::Call(call) => {
                let session = call.session.upgrade();
                if call.logs.want(level, session.as_deref()) {
                    self.tell_one(session.as_deref(), &call.mail, bytes);
                }
            }
            Whose::Nobodys => {
                for session in self.present() {
                    if session.caller().era == Era::Legacy && session.wants(level) {
                        self.tell_one(Some(&session), &session.outlet(), bytes);
                    }
                }
            }
            Whose::Unclear | Whose::Gone => self.generation.stats.dropped(),
        }
    }

    pub(super) fn updated(&self, envelope: &Envelope<'_>, bytes: &Bytes) {
        let Some(uri) = text(Params::read(envelope.params).uri) else { return };
        let wanted = self.back.subscribers.of(&uri);
        for session in self.present().into_iter().filter(|session| wanted.contains(&session.id)) {
            session.resource_updated(&self.generation.name, &uri, bytes);
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

    /// Has the server log what any of its clients wants.
    pub(crate) fn set_level(self: &Arc<Self>) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let slot = Arc::clone(self);
        gateway.tasks.spawn(async move {
            // One after the other, and each looks for itself: the last one says what is wanted then.
            let mut said = slot.back.level.lock().await;
            let Some(upstream) = slot.ready() else { return };
            // Who has said nothing takes what there is.
            let said_by =
                |session: &Arc<Session>| Some(session.log_level()).filter(|level| *level != Level::All);
            let level = slot.present().iter().filter_map(said_by).min();
            let Some(level) = level.and_then(Level::word) else { return };
            if said.1 == level && said.0.ptr_eq(&Arc::downgrade(&upstream)) {
                return;
            }
            let params = format!(r#"{{"level":"{level}"}}"#);
            // One that does not know levels logs as it likes; what is not wanted is left out here.
            if upstream.ask("logging/setLevel", Some(&params), PATIENCE).await.is_ok() {
                *said = (Arc::downgrade(&upstream), level);
            }
        });
    }

    /// The request that listens to a modern server has ended: it is made again after a while.
    pub(crate) fn listen_later(self: &Arc<Self>) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        let slot = Arc::clone(self);
        let pause = {
            let mut listens = self.back.listens();
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
}

impl Back {
    /// A new connection is there: what the one before was asked for is asked again.
    pub(super) fn connected(&self, slot: &Arc<Slot>) {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let Some(upstream) = slot.ready() else { return };
        if upstream.era() == Era::Legacy {
            slot.set_level();
        }
        slot.subscribe_again(&upstream);
    }

    /// Returns how often in a row a modern server ended its news at once, and when it was last asked for them.
    pub(super) fn listens(&self) -> MutexGuard<'_, (u32, Option<Instant>)> {
        self.listens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether anybody wants to hear of anything.
    pub(super) fn has_subscribers(&self) -> bool {
        self.subscribers.any()
    }
}
