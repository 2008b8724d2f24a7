//! Streamable HTTP towards clients, in both eras on one address: with sessions (2025-03-26 to 2025-11-25), and stateless
//! (2026-07-28). What a request says of itself decides, not where it comes in.

mod held;
mod stateless;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use switchboard_core::mcp::revision::{Era, LATEST_LEGACY};
use tokio::time::Instant;

use super::stream::{Reader, Stream};
use super::validate;
use crate::envelope::{Envelope, NotAMessage, Params};
use crate::face::Face;
use crate::gateway::{Gateway, token};
use crate::mailbox::Mailbox;
use crate::message;
use crate::policy::Holder;
use crate::session::{Extra, Received, Session};
use crate::trouble::{INVALID_REQUEST, PARSE_ERROR, error};
use held::{Busy, Held, IDLE};

/// A call that takes longer is answered by a stream, so that nothing on the way gives it up.
const SOON: Duration = Duration::from_secs(10);

/// The header that names a session.
pub const SESSION: &str = "mcp-session-id";

/// Returns whether a header, by its name in lower case, is for the server and not for us: what repeats arguments
/// (`Mcp-Param-*`), and the trace that a call belongs to (W3C Trace Context).
pub fn is_for_the_server(name: &str) -> bool {
    name.starts_with("mcp-param-") || TRACE.contains(&name)
}

/// The headers of W3C Trace Context.
pub(crate) const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// The sessions of clients that come by HTTP.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<Box<str>, Arc<Held>>>);

/// A request to the gateway.
pub struct Asked<'r> {
    /// What the client sees.
    pub face: Face,
    /// Whoever asks, as the door knows them: a session belongs to the one who began it.
    pub owner: &'r str,
    /// The headers: names in lower case.
    pub headers: &'r (dyn Fn(&str) -> Option<&'r str> + Sync),
    /// The headers that are for the server alone ([`is_for_the_server`]).
    pub extra: Extra,
    /// The project of the client.
    pub root: Option<PathBuf>,
    /// What whoever asks may do with tools.
    pub holder: Holder,
}

/// What is answered.
pub enum Reply {
    /// A status, with a message of JSON-RPC where there is one.
    Whole {
        /// The status.
        status: u16,
        /// The message.
        body: Option<Bytes>,
        /// The session that begins with it.
        session: Option<Box<str>>,
    },
    /// A stream of events.
    Events(Events),
}

/// A stream of events to one client.
pub struct Events {
    reader: Reader,
    /// The session that begins with it.
    pub session: Option<Box<str>>,
    held: Option<Arc<Held>>,
    /// A stateless call ends when nobody reads its answer any more.
    _call: Option<Arc<Session>>,
}

impl Events {
    /// Returns the next bytes to send; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.reader.next().await
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            held.readers.fetch_sub(1, Ordering::Relaxed);
            held.touch();
        }
    }
}

impl Reply {
    fn status(status: u16) -> Self {
        Self::Whole { status, body: None, session: None }
    }

    fn error(status: u16, error: &str) -> Self {
        Self::Whole { status, body: Some(message::error("null", error)), session: None }
    }
}

impl Sessions {
    /// Answers a POST: one message, or in one revision several.
    pub async fn post(&self, gateway: &Gateway, asked: Asked<'_>, body: &Bytes) -> Reply {
        let read = Envelope::read(body);
        let envelope = match &read {
            Ok(envelope) => Some(envelope),
            Err(NotAMessage::Batch) => None,
            Err(what) => {
                let code = if *what == NotAMessage::Json { PARSE_ERROR } else { INVALID_REQUEST };
                return Reply::error(400, &error(code, &what.to_string(), None));
            }
        };
        let method = envelope.and_then(|envelope| envelope.method.as_deref());
        let params = Params::read(envelope.and_then(|envelope| envelope.params));
        let said = params.meta().revision;
        let version = (asked.headers)("mcp-protocol-version");
        match (envelope, validate::era(version, said.as_deref())) {
            (Some(envelope), Era::Modern) => stateless::answer(gateway, asked, envelope, body).await,
            (None, Era::Modern) => Reply::error(400, &error(INVALID_REQUEST, "an array of messages", None)),
            _ => self.legacy(gateway, asked, method == Some("initialize"), body).await,
        }
    }

