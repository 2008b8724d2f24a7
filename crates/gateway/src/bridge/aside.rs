//! Calls of stateless clients that are set aside, while their clients find out what the server asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;
use tokio::time::Instant;

use crate::envelope::{Envelope, splice, text};
use crate::generation::Generation;
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::object::Object;
use crate::session::{Request, Session, reply, reply_error};
use crate::trouble::{INVALID_PARAMS, error};
use crate::upstream::Upstream;

/// So many calls may be set aside at once.
const MOST: usize = 4096;

/// A call is set aside for so long.
pub(crate) const ASIDE: Duration = Duration::from_secs(300);

/// The calls that are set aside, by the handles that their clients hold.
#[derive(Default)]
pub(crate) struct Aside(Mutex<HashMap<Box<str>, Parked>>);

/// A call that is set aside.
struct Parked {
    upstream: Weak<Upstream>,
    call: u64,
    server: ServerName,
    /// Whose call it is: nobody else can come back to it (requirement R8).
    who: Arc<str>,
    /// What was called: the client has to come back with the same.
    digest: [u8; 32],
    /// The server's questions: the key that the client answers under, the server's id, and the question.
    questions: Vec<(String, Box<RawValue>, String)>,
    until: Instant,
    /// What the server sends meanwhile.
    mail: Arc<Mailbox>,
}

impl Aside {
    fn take(&self, handle: &str) -> Option<Parked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(handle)
    }

    fn has(&self, handle: &str, is_it: impl FnOnce(&Parked) -> bool) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(handle).is_some_and(is_it)
    }

    fn put(&self, handle: Box<str>, parked: Parked) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, parked| parked.until > now);
        let room = all.len() < MOST;
        if room {
            all.insert(handle, parked);
        }
        room
    }

    fn add(&self, handle: &str, question: (String, Box<RawValue>, String)) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(handle).map(|parked| parked.questions.push(question)).is_some()
    }
}

