//! What the gateway answers by itself: the handshake, what is offered, and what concerns the conversation alone.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use switchboard_core::mcp::revision::{Era, LATEST, MODERN, settled};

use super::{Request, Session, reply, reply_error};
use crate::caller::Caller;
use crate::envelope::text;
use crate::object::Object;
use crate::offer::Sort;
use crate::trouble::{INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Trouble, error};
use crate::view::View;

/// The protocol's code for a revision that is not spoken (2026-07-28).
const UNSUPPORTED_REVISION: i32 = -32022;

/// A handshake waits so long for servers that are still coming up; what they offer is told when it is known
/// (requirement L1).
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A handshake with one server alone waits longer: what the server can do cannot be told later, and a client that starts it
/// by itself would wait, too.
const GRACE_ALONE: Duration = Duration::from_secs(10);

/// A list of one server waits so long, because many clients never look again.
const PATIENCE: Duration = Duration::from_secs(30);

impl Session {
    /// Answers a request that is the gateway's to answer; `false` where it is not.
    pub(super) fn answer_here(self: &Arc<Self>, request: &Request<'_>) -> bool {
        let modern = request.caller.era == Era::Modern;
        match request.method {
            "initialize" if !modern => self.initialize(request),
            "ping" if !modern => reply(request.id, request.mail, b"{}"),
            "server/discover" => self.discover(request),
            // Nothing says of a task that is listed whose it is.
            "tasks/list" if self.marker.is_some() => {
                let what = "whoever may not do everything has no list of tasks";
                reply_error(request.id, request.mail, &error(METHOD_NOT_FOUND, what, None));
            }
            "tasks/list" if !modern && self.face.is_joint() => self.list_tasks(request),
            "subscriptions/listen" if modern => self.subscribe_all(request),
            "subscriptions/listen" => {
                let what = "it is not part of this revision";
                reply_error(request.id, request.mail, &error(METHOD_NOT_FOUND, what, None));
            }
            "logging/setLevel" if !modern => self.set_level(request),
            "resources/subscribe" | "resources/unsubscribe" if !modern => self.subscribe(request),
            method => match Sort::listed_by(method) {
                Some(sort) => self.list(request, sort),
                None => return self.call_own(request),
            },
        }
        true
    }

    fn initialize(self: &Arc<Self>, request: &Request<'_>) {
        let params = request.envelope.params.map_or("{}", |params| params.get());
        let said = Object::read(params).unwrap_or_default();
        let read = |name: &str| said.member(name).and_then(|text| serde_json::from_str(text).ok());
        let asked = said.member("protocolVersion").and_then(|text| serde_json::from_str::<String>(text).ok());
        let revision = settled(asked.as_deref().unwrap_or_default());
        let caller = Caller::new(revision, read("capabilities"), read("clientInfo"));
        let caller = Arc::new(Caller { info: caller.info.or(Some("{}".into())), ..caller });
        self.caller.store(Arc::clone(&caller));
        let view = self.view(&caller);
        self.begin(&view, &caller);
        if view.is_known() {
            return self.greet(request.id, request.mail, &view, &caller);
        }
        let (session, mail, id) = (Arc::clone(self), Arc::clone(request.mail), request.id.to_owned());
        self.answer_later(async move {
            let grace = if session.face.is_joint() { GRACE } else { GRACE_ALONE };
            let failed = session.known(&caller, grace).await;
            let view = session.view(&caller);
            // One server that cannot come up is no server: the client shows it as that, with the reason.
            if let (Some(trouble), false, [(generation, None)]) =
                (failed, session.face.is_joint(), view.servers.as_slice())
            {
                return reply_error(&id, &mail, &trouble.error(&generation.name));
            }
            session.greet(&id, &mail, &view, &caller);
        });
    }