    async fn legacy(&self, gateway: &Gateway, asked: Asked<'_>, begins: bool, body: &Bytes) -> Reply {
        let accept = (asked.headers)("accept").unwrap_or("*/*");
        let takes = |kind: &str| accept.contains(kind) || accept.contains("*/*");
        if !takes("application/json") || !takes("text/event-stream") {
            let what = "`Accept` has to name `application/json` and `text/event-stream`";
            return Reply::error(406, &error(INVALID_REQUEST, what, None));
        }
        let (held, fresh) = if begins {
            let Some(session) =
                gateway.session_of(asked.face.clone(), asked.root.clone(), asked.holder.clone())
            else {
                return Reply::error(503, &error(INVALID_REQUEST, "there are too many sessions", None));
            };
            (Held::new(session, &asked), true)
        } else {
            match self.find(&asked) {
                Ok(held) => (held, false),
                Err(reply) => return reply,
            }
        };
        let revision = held.session.caller().revision.clone();
        if let Some(version) = (asked.headers)("mcp-protocol-version")
            && !validate::is_legacy(version)
        {
            let what = format!("revision {version:?} is not spoken in this session");
            return Reply::error(400, &error(INVALID_REQUEST, &what, None));
        }
        let mail = Arc::new(Mailbox::default());
        let answers = match held.session.receive(body, &mail, &asked.extra) {
            Received::Told => return Reply::status(202),
            Received::Refused(_) => {
                let body = mail.take().map(|letter| letter.bytes);
                return Reply::Whole { status: 400, body, session: None };
            }
            Received::Asks(answers) => answers,
        };
        held.readers.fetch_add(1, Ordering::Relaxed);
        let busy = Busy(&held);
        let first = tokio::time::timeout(SOON, mail.next()).await;
        let session = fresh.then(|| self.keep(&held));
        match first {
            Ok(Some(letter)) if letter.last && answers == 1 => {
                Reply::Whole { status: 200, body: Some(letter.bytes), session }
            }
            Ok(None) => Reply::status(202),
            first => {
                let number = held.next.fetch_add(1, Ordering::Relaxed);
                let stream = Arc::new(Stream::new(number, mail, answers));
                held.remember(number, &stream);
                if held.session.is_closed() {
                    stream.mail.close();
                }
                let priming = revision.as_str() >= LATEST_LEGACY;
                let reader = Reader::begin(stream, first.ok().flatten(), true, priming);
                busy.goes_on();
                Reply::Events(Events { reader, session, held: Some(Arc::clone(&held)), _call: None })
            }
        }
    }

    /// Answers a GET: the stream of what belongs to no request, or one that broke off.
    pub fn get(&self, asked: &Asked<'_>) -> Reply {
        if (asked.headers)(SESSION).is_none() {
            return Reply::status(405);
        }
        if !(asked.headers)("accept").unwrap_or("*/*").contains("text/event-stream")
            && !(asked.headers)("accept").unwrap_or("*/*").contains("*/*")
        {
            let what = "`Accept` has to name `text/event-stream`";
            return Reply::error(406, &error(INVALID_REQUEST, what, None));
        }
        let held = match self.find(asked) {
            Ok(held) => held,
            Err(reply) => return reply,
        };
        let last = (asked.headers)("last-event-id").and_then(|id| {
            let (stream, number) = id.split_once('.')?;
            Some((stream.parse::<u64>().ok()?, number.parse::<u64>().ok()?))
        });
        let known = last.and_then(|(stream, number)| Some((held.stream(stream)?, number)));
        let reader = if let Some((stream, number)) = known {
            Reader::resume(stream, number)
        } else {
            let stream = held.stream(0).unwrap_or_else(|| {
                let stream = Arc::new(Stream::new(0, held.session.outlet(), 0));
                held.remember(0, &stream);
                stream
            });
            let priming = held.session.caller().revision.as_str() >= LATEST_LEGACY;
            Reader::begin(stream, None, true, priming)
        };
        held.readers.fetch_add(1, Ordering::Relaxed);
        Reply::Events(Events { reader, session: None, held: Some(held), _call: None })
    }

    /// Answers a DELETE: the client has had enough.
    pub fn delete(&self, asked: &Asked<'_>) -> Reply {
        if (asked.headers)(SESSION).is_none() {
            return Reply::status(405);
        }
        let held = match self.find(asked) {
            Ok(held) => held,
            Err(reply) => return reply,
        };
        let id = (asked.headers)(SESSION).unwrap_or_default();
        self.all().remove(id);
        held.end();
        Reply::status(204)
    }

    /// Ends sessions that nobody uses any more, and forgets streams that nobody comes back to.
    pub fn expire(&self) {
        let now = Instant::now();
        let mut over = Vec::new();
        self.all().retain(|_, held| {
            let used = *held.used.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = held.readers.load(Ordering::Relaxed) == 0 && now.duration_since(used) > IDLE;
            if idle {
                over.push(Arc::clone(held));
            } else {
                held.forget(now);
            }
            !idle
        });
        for held in over {
            held.end();
        }
    }

    /// Returns how many sessions there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    fn keep(&self, held: &Arc<Held>) -> Box<str> {
        let id: Box<str> = token().into();
        self.all().insert(id.clone(), Arc::clone(held));
        id
    }

    /// Finds the session that a request names. One of somebody else, or of another face, is none (and is not told from
    /// one that is over).
    fn find(&self, asked: &Asked<'_>) -> Result<Arc<Held>, Reply> {
        let Some(id) = (asked.headers)(SESSION) else {
            return Err(Reply::error(400, &crate::session::no_session()));
        };
        let held = self.all().get(id).cloned();
        let held = held.filter(|held| held.face == asked.face && *held.owner == *asked.owner);
        let Some(held) = held else {
            let what = "there is no such session: begin anew with `initialize`";
            return Err(Reply::error(404, &error(INVALID_REQUEST, what, None)));
        };
        held.touch();
        Ok(held)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
