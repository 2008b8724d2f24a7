//! Questions across eras: what a legacy server asks in the middle of a call, and a modern one by ending it.
//!
//! A modern client cannot be asked: its call is set aside, it is told what is needed, and comes back with it
//! (requirement R8). A legacy client is asked, and the modern server is called again with the answers (R9).

mod aside;

use std::sync::Arc;

use serde_json::json;
use serde_json::value::RawValue;

use crate::envelope::Envelope;
use crate::era::{self, Shape};
use crate::link::Frame;
use crate::message;
use crate::object::{Object, part};
use crate::session::Session;
use crate::trouble::{INTERNAL_ERROR, error};
use crate::upstream::{Relay, Upstream};

pub(crate) use aside::{ASIDE, Aside, digest, is_aside, park, resume};

/// A server may ask so many times before it answers.
const ROUNDS: u32 = 10;

/// The code of a legacy server that needs something opened in a browser first (2025-11-25).
const URL_NEEDED: &str = "-32042";

/// The protocol's code for what the client would have to be able to do (2026-07-28).
const CAPABILITY_MISSING: i32 = -32021;

/// A call as it may have to be sent again.
pub(crate) struct Again {
    method: Box<str>,
    params: String,
    rounds: u32,
}

impl Again {
    /// Returns a call that was sent once.
    pub(crate) fn new(method: &str, params: String) -> Self {
        Self { method: method.into(), params, rounds: 0 }
    }
}

/// Hands over an answer that crosses from one era to the other.
pub(crate) fn answer(mut relay: Box<Relay>, upstream: &Upstream, envelope: &Envelope<'_>) {
    let id = relay.id.get().to_owned();
    match (&relay.shape, envelope.result, envelope.error) {
        (Shape::ToLegacy(_), Some(result), _) if needs_input(result) => {
            let Some(again) = relay.again.take() else { return };
            ask_client(relay, *again, upstream, result);
        }
        (Shape::ToLegacy(method), Some(result), _) => {
            let shaped = era::result_for_legacy(method, result.get());
            relay.finish(message::result(&id, shaped.as_bytes()));
        }
        (Shape::ToModern(_), None, Some(said)) if code(said).as_deref() == Some(URL_NEEDED) => {
            // Whoever cannot open addresses is told that it takes that.
            let can = part(&relay.caller.capabilities, &["elicitation", "url"]).is_some();
            let told = if can {
                message::result(&id, open_first(said).as_bytes())
            } else {
                let needed = json!({ "requiredCapabilities": { "elicitation": { "url": {} } } });
                message::error(
                    &id,
                    &error(CAPABILITY_MISSING, "the client has to be able to open addresses", Some(&needed)),
                )
            };
            relay.finish(told);
        }
        (Shape::ToModern(method), Some(result), _) => {
            let shaped = era::result_for_modern(method, result.get());
            relay.finish(message::result(&id, shaped.as_bytes()));
        }
        (shape, _, said) => {
            let said = said.map_or("{}", RawValue::get);
            relay.finish(message::error(&id, &era::error_for(shape, said)));
        }
    }
}

fn needs_input(result: &RawValue) -> bool {
    Object::read(result.get()).is_some_and(|said| said.member("resultType") == Some("\"input_required\""))
}

fn code(error: &RawValue) -> Option<String> {
    Object::read(error.get())?.member("code").map(str::to_owned)
}

