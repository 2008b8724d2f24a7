//! One client's conversation: what it asks, what is asked of it, and what it is told.
//!
//! A legacy client has one session from its `initialize` to its end. A modern client says everything with each request;
//! what it has is a session without memory. Whichever door it came in by, messages come in by [`Session::receive`], and
//! leave by the mailbox that came with a request, or by the outlet.

mod asking;
mod asks;
mod calls;
mod frame;
mod in_flight;
mod kept;
mod lists;
mod news;
mod own;
mod policed;
mod request;
mod search;
mod subscriptions;
mod target;
mod tasks;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use serde_json::value::RawValue;
use switchboard_core::mcp::revision::{Era, WITH_BATCHES};
use switchboard_core::name::ServerName;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::envelope::{Envelope, Kind, Meta, NotAMessage, Params, may_have_twin};
use crate::face::Face;
use crate::gateway::Inside;
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::policy::Holder;
use crate::public::{Ids, Marker};
use crate::serve::pipe::KNOWN;
use crate::slot::Slot;
use crate::trouble::{INVALID_REQUEST, PARSE_ERROR, error};
use crate::view::View;

use in_flight::InFlight;
pub(crate) use news::{Level, Logs};
pub(crate) use own::no_session;
pub(crate) use policed::Leave;
use request::{NAMES, has_twins};
pub(crate) use request::{Request, reply, reply_error};

/// So many calls of one session may be in flight.
const MOST_CALLS: usize = 4096;

/// How often is looked whether something is in flight.
const QUIET: std::time::Duration = std::time::Duration::from_millis(5);

/// One client's conversation.
pub struct Session {
    pub(crate) id: u64,
    pub(crate) gateway: Arc<Inside>,
    pub(crate) face: Face,
    pub(crate) root: Option<PathBuf>,
    /// Who is at the other end, and what they may do.
    holder: Holder,
    /// What tells the holder from others.
    group: Arc<str>,
    /// What the holder's tasks are marked with, where they may not have everybody's.
    marker: Option<Arc<Marker>>,
    /// Who calls; in a modern conversation, who called last.
    caller: ArcSwap<Caller>,
    /// The client has said that it is ready to be told things.
    listens: AtomicBool,
    /// Where what belongs to no request goes.
    outlet: ArcSwap<Mailbox>,
    calls: Mutex<HashMap<Box<str>, InFlight>>,
    asks: Mutex<HashMap<u64, asks::Asked>>,
    next_ask: AtomicU64,
    view: ArcSwapOption<View>,
    /// The lists as the client knows them.
    seen: Mutex<[Option<[u8; 32]>; 4]>,
    level: AtomicU8,
    subscribed: Mutex<HashSet<String>>,
    streams: Mutex<Vec<Arc<subscriptions::Stream>>>,
    closed: AtomicBool,
    /// It wants to be told of news, so that the gateway knows of it.
    pub(crate) is_known: AtomicBool,
    /// It has spoken within a session, so that there may be processes for it alone.
    was_legacy: AtomicBool,
    /// The connections that it uses.
    entered: Mutex<Vec<Weak<Slot>>>,
    /// Everybody who has one of these is at an answer that waits for a server to come up.
    at_work: Arc<()>,
}

/// What a message brings with it, beside its bytes.
#[derive(Clone, Default)]
pub struct Extra {
    /// Headers that are for the server alone (`Mcp-Param-*`), with lower-case names.
    pub headers: Vec<(Box<str>, Box<str>)>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many answers will come into the mailbox.
    Asks(usize),
    /// There is nothing to wait for.
    Told,
    /// It is no message; that was answered into the mailbox as far as can be.
    Refused(NotAMessage),
}

impl Session {
    /// Returns a session that nothing was said in.
    pub(crate) fn new(
        gateway: Arc<Inside>,
        id: u64,
        face: Face,
        root: Option<PathBuf>,
        holder: Holder,
    ) -> Self {
        gateway.living.fetch_add(1, Ordering::Relaxed);
        let marker = holder.is_restricted().then(|| Arc::new(Marker::new(gateway.secret(), &holder.who)));
        Self {
            id,
            gateway,
            face,
            root,
            group: if marker.is_some() { Arc::clone(&holder.who) } else { everybody() },
            holder,
            marker,
            caller: ArcSwap::new(Caller::unknown()),
            listens: AtomicBool::new(false),
            outlet: ArcSwap::default(),
            calls: Mutex::default(),
            asks: Mutex::default(),
            next_ask: AtomicU64::new(first_ask()),
            view: ArcSwapOption::empty(),
            seen: Mutex::default(),
            level: AtomicU8::new(Level::All as u8),
            subscribed: Mutex::default(),
            streams: Mutex::default(),
            closed: AtomicBool::new(false),
            is_known: AtomicBool::new(false),
            was_legacy: AtomicBool::new(false),
            entered: Mutex::default(),
            at_work: Arc::default(),
        }
    }

