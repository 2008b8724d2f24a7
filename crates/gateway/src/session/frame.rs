//! A request as the server gets it.

use serde_json::value::RawValue;
use switchboard_core::mcp::revision::Era;

use super::Request;
use crate::bridge;
use crate::envelope::{Envelope, Params, splice, text};
use crate::era::{self, Shape};
use crate::link::{Call, Frame};
use crate::message;
use crate::public::Tasks;
use crate::upstream::Upstream;
use crate::view::Route;

/// Returns the request as the server gets it.
///
/// Within one era it is the bytes that came, with our id, our token and what the server itself calls a thing in their
/// places.
pub(super) fn frame(
    request: &Request<'_>,
    upstream: &Upstream,
    id: u64,
    route: &Route,
    level: Option<&'static str>,
) -> (Frame, Shape, Option<Box<bridge::Again>>) {
    let envelope = request.envelope;
    let id_text = id.to_string();
    let own = route.own.as_ref().map(|own| serde_json::Value::from(own.as_str()).to_string());
    let mut edits: Vec<(std::ops::Range<usize>, &[u8])> = Vec::with_capacity(3);
    edits.push((envelope.place(request.id.get()), id_text.as_bytes()));
    let named = match request.method {
        "tools/call" | "prompts/get" => request.params.name,
        "resources/read" => request.params.uri,
        _ => request.params.task,
    };
    // Only the first three are repeated in a header (2026-07-28).
    let called = match request.method {
        method if method.starts_with("resources/") => request.params.uri,
        "completion/complete" => referred(request.params),
        _ => named,
    };
    if let (Some(own), Some(called)) = (&own, called) {
        edits.push((envelope.place(called.get()), own.as_bytes()));
    }
    if let Some(token) = request.meta.token {
        edits.push((envelope.place(token.get()), id_text.as_bytes()));
    }
    edits.sort_by_key(|(place, _)| place.start);
    let mut bytes = splice(envelope.bytes(), &edits);
    if let Some(public) = route.public.as_ref().filter(|public| public.tasks != Tasks::None)
        && let Some(restored) = public.ids().restored(&bytes)
    {
        bytes = restored;
    }
    let name = route.own.clone().or_else(|| text(named).map(std::borrow::Cow::into_owned));
    let call = Call {
        id,
        method: request.method.into(),
        name: name.map(Into::into),
        headers: request.extra.headers.clone(),
    };
    let (bytes, shape, again) = cross(request, upstream, &id_text, bytes, level);
    let mut bytes = bytes;
    crate::envelope::one_line(&mut bytes);
    (Frame { bytes: bytes.into(), call: Some(call) }, shape, again)
}

/// Returns the name or the address of what a completion is for.
fn referred<'m>(params: &Params<'m>) -> Option<&'m RawValue> {
    let read = Params::read(params.reference);
    read.name.filter(|name| name.get() != "null").or(read.uri)
}

/// Has a request cross from one era to the other, where it has to.
fn cross(
    request: &Request<'_>,
    upstream: &Upstream,
    id: &str,
    bytes: Vec<u8>,
    level: Option<&'static str>,
) -> (Vec<u8>, Shape, Option<Box<bridge::Again>>) {
    if upstream.era() == request.caller.era {
        let shape = Shape::Same;
        return (bytes, shape, None);
    }
    let spliced =
        Envelope::read(&bytes).ok().and_then(|envelope| envelope.params.map(|raw| raw.get().to_owned()));
    let method = request.method;
    match upstream.era() {
        Era::Modern => {
            let params = era::params_for_modern(spliced.as_deref(), &request.caller, level);
            let made = message::request(id, method, Some(&params)).to_vec();
            let again = bridge::Again::new(method, params);
            (made, Shape::ToLegacy(method.into()), Some(Box::new(again)))
        }
        Era::Legacy => {
            let params = era::params_for_legacy(spliced.as_deref());
            let made = message::request(id, method, params.as_deref()).to_vec();
            (made, Shape::ToModern(method.into()), None)
        }
    }
}