/// Requirement R10: a modern client is told of addresses to open as of any other question.
fn open_first(error: &RawValue) -> String {
    let mut requests = Object::default();
    let said = Object::read(error.get()).unwrap_or_default();
    let data = said.member("data").and_then(Object::read).unwrap_or_default();
    let all: Vec<&RawValue> =
        data.member("elicitations").and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    for (at, one) in all.into_iter().enumerate() {
        let asked = format!(r#"{{"method":"elicitation/create","params":{}}}"#, one.get());
        requests.set(&format!("url{}", at + 1), asked);
    }
    format!(r#"{{"resultType":"input_required","inputRequests":{requests}}}"#)
}

/// Asks a legacy client what a modern server needs, and calls the server again with the answers.
fn ask_client(relay: Box<Relay>, again: Again, upstream: &Upstream, result: &RawValue) {
    let (Some(session), Some(upstream)) = (relay.session.upgrade(), upstream.me().upgrade()) else { return };
    let fail = |code: i32, what: &str| {
        relay.finish(message::error(relay.id.get(), &error(code, what, None)));
    };
    if again.rounds >= ROUNDS {
        return fail(INTERNAL_ERROR, "the server asks again and again");
    }
    let Some(said) = Object::read(result.get()) else { return };
    let state = said.member("requestState").map(str::to_owned);
    let asked = said.member("inputRequests").and_then(Object::read).unwrap_or_default();
    let mut answers = Vec::new();
    for (key, request) in asked.members() {
        let request = Object::read(request).unwrap_or_default();
        let method = request.member("method").and_then(|text| serde_json::from_str::<String>(text).ok());
        let method = method.unwrap_or_default();
        if !session.caller().can(&method) {
            return fail(INTERNAL_ERROR, &format!("the server needs {method:?}, which the client cannot do"));
        }
        let params = era::params_for_legacy(request.member("params"));
        match session.ask(&method, params.as_deref(), &relay.mail) {
            Some((number, answer)) => answers.push((key.to_owned(), number, answer)),
            None => return fail(INTERNAL_ERROR, "too many questions wait for the client"),
        }
    }
    let gateway = Arc::clone(&session.gateway);
    gateway.tasks.spawn(async move {
        let mut responses = Object::default();
        for (key, number, answer) in answers {
            match tokio::time::timeout(relay.limit.max(ASIDE), answer).await {
                Ok(Ok(Ok(result))) => responses.set(&key, result.get()),
                Ok(Ok(Err(said))) => return relay.finish(message::error(relay.id.get(), said.get())),
                Ok(Err(_)) | Err(_) => {
                    session.take_back(number, None, &session.outlet());
                    let what = error(INTERNAL_ERROR, "the client did not answer what the server asked", None);
                    return relay.finish(message::error(relay.id.get(), &what));
                }
            }
        }
        if session.waits_for(&relay.id) {
            call_again(*relay, again, &session, &upstream, &responses, state.as_deref());
        }
    });
}

fn call_again(
    mut relay: Relay,
    again: Again,
    session: &Session,
    upstream: &Arc<Upstream>,
    responses: &Object<'_>,
    state: Option<&str>,
) {
    let id = upstream.new_id();
    let mut params = Object::read(&again.params).unwrap_or_default();
    if !responses.is_empty() {
        params.set("inputResponses", responses.to_string());
    }
    match state {
        Some(state) => params.set("requestState", state),
        None => drop(params.remove("requestState")),
    }
    if relay.token.is_some()
        && let Some(meta) = params.member("_meta").map(str::to_owned)
        && let Some(mut meta) = Object::read(&meta)
    {
        meta.set("progressToken", id.to_string());
        params.set("_meta", meta.to_string());
    }
    let name = ["name", "uri"].into_iter().find_map(|member| params.member(member));
    let name = name.and_then(|name| serde_json::from_str::<String>(name).ok());
    let mut bytes = message::request(&id.to_string(), &again.method, Some(&params.to_string())).to_vec();
    crate::envelope::one_line(&mut bytes);
    let frame = Frame::request(bytes.into(), id, &again.method, name.as_deref());
    session.goes_on(&relay.id, upstream, id);
    relay.still_alive();
    relay.again = Some(Box::new(Again { rounds: again.rounds + 1, ..again }));
    if let Err(refused) = upstream.relay(id, frame, relay) {
        let (mut relay, trouble) = *refused;
        relay.fail(&upstream.server, &trouble);
    }
}