    /// Returns the mailbox of what belongs to no request.
    pub fn outlet(&self) -> Arc<Mailbox> {
        self.outlet.load_full()
    }

    /// Returns whether the holder may not do everything.
    pub(crate) fn is_restricted(&self) -> bool {
        self.marker.is_some()
    }

    /// Returns what tells the holder from others: all who may do everything are one.
    pub(crate) fn group(&self) -> Arc<str> {
        Arc::clone(&self.group)
    }

    /// Returns the ids by which the client knows a server's tasks, where these are not those of the server.
    pub(crate) fn ids<'s>(&'s self, server: &'s ServerName) -> Option<Ids<'s>> {
        let differs = self.face.is_joint() || self.marker.is_some();
        differs.then(|| Ids::new(server, self.marker.as_deref()))
    }

    /// Notes a connection that it uses from now on.
    pub(crate) fn entered(&self, slot: Weak<Slot>) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        entered.retain(|slot| slot.strong_count() > 0);
        entered.push(slot);
    }

    /// Returns who calls.
    pub(crate) fn caller(&self) -> Arc<Caller> {
        self.caller.load_full()
    }

    /// Takes one message from the client. What belongs to it comes into `mail`, the answer last.
    pub fn receive(self: &Arc<Self>, bytes: &Bytes, mail: &Arc<Mailbox>, extra: &Extra) -> Received {
        let envelope = match Envelope::read(bytes) {
            Ok(envelope) => envelope,
            Err(NotAMessage::Batch) if self.caller.load().revision == WITH_BATCHES => {
                return self.receive_batch(bytes, mail, extra);
            }
            Err(what) => {
                let code = if what == NotAMessage::Json { PARSE_ERROR } else { INVALID_REQUEST };
                let error = error(code, &what.to_string(), None);
                mail.put(Letter { bytes: message::error("null", &error), last: true });
                return Received::Refused(what);
            }
        };
        let is_held = self.is_restricted()
            || (envelope.method.as_deref() == Some("tools/call") && self.gateway.has_policy());
        if is_held && may_have_twin(envelope.bytes(), &NAMES) && has_twins(&envelope) {
            let error = error(INVALID_REQUEST, "two names differ in the case of their letters alone", None);
            let id = envelope.id.map_or("null", RawValue::get);
            mail.put(Letter { bytes: message::error(id, &error), last: true });
            return Received::Refused(NotAMessage::Shape);
        }
        match envelope.kind {
            Kind::Request => {
                self.requested(&envelope, mail, extra);
                Received::Asks(1)
            }
            Kind::Notification => {
                self.told(&envelope);
                Received::Told
            }
            Kind::Response => {
                self.answered(&envelope);
                Received::Told
            }
        }
    }

    fn receive_batch(self: &Arc<Self>, bytes: &Bytes, mail: &Arc<Mailbox>, extra: &Extra) -> Received {
        let Ok(messages) = serde_json::from_slice::<Vec<&RawValue>>(bytes) else {
            return Received::Refused(NotAMessage::Json);
        };
        if messages.is_empty() {
            let error = error(INVALID_REQUEST, "an empty array of messages", None);
            mail.put(Letter { bytes: message::error("null", &error), last: true });
            return Received::Refused(NotAMessage::Shape);
        }
        let mut asks = 0;
        for message in messages {
            // An array in an array is none of the protocol's.
            let part = bytes.slice_ref(message.get().as_bytes());
            match Envelope::read(&part).map(|envelope| envelope.kind) {
                Ok(Kind::Request) | Err(_) => asks += 1,
                Ok(_) => {}
            }
            if part.starts_with(b"[") {
                let error = error(INVALID_REQUEST, "an array within an array of messages", None);
                mail.put(Letter { bytes: message::error("null", &error), last: true });
            } else {
                self.receive(&part, mail, extra);
            }
        }
        if asks > 0 { Received::Asks(asks) } else { Received::Told }
    }

    /// A request: ours to answer, or a server's.
    fn requested(self: &Arc<Self>, envelope: &Envelope<'_>, mail: &Arc<Mailbox>, extra: &Extra) {
        let (Some(id), Some(method)) = (envelope.id, envelope.method.as_deref()) else { return };
        let params = Params::read(envelope.params);
        let meta = params.meta();
        let caller = match self.caller_of(method, &meta) {
            Ok(caller) => caller,
            Err(error) => return reply_error(id, mail, &error),
        };
        if caller.era == Era::Legacy {
            self.was_legacy.store(true, Ordering::Relaxed);
        }
        let begun = Instant::now();
        let request =
            Request { id, method, envelope, params: &params, meta: &meta, mail, extra, caller, begun };
        if !self.answer_here(&request) {
            self.pass_on(&request);
        }
    }

    /// A notification of the client's.
    fn told(self: &Arc<Self>, envelope: &Envelope<'_>) {
        let params = Params::read(envelope.params);
        match envelope.method.as_deref().unwrap_or_default() {
            "notifications/initialized" => self.listen(),
            "notifications/cancelled" => {
                if let Some(request) = params.request {
                    let reason = envelope.params.and_then(|params| {
                        crate::object::Object::read(params.get())?.member("reason").map(str::to_owned)
                    });
                    self.cancel(request.get(), reason.as_deref());
                }
            }
            "notifications/progress" => self.progress(envelope, &params),
            KNOWN => self.knows_lists(envelope.params.map_or("{}", RawValue::get)),
            // A call asks for an answer. One that does not would go by the policy.
            "tools/call" => {}
            // Nor do tasks have anything to be told without asking; whose they are is looked at where somebody asks.
            method if method.starts_with("tasks/") => {}
            method if self.is_restricted() && !method.starts_with("notifications/") => {}
            _ => self.pass_notification(envelope),
        }
    }

    /// Returns who sent a message: in a modern one it says so itself.
    fn caller_of(&self, method: &str, meta: &Meta<'_>) -> Result<Arc<Caller>, String> {
        let Some(revision) = meta.revision.as_deref() else { return Ok(self.caller()) };
        if Era::of(revision) != Some(Era::Modern) {
            if method == "initialize" {
                return Ok(self.caller());
            }
            return Err(own::unsupported(revision));
        }
        let Some(capabilities) = meta.capabilities else {
            let what = "`_meta` has no `io.modelcontextprotocol/clientCapabilities`";
            return Err(error(crate::trouble::INVALID_PARAMS, what, None));
        };
        let last = self.caller();
        if last.is(revision, capabilities.get(), meta.client.map(RawValue::get)) {
            return Ok(last);
        }
        let caller = self.gateway.callers.caller(revision, capabilities, meta.client);
        if !self.listens.load(Ordering::Relaxed) {
            self.caller.store(Arc::clone(&caller));
        }
        Ok(caller)
    }

    /// Has an answer made that waits for a server to come up: the conversation is not quiet until then.
    fn answer_later(&self, answer: impl Future<Output = ()> + Send + 'static) {
        let at_work = Arc::clone(&self.at_work);
        self.gateway.tasks.spawn(async move {
            answer.await;
            drop(at_work);
        });
    }

    /// Returns whether the conversation is over.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Waits until nothing is in flight.
    pub async fn quiet(&self) {
        while !self.calls().is_empty() || Arc::strong_count(&self.at_work) > 1 {
            tokio::time::sleep(QUIET).await;
        }
    }

    /// Ends the conversation: what is in flight is given up, and what was kept for it goes.
    pub fn close(&self) {
        if self.closed.swap(true, Ordering::Relaxed) {
            return;
        }
        self.give_up_all();
        self.leave_unanswered();
        self.outlet.load().close();
        self.end_streams();
        let entered = std::mem::take(&mut *self.entered.lock().unwrap_or_else(PoisonError::into_inner));
        for slot in entered.iter().filter_map(Weak::upgrade) {
            slot.leave(self.id);
        }
        // What said everything with each message has nothing that would be its own.
        if self.was_legacy.load(Ordering::Relaxed) || self.is_known.load(Ordering::Relaxed) {
            self.gateway.left(self);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
        self.gateway.living.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns what stands for all holders who may do everything.
pub(crate) fn everybody() -> Arc<str> {
    static EVERYBODY: std::sync::OnceLock<Arc<str>> = std::sync::OnceLock::new();
    Arc::clone(EVERYBODY.get_or_init(|| "".into()))
}

/// Returns the number of a session's first question. Clients outlive daemons: what one answers late must not be taken
/// for the answer to a question of another.
fn first_ask() -> u64 {
    static FIRST: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let first = FIRST.get_or_init(|| {
        let mut bytes = [0; 4];
        // Without chance the numbers are still right within one daemon.
        let _ = getrandom::fill(&mut bytes);
        u32::from_ne_bytes(bytes)
    });
    (u64::from(*first) << 16) + 1
}
