//! Requests that are for a server: which one, and on their way.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use switchboard_core::mcp::revision::Era;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use tracing::field::Empty;

use super::frame::frame;
use super::in_flight::{InFlight, twice};
use super::kept::Kept;
use super::news::Logs;
use super::policed::Leave;
use super::target::target;
use super::{Request, Session, reply, reply_error};
use crate::bridge;
use crate::caller::Caller;
use crate::envelope::{Envelope, text};
use crate::era::Shape;
use crate::generation::Generation;
use crate::offer::Offer;
use crate::public::About;
use crate::running::Anothers;
use crate::slot::Slot;
use crate::trouble::{INVALID_PARAMS, Trouble, error};
use crate::upstream::{LONGEST, Relay, Upstream};
use crate::view::{Route, View};

/// A call may take so long without a sign of life, where the server's owner says nothing else.
const LIMIT: Duration = Duration::from_secs(600);

/// A call that comes before it is known what servers offer waits so long for that.
const UNKNOWN: Duration = Duration::from_secs(30);

impl Session {
    /// Passes a request on to the server that it is for.
    pub(super) fn pass_on(self: &Arc<Self>, request: &Request<'_>) {
        self.pass_on_with(request, None);
    }

    /// Passes a request on that may have leave already: from a version of the server that has gone before it was sent.
    fn pass_on_with(self: &Arc<Self>, request: &Request<'_>, leave: Option<Leave>) {
        if self.takes_word(request) {
            let kept = Kept::without(request, &["requestState", "inputResponses"]);
            return kept.read(|request| self.pass_on_with(request, leave));
        }
        let view = self.view(&request.caller);
        match self.target(&view, request) {
            Ok(route) => {
                let Some((generation, offer)) = view.servers.get(route.server) else { return };
                // What a tool is has to be known before it is judged.
                if offer.is_none() && request.method == "tools/call" && generation.policed.holds() {
                    return self.pass_on_later(request, leave, Arc::clone(&view));
                }
                self.dispatch(request, generation, offer.as_ref(), &route, leave);
            }
            Err(missing) if !view.is_known() => {
                if self.may_have(&view, request).is_empty() {
                    return reply_error(request.id, request.mail, &missing);
                }
                self.pass_on_later(request, leave, view);
            }
            Err(missing) => reply_error(request.id, request.mail, &missing),
        }
    }

    /// It is not known yet what all servers offer, so that it cannot be said that nobody has what is asked for, nor what
    /// it is.
    fn pass_on_later(self: &Arc<Self>, request: &Request<'_>, leave: Option<Leave>, view: Arc<View>) {
        let Some(given_up) = self.early(request.id, request.mail) else { return };
        let (session, kept) = (Arc::clone(self), Kept::of(request));
        self.gateway.tasks.spawn(async move {
            let mut unknown = Vec::new();
            kept.read(|request| unknown = session.may_have(&view, request));
            let troubles = unknown.iter().map(|one| {
                let slot = one.slot(&session.gateway, &kept.caller, session.id, session.root.as_ref());
                async move {
                    let patience = limit(one).min(UNKNOWN);
                    let came = tokio::time::timeout(patience, slot.wanted()).await;
                    came.unwrap_or(Err(Trouble::Timeout(patience))).err()
                }
            });
            let troubles = join_all(troubles).await;
            if given_up.is_cancelled() {
                return;
            }
            kept.read(|request| {
                if !session.done(request.id) {
                    return;
                }
                let view = session.view(&kept.caller);
                match session.target(&view, request) {
                    Ok(route) => {
                        let Some((generation, offer)) = view.servers.get(route.server) else { return };
                        session.dispatch(request, generation, offer.as_ref(), &route, leave);
                    }
                    // Where there is but one that could have had it, that is what is the matter.
                    Err(missing) => match (unknown.as_slice(), troubles.as_slice()) {
                        ([one], [Some(trouble)]) => {
                            reply_error(request.id, request.mail, &trouble.error(&one.name));
                        }
                        _ => reply_error(request.id, request.mail, &missing),
                    },
                }
            });
        });
    }

    fn target(&self, view: &View, request: &Request<'_>) -> Result<Route, String> {
        target(view, request.caller.era, self.marker.as_ref(), request.method, request.params)
    }

    /// Returns the connection that a request is for: the one that has the task which it is about, even if that is of a
    /// version about to go; else the caller's usual one.
    fn slot_for(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        route: &Route,
        usual: &Arc<Slot>,
    ) -> Result<Arc<Slot>, Anothers> {
        let Some(id) = own_task(request, route) else { return Ok(Arc::clone(usual)) };
        let has_it = self.gateway.running.slot(&generation.name, &id, self, usual)?;
        Ok(has_it.filter(|slot| slot.ready().is_some()).unwrap_or_else(|| Arc::clone(usual)))
    }