    fn greet(
        &self,
        id: &serde_json::value::RawValue,
        mail: &crate::mailbox::Mailbox,
        view: &View,
        caller: &Caller,
    ) {
        let joined = &view.joined;
        let instructions =
            joined.instructions.as_ref().map(|text| format!(r#","instructions":{text}"#)).unwrap_or_default();
        let capabilities = match self.marker {
            None => Cow::Borrowed(joined.legacy.as_str()),
            Some(_) => Cow::Owned(without_lists_of_tasks(&joined.legacy)),
        };
        let result = format!(
            r#"{{"protocolVersion":"{}","capabilities":{capabilities},"serverInfo":{}{instructions}}}"#,
            caller.revision, joined.info
        );
        self.remember(view);
        reply(id, mail, result.as_bytes());
    }

    fn discover(self: &Arc<Self>, request: &Request<'_>) {
        if request.caller.era != Era::Modern {
            // A question before the handshake, from somebody who does not say in which revision: a stateless one must.
            let what = "`_meta` has no `io.modelcontextprotocol/protocolVersion`";
            return reply_error(request.id, request.mail, &error(INVALID_PARAMS, what, None));
        }
        let view = self.view(&request.caller);
        if view.is_known() {
            return reply(request.id, request.mail, discovered(&view).as_bytes());
        }
        let (session, mail, id) = (Arc::clone(self), Arc::clone(request.mail), request.id.to_owned());
        let caller = Arc::clone(&request.caller);
        self.answer_later(async move {
            session.known(&caller, GRACE).await;
            reply(&id, &mail, discovered(&session.view(&caller)).as_bytes());
        });
    }

    fn list(self: &Arc<Self>, request: &Request<'_>, sort: Sort) {
        if let Some(error) = foreign_cursor(request) {
            return reply_error(request.id, request.mail, &error);
        }
        let view = self.view(&request.caller);
        if view.is_known() {
            return self.list_of(request.id, request.mail, &view, &request.caller, sort);
        }
        let patience = if self.face.is_joint() { GRACE } else { patience(&view) };
        let (session, mail, id) = (Arc::clone(self), Arc::clone(request.mail), request.id.to_owned());
        let caller = Arc::clone(&request.caller);
        self.answer_later(async move {
            let failed = session.known(&caller, patience).await;
            let view = session.view(&caller);
            // What is not known is no empty list: the client would believe that for good (requirement R11).
            if let (false, [(generation, None)]) = (session.face.is_joint(), view.servers.as_slice()) {
                let trouble = failed.unwrap_or(Trouble::Timeout(patience));
                return reply_error(&id, &mail, &trouble.error(&generation.name));
            }
            session.list_of(&id, &mail, &view, &caller, sort);
        });
    }

    fn list_of(
        &self,
        id: &serde_json::value::RawValue,
        mail: &crate::mailbox::Mailbox,
        view: &View,
        caller: &Caller,
        sort: Sort,
    ) {
        self.remember_one(view, sort);
        if let Some(own) = self.list_with_own(view, sort, caller.era) {
            return reply(id, mail, &own);
        }
        reply(id, mail, &view.list(sort, caller.era));
    }

    fn set_level(self: &Arc<Self>, request: &Request<'_>) {
        let Some(level) = text(request.params.level).and_then(|word| super::Level::parse(&word)) else {
            let what = "there is no such level of logging";
            return reply_error(request.id, request.mail, &error(INVALID_PARAMS, what, None));
        };
        self.level.store(level as u8, Ordering::Relaxed);
        self.levels_changed();
        reply(request.id, request.mail, b"{}");
    }

    /// The client is ready to be told things.
    pub(super) fn listen(self: &Arc<Self>) {
        self.listens.store(true, Ordering::Relaxed);
        self.gateway.enter(self);
        // What changed between the handshake and now is news.
        self.look_for_news();
    }

    /// Has a conversation come to its servers: those that have to find out what they offer to callers like this do so now.
    fn begin(self: &Arc<Self>, view: &View, caller: &Caller) {
        for (generation, _) in &view.servers {
            let slot = generation.slot(&self.gateway, caller, self.id, self.root.as_ref());
            slot.enter(self);
            if slot.own_offer().is_none() && (!self.face.is_joint() || generation.any_offer().is_none()) {
                slot.tell(switchboard_core::upstream::Event::Wanted);
            }
        }
    }
}

/// Returns how long a list of one server waits: no longer than its owner has calls wait.
fn patience(view: &View) -> Duration {
    let said = view.servers.first().and_then(|(generation, _)| generation.said().server.timeout);
    said.map_or(PATIENCE, |timeout| timeout.min(PATIENCE))
}

/// Returns the error for a request that goes on where no list of ours ends: there is one page, so that no cursor is ours.
pub(super) fn foreign_cursor(request: &Request<'_>) -> Option<String> {
    let cursor = request.params.cursor.filter(|cursor| cursor.get() != "null");
    cursor.map(|_| error(INVALID_PARAMS, "this cursor is none of ours: lists have one page", None))
}

/// Returns capabilities without the listing of tasks.
fn without_lists_of_tasks(capabilities: &str) -> String {
    let without = || {
        let mut all = Object::read(capabilities)?;
        let mut tasks = Object::read(all.member("tasks")?)?;
        let had = tasks.remove("list");
        let tasks = tasks.to_string();
        all.set("tasks", tasks);
        had.then(|| all.to_string())
    };
    without().unwrap_or_else(|| capabilities.to_owned())
}

/// Returns the result of `server/discover`.
fn discovered(view: &View) -> String {
    let joined = &view.joined;
    let instructions =
        joined.instructions.as_ref().map(|text| format!(r#","instructions":{text}"#)).unwrap_or_default();
    format!(
        r#"{{"supportedVersions":{},"capabilities":{}{instructions},"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{{"io.modelcontextprotocol/serverInfo":{}}}}}"#,
        json!(MODERN),
        joined.modern,
        joined.info
    )
}

/// Returns the error for a stateless message in a revision that is not spoken.
pub(super) fn unsupported(revision: &str) -> String {
    // The stateless revisions, as `server/discover` tells them: the official suite holds the two to be the same.
    let data = json!({ "supported": MODERN, "requested": revision });
    error(
        UNSUPPORTED_REVISION,
        &format!("revision {revision:?} is not spoken; the newest is {LATEST}"),
        Some(&data),
    )
}

/// The error of a request that needs a session and has none.
pub(crate) fn no_session() -> String {
    error(INVALID_REQUEST, "there is no session: begin with `initialize`", None)
}
