//! Stateless messages (2026-07-28): each says everything of itself.

use std::sync::Arc;

use bytes::Bytes;

use super::super::stream::{Reader, Stream};
use super::super::validate::{self, Headers};
use super::{Asked, Events, Reply, SOON};
use crate::envelope::{Envelope, Kind, Params, text};
use crate::gateway::Gateway;
use crate::mailbox::Mailbox;
use crate::message;
use crate::offer::Sort;
use crate::session::{Received, Session};
use crate::trouble::{INVALID_REQUEST, METHOD_NOT_FOUND, error};

/// Methods that the stateless revisions do not have any more (2026-07-28, changelog).
const REMOVED: [&str; 9] = [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "tasks/result",
    "tasks/list",
    "notifications/initialized",
    "notifications/roots/list_changed",
];

/// Answers a stateless message: everything that it needs stands in it, and nothing is kept.
pub(super) async fn answer(
    gateway: &Gateway,
    asked: Asked<'_>,
    envelope: &Envelope<'_>,
    body: &Bytes,
) -> Reply {
    let id = envelope.id.map_or("null", |id| id.get());
    let refuse = |status: u16, error: &str| Reply::Whole {
        status,
        body: Some(message::error(id, error)),
        session: None,
    };
    let method = envelope.method.as_deref().unwrap_or_default();
    if REMOVED.contains(&method) {
        let what = format!("{method:?} is not part of this revision");
        return refuse(404, &error(METHOD_NOT_FOUND, &what, None));
    }
    let headers: Headers<'_> = &|name| (asked.headers)(name);
    if let Some(error) = validate::mismatch(envelope, headers) {
        return refuse(400, &error);
    }
    let Some(session) = gateway.session_of(asked.face.clone(), asked.root.clone(), asked.holder.clone())
    else {
        return refuse(503, &error(INVALID_REQUEST, "there are too many conversations", None));
    };
    let params = Params::read(envelope.params);
    let meta = params.meta();
    let missing = match (meta.revision.is_some(), meta.capabilities.is_some()) {
        (false, _) => Some("protocolVersion"),
        (true, false) => Some("clientCapabilities"),
        (true, true) => None,
    };
    if let Some(missing) = missing.filter(|_| envelope.kind == Kind::Request) {
        let what = format!("`_meta` has no `io.modelcontextprotocol/{missing}`");
        return refuse(400, &error(crate::trouble::INVALID_PARAMS, &what, None));
    }
    if method == "tools/call"
        && let Some(name) = text(params.name)
        && let Some(error) = validate::parameters(envelope.params, session.schema(&name).as_deref(), headers)
    {
        return refuse(400, &error);
    }
    let mail = Arc::new(Mailbox::default());
    match session.receive(body, &mail, &asked.extra) {
        Received::Told => return Reply::status(202),
        Received::Refused(_) => {
            let body = mail.take().map(|letter| letter.bytes);
            return Reply::Whole { status: 400, body, session: None };
        }
        Received::Asks(_) => {}
    }
    match tokio::time::timeout(SOON, mail.next()).await {
        Ok(Some(letter)) if letter.last => {
            Reply::Whole { status: status(&letter.bytes), body: Some(letter.bytes), session: None }
        }
        Ok(None) => refuse(500, &error(crate::trouble::INTERNAL_ERROR, "there is no answer", None)),
        first => {
            let stream = Arc::new(Stream::new(0, mail, 1));
            let reader = Reader::begin(stream, first.ok().flatten(), false, false);
            Reply::Events(Events { reader, session: None, held: None, _call: Some(session) })
        }
    }
}

/// Returns the status that goes with an answer to a stateless request (2026-07-28, basic/transports).
fn status(answer: &[u8]) -> u16 {
    #[derive(serde::Deserialize)]
    struct Code {
        code: i64,
    }
    // Answers are large and errors are not: only what may be one is read.
    if answer.len() > 64 << 10 || memchr::memmem::find(answer, b"\"error\"").is_none() {
        return 200;
    }
    let code = Envelope::read(answer).ok().and_then(|envelope| {
        serde_json::from_str::<Code>(envelope.error?.get()).ok().map(|error| error.code)
    });
    match code {
        Some(-32022..=-32020) => 400,
        Some(code) if code == i64::from(METHOD_NOT_FOUND) => 404,
        _ => 200,
    }
}

impl Session {
    /// Returns the schema of the arguments of a tool that this session sees.
    fn schema(&self, name: &str) -> Option<String> {
        let caller = self.caller();
        let view = self.view(&caller);
        let route = view.route(Sort::Tools, name)?;
        let (_, offer) = view.servers.get(route.server)?;
        let own = route.own.as_deref().unwrap_or(name);
        let item = offer.as_ref()?.of(Sort::Tools).iter().find(|item| item.key == own)?;
        memchr::memmem::find(&item.raw, b"x-mcp-header")?;
        let object = crate::object::Object::read(std::str::from_utf8(&item.raw).ok()?)?;
        object.member("inputSchema").map(str::to_owned)
    }
}