    /// Sends a request to its server, once it may be and once the server is there.
    pub(super) fn dispatch(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        offer: Option<&Arc<Offer>>,
        route: &Route,
        leave: Option<Leave>,
    ) {
        let Ok(mut leave) = self.admitted(request, generation, offer, route, leave) else { return };
        let usual = generation.slot(&self.gateway, &request.caller, self.id, self.root.as_ref());
        let Ok(slot) = self.slot_for(request, generation, route, &usual) else {
            let what = format!("there is no task {:?}", text(request.params.task).unwrap_or_default());
            return reply_error(request.id, request.mail, &error(INVALID_PARAMS, &what, None));
        };
        if let Some(leave) = &mut leave
            && let Some(result) = self.known_result(request, &slot, route, leave)
        {
            leave.noted.ended("cached");
            generation.stats.cached();
            return reply(request.id, request.mail, &result);
        }
        // What else comes from a connection that has its task is not for it.
        if Arc::ptr_eq(&slot, &usual) {
            slot.enter(self);
        }
        if let Some(upstream) = slot.ready() {
            return self.send(request, leave, &slot, &upstream, route, None);
        }
        let Some(given_up) = self.early(request.id, request.mail) else {
            return ended(&mut leave, "refused");
        };
        let (session, kept, route) = (Arc::clone(self), Kept::of(request), route.clone());
        let coming = slot.comes();
        self.gateway.tasks.spawn(async move {
            session.send_when_ready(&slot, &kept, &route, &given_up, leave).await;
            drop(coming);
        });
    }

    async fn send_when_ready(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        kept: &Kept,
        route: &Route,
        given_up: &CancellationToken,
        mut leave: Option<Leave>,
    ) {
        let limit = limit(&slot.generation);
        // Coming up is part of the time that a call has; it goes on for the next.
        let upstream =
            tokio::time::timeout_at(kept.begun + limit, slot.wanted()).await.unwrap_or_else(|_| {
                Err(Trouble::Down(format!("it did not come up within {} ms", limit.as_millis())))
            });
        if given_up.is_cancelled() {
            return;
        }
        kept.read(|request| match upstream {
            // What the tool is, and what the policy says of it, may be something else than before it was waited for.
            Ok(_) if request.method == "tools/call" && slot.generation.policed.holds() => {
                if self.done(request.id) {
                    let view = self.view(&kept.caller);
                    let offer = offer_of(&view, &slot.generation);
                    self.dispatch(request, &slot.generation, offer, route, leave);
                }
            }
            Ok(upstream) => self.send(request, leave, slot, &upstream, route, Some(given_up)),
            Err(Trouble::Gone) if self.is_replaced(&slot.generation, &kept.caller) => {
                // It was never sent, and the version that took over has to answer it.
                self.done(request.id);
                self.pass_on_with(request, leave);
            }
            Err(trouble) => {
                slot.generation.stats.failed();
                ended(&mut leave, trouble.reason());
                self.done(request.id);
                reply_error(request.id, request.mail, &trouble.error(&slot.generation.name));
            }
        });
    }

    /// Returns whether another version of a server is in service by now.
    fn is_replaced(&self, generation: &Arc<Generation>, caller: &Caller) -> bool {
        let view = self.view(caller);
        let other = |one: &Arc<Generation>| one.name == generation.name && !Arc::ptr_eq(one, generation);
        view.servers.iter().any(|(one, _)| other(one))
    }