/// Sets a modern client's call aside because the server asks something in the middle of it. `false` where the client
/// cannot answer that.
pub(crate) fn park(upstream: &Upstream, call: u64, envelope: &Envelope<'_>) -> bool {
    let (Some(id), Some(method)) = (envelope.id, envelope.method.as_deref()) else { return false };
    let Some(gateway) = upstream.gateway() else { return false };
    let request = match envelope.params {
        Some(params) => {
            format!(r#"{{"method":{},"params":{}}}"#, serde_json::Value::from(method), params.get())
        }
        None => format!(r#"{{"method":{}}}"#, serde_json::Value::from(method)),
    };
    let handle: Box<str> = crate::gateway::token().into();
    let parked_mail = Arc::new(Mailbox::default());
    let set_aside = upstream.with_relay(call, |relay| {
        if !relay.caller.can(method) {
            return None;
        }
        if let Some(before) = relay.parked.clone() {
            return Some((Some(before), None));
        }
        let mail = std::mem::replace(&mut relay.mail, Arc::clone(&parked_mail));
        relay.parked = Some(handle.clone());
        relay.due = Instant::now() + ASIDE;
        Some((
            None,
            Some((mail, relay.id.clone(), relay.session.clone(), (Arc::clone(&relay.who), relay.digest))),
        ))
    });
    match set_aside.flatten() {
        Some((Some(before), _)) => {
            // One question more, before the client has come back: it is asked in the next round.
            gateway.aside.add(&before, (format!("q{}", id.get()), id.to_owned(), request))
        }
        Some((None, Some((mail, client, session, (who, digest))))) => {
            let key = "q1".to_owned();
            let result = input_required(&[(key.as_str(), request.as_str())], &handle);
            let parked = Parked {
                upstream: upstream.me(),
                call,
                server: upstream.server.clone(),
                who,
                digest,
                questions: vec![(key, id.to_owned(), request)],
                until: Instant::now() + ASIDE,
                mail: Arc::clone(&parked_mail),
            };
            if !gateway.aside.put(handle, parked) {
                // Too many are set aside: the call goes on as it was, without the question.
                upstream.with_relay(call, |relay| {
                    relay.mail = Arc::clone(&mail);
                    relay.parked = None;
                    relay.still_alive();
                });
                // What came meanwhile, be it the answer itself.
                while let Some(letter) = parked_mail.take() {
                    mail.put(letter);
                }
                return false;
            }
            if let Some(session) = session.upgrade() {
                session.done(&client);
            }
            mail.put(Letter { bytes: message::result(client.get(), result.as_bytes()), last: true });
            true
        }
        None | Some((None, None)) => false,
    }
}

fn input_required(questions: &[(&str, &str)], handle: &str) -> String {
    let mut requests = Object::default();
    for (key, request) in questions {
        requests.set(key, *request);
    }
    format!(r#"{{"resultType":"input_required","inputRequests":{requests},"requestState":"{handle}"}}"#)
}

/// What a call is, so that a client can come back to no other one.
pub(crate) fn digest(method: &str, params: Option<&RawValue>) -> [u8; 32] {
    let object = params.and_then(|params| Object::read(params.get())).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(method.as_bytes());
    for name in ["name", "uri", "arguments"] {
        let value = object.member(name).unwrap_or_default();
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value.as_bytes());
    }
    hash.finalize().into()
}

/// Returns whether a request comes back to this very call of this server's, which was set aside.
pub(crate) fn is_aside(session: &Session, request: &Request<'_>, generation: &Generation) -> bool {
    let (gateway, who) = (&session.gateway, session.group());
    let is_it = |parked: &Parked| {
        parked.server == generation.name
            && parked.who == who
            && parked.until > Instant::now()
            && parked.digest == digest(request.method, request.envelope.params)
    };
    request.caller.era == Era::Modern
        && text(request.params.state).is_some_and(|handle| gateway.aside.has(&handle, is_it))
}

/// A modern client comes back to a call that was set aside, with what the server asked for.
pub(crate) fn resume(session: &Arc<Session>, request: &Request<'_>, generation: &Generation) {
    let refuse = || {
        let what = "`requestState` is unknown, of another call, or too old";
        reply_error(request.id, request.mail, &error(INVALID_PARAMS, what, None));
    };
    let Some(handle) = text(request.params.state) else { return refuse() };
    let Some(parked) = session.gateway.aside.take(&handle) else { return refuse() };
    let same = parked.server == generation.name
        && parked.who == session.group()
        && parked.digest == digest(request.method, request.envelope.params);
    if !same || parked.until <= Instant::now() {
        if let Some(upstream) = parked.upstream.upgrade().filter(|_| same) {
            upstream.cancel(parked.call, None);
        } else if !same {
            // Whoever tried with another call does not take this one from its client.
            session.gateway.aside.put(handle.as_ref().into(), parked);
        }
        return refuse();
    }
    let Some(upstream) = parked.upstream.upgrade() else {
        let trouble = crate::trouble::Trouble::Lost("its connection was closed".to_owned());
        return reply_error(request.id, request.mail, &trouble.error(&generation.name));
    };
    let params = request.envelope.params.and_then(|params| Object::read(params.get())).unwrap_or_default();
    let responses = params.member("inputResponses").and_then(Object::read).unwrap_or_default();
    let (answered, missing): (Vec<_>, Vec<_>) =
        parked.questions.into_iter().partition(|(key, ..)| responses.member(key).is_some());
    // Only once the client waits again: what the server asks next belongs to the call as it is then.
    let tell = || {
        for (key, id, _) in &answered {
            let result = responses.member(key).unwrap_or("{}");
            let mut bytes = message::result(id.get(), result.as_bytes()).to_vec();
            crate::envelope::one_line(&mut bytes);
            upstream.tell(bytes.into());
        }
    };
    if !missing.is_empty() {
        let asked: Vec<(&str, &str)> =
            missing.iter().map(|(key, _, question)| (key.as_str(), question.as_str())).collect();
        let fresh: Box<str> = crate::gateway::token().into();
        let result = input_required(&asked, &fresh);
        let known = upstream.with_relay(parked.call, |relay| relay.parked = Some(fresh.clone()));
        let parked = Parked { questions: missing, until: Instant::now() + ASIDE, ..parked };
        if known.is_some() && session.gateway.aside.put(fresh, parked) {
            tell();
            return reply(request.id, request.mail, result.as_bytes());
        }
        return refuse();
    }
    let mail = Arc::clone(request.mail);
    session.goes_on(request.id, &upstream, parked.call);
    let goes_on = upstream.with_relay(parked.call, |relay| {
        relay.parked = None;
        relay.id = request.id.to_owned();
        relay.token = request.meta.token.map(ToOwned::to_owned);
        relay.session = Arc::downgrade(session);
        relay.mail = Arc::clone(&mail);
        relay.still_alive();
        // What came meanwhile comes first.
        while let Some(letter) = parked.mail.take() {
            mail.put(letter);
        }
    });
    tell();
    if goes_on.is_none() {
        session.done(request.id);
        // It was answered while it was set aside, under the id that the call had then.
        while let Some(letter) = parked.mail.take() {
            mail.put(under(letter, request.id));
        }
    }
}

/// Returns an answer under another id.
fn under(letter: Letter, id: &RawValue) -> Letter {
    if !letter.last {
        return letter;
    }
    let spliced = Envelope::read(&letter.bytes).ok().and_then(|envelope| {
        let place = envelope.place(envelope.id?.get());
        Some(splice(&letter.bytes, &[(place, id.get().as_bytes())]))
    });
    match spliced {
        Some(bytes) => Letter { bytes: bytes.into(), ..letter },
        None => letter,
    }
}