    /// Sends a request to a server that is there.
    fn send(
        self: &Arc<Self>,
        request: &Request<'_>,
        mut leave: Option<Leave>,
        slot: &Arc<Slot>,
        upstream: &Arc<Upstream>,
        route: &Route,
        early: Option<&CancellationToken>,
    ) {
        let generation = &slot.generation;
        // Who comes back to a call that was set aside has leave for that one, and for none that would be sent.
        if request.params.state.is_some()
            && request.caller.era == Era::Modern
            && (upstream.era() == Era::Legacy || bridge::is_aside(self, request, generation))
        {
            self.done(request.id);
            return bridge::resume(self, request, generation);
        }
        let id = upstream.new_id();
        {
            let mut calls = self.calls();
            let key = request.id.get();
            let full = calls.len() >= super::MOST_CALLS;
            match calls.get_mut(key) {
                Some(call) if early.is_some_and(|given_up| !given_up.is_cancelled()) => {
                    *call = InFlight::At(Arc::downgrade(upstream), id);
                }
                Some(_) => {
                    drop(calls);
                    ended(&mut leave, "refused");
                    return reply_error(request.id, request.mail, &twice());
                }
                None if early.is_some() => return,
                None if full => {
                    drop(calls);
                    ended(&mut leave, Trouble::Busy.reason());
                    return reply_error(request.id, request.mail, &Trouble::Busy.error(&generation.name));
                }
                None => drop(calls.insert(key.into(), InFlight::At(Arc::downgrade(upstream), id))),
            }
        }
        let (frame, shape, again) = frame(request, upstream, id, route, self.level());
        let asks_task = request.params.asks_task.is_some();
        let now = Instant::now();
        // Whatever a call waited for before counts, too; but not against what the policy gives the call itself.
        let (limit, due) = match &leave {
            Some(leave) => (leave.terms.timeout, now + leave.terms.timeout.min(leave.terms.hard_timeout)),
            // What comes of a task is waited for as long as the task takes.
            None if request.method == "tasks/result" => {
                let limit = limit(generation).max(LONGEST);
                (limit, request.begun + limit)
            }
            None => (limit(generation), request.begun + limit(generation)),
        };
        let relay = Relay {
            session: Arc::downgrade(self),
            who: self.group(),
            mail: Arc::clone(request.mail),
            number: id,
            id: request.id.to_owned(),
            token: request.meta.token.map(ToOwned::to_owned),
            caller: Arc::clone(&request.caller),
            parked: None,
            digest: match shape {
                Shape::ToModern(_) => bridge::digest(request.method, request.envelope.params),
                _ => [0; 32],
            },
            logs: Logs::of(request),
            shape,
            limit,
            due,
            begun: now,
            leave,
            stats: Arc::clone(&generation.stats),
            again,
            told: route.public.clone(),
            about: About::of(request.method, asks_task),
            task: own_task(request, route).map(|id| id.as_ref().into()),
            span: span(request, generation),
        };
        if let Err(refused) = upstream.relay(id, frame, relay) {
            let (mut relay, trouble) = *refused;
            if trouble == Trouble::Gone && (!slot.is_gone() || self.is_replaced(generation, &request.caller))
            {
                // It was not sent. The version that took over has to answer it; or the server was about to be stopped
                // because nobody used it, and is started again.
                self.done(request.id);
                return self.pass_on_with(request, relay.leave.take());
            }
            relay.fail(&generation.name, &trouble);
        }
    }

    /// Passes on a notification that is not ours: to the only server that there is.
    pub(super) fn pass_notification(self: &Arc<Self>, envelope: &Envelope<'_>) {
        let caller = self.caller();
        let view = self.view(&caller);
        let [(generation, _)] = view.servers.as_slice() else { return };
        let slot = generation.slot(&self.gateway, &caller, self.id, self.root.as_ref());
        let shared_roots = envelope.method.as_deref() == Some("notifications/roots/list_changed");
        if shared_roots && slot.key.session.is_none() {
            return;
        }
        if let Some(upstream) = slot.ready() {
            upstream.tell(Bytes::copy_from_slice(envelope.bytes()));
        }
    }
}

/// Returns what a server offers, as a view has it.
pub(super) fn offer_of<'v>(view: &'v View, generation: &Arc<Generation>) -> Option<&'v Arc<Offer>> {
    let (_, offer) = view.servers.iter().find(|(one, _)| Arc::ptr_eq(one, generation))?;
    offer.as_ref()
}

/// Returns the task that a request is about, as the server calls it.
fn own_task<'r>(request: &'r Request<'_>, route: &'r Route) -> Option<Cow<'r, str>> {
    if !request.method.starts_with("tasks/") {
        return None;
    }
    route.own.as_deref().map(Cow::Borrowed).or_else(|| text(request.params.task))
}

/// Notes what came of a call that is not sent.
fn ended(leave: &mut Option<Leave>, outcome: &'static str) {
    if let Some(leave) = leave {
        leave.noted.ended(outcome);
    }
}

/// Returns how long a call of a server may take.
fn limit(generation: &Generation) -> Duration {
    generation.said().server.timeout.unwrap_or(LIMIT)
}

/// Returns the span of a call, as OpenTelemetry names its parts; nothing where nobody traces. Neither arguments nor answers
/// are among them.
fn span(request: &Request<'_>, generation: &Generation) -> Span {
    tracing::debug_span!(
        "call",
        server = %generation.name,
        "mcp.method.name" = request.method,
        "gen_ai.tool.name" = text(request.params.name).as_deref(),
        traceparent = text(request.meta.traceparent).as_deref(),
        outcome = Empty,
    )
}
