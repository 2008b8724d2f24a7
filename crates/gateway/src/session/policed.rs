//! Calls of tools before they are passed on: whether the policy lets them, and whether a person has to be asked.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use switchboard_core::mcp::revision::Era;
use switchboard_core::policy::{Denial, Risk, Terms, Verdict, Why};

use super::asking::Asking;
use super::{Request, Session, reply};
use crate::bridge;
use crate::envelope::text;
use crate::generation::Generation;
use crate::object::Object;
use crate::offer::Offer;
use crate::policy::{Changing, Keep, Key, Noted};
use crate::slot::Slot;
use crate::view::Route;

/// What is written down of a call whose tool has become another, and which is passed on all the same.
const CHANGED: &str = "its definition has changed since it was approved";

/// Leave to call a tool, and what is written down of the call.
pub(crate) struct Leave {
    pub(crate) terms: Terms,
    pub(crate) noted: Noted,
    /// Where its result is kept, if it is.
    pub(crate) keep: Option<Keep>,
    /// A person has agreed to the call.
    agreed: bool,
    /// What is kept of the server's results ends, where this may change something.
    _changing: Option<Changing>,
}

impl Leave {
    fn new(terms: Terms, noted: Noted, agreed: bool, generation: &Generation) -> Self {
        let changing = (terms.risk != Risk::Safe).then(|| generation.policed.state.changes());
        Self { terms, noted, keep: None, agreed, _changing: changing }
    }
}

impl Session {
    /// Returns with what leave a request goes on; `Err` where it was answered, or a person is being asked. A call that has
    /// leave already is looked at again, since it may have waited: what is not allowed any more is not sent.
    pub(super) fn admitted(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        offer: Option<&Arc<Offer>>,
        route: &Route,
        leave: Option<Leave>,
    ) -> Result<Option<Leave>, ()> {
        // Who comes back to a call that was set aside had leave for it then.
        if request.method != "tools/call" || bridge::is_aside(self, request, generation) {
            return Ok(leave);
        }
        let Some(policy) = generation.policed.policy() else { return Ok(leave) };
        let called = text(request.params.name);
        let Some(tool) = route.own.as_deref().or(called.as_deref()) else { return Ok(leave) };
        let said = generation.said();
        let name = generation.name.as_str();
        let policed = &generation.policed;
        let (verdict, is_changed) = policed.judge(&policy, &said.server, offer, &self.holder.held, tool);
        let (mut noted, had, agreed) = if let Some(leave) = leave {
            (leave.noted, true, leave.agreed)
        } else {
            let who = Arc::clone(&self.holder.who);
            (Noted::new(Arc::clone(&policy.audit), who, name, tool), false, false)
        };
        if is_changed {
            noted.decided("allow", Some(CHANGED.to_owned()));
        }
        match verdict {
            Verdict::Deny(denial) => {
                Self::denied(request, generation, &denial, &mut noted, "deny");
                Err(())
            }
            Verdict::Ask(terms) if !agreed => {
                noted.decided("ask", is_changed.then(|| CHANGED.to_owned()));
                let ask = Asking { key: self.key(request, name, tool), server: name, tool, terms };
                match self.gateway.pending.take(&ask.key) {
                    Some(true) => return Self::agreed_to(request, generation, &ask, noted).map(Some),
                    Some(false) => {
                        Self::denied(request, generation, &ask.denial(Why::Refused), &mut noted, "ask");
                    }
                    None => self.ask_person(request, generation, route, &ask, noted),
                }
                Err(())
            }
            Verdict::Allow(terms) | Verdict::Ask(terms) if had => {
                Ok(Some(Leave::new(terms, noted, agreed, generation)))
            }
            Verdict::Allow(terms) | Verdict::Ask(terms) => {
                Self::rated(request, generation, (name, tool), terms, &mut noted)?;
                Ok(Some(Leave::new(terms, noted, false, generation)))
            }
        }
    }

    /// Returns with what leave a call goes on that a person has agreed to; `Err` where it is too often made, which is told.
    pub(super) fn agreed_to(
        request: &Request<'_>,
        generation: &Generation,
        ask: &Asking<'_>,
        mut noted: Noted,
    ) -> Result<Leave, ()> {
        Self::rated(request, generation, (ask.server, ask.tool), ask.terms, &mut noted)?;
        Ok(Leave::new(ask.terms, noted, true, generation))
    }

    /// Takes one call of what a tool may be called; only what goes on counts.
    fn rated(
        request: &Request<'_>,
        generation: &Generation,
        (server, tool): (&str, &str),
        terms: Terms,
        noted: &mut Noted,
    ) -> Result<(), ()> {
        generation.policed.rated(terms.rate, server, tool).map_err(|denial| {
            Self::denied(request, generation, &denial, noted, "deny");
        })
    }

    /// Returns the result of a call that was made before, where the policy lets it be given again; where it does and there
    /// is none, it is kept when it comes.
    pub(super) fn known_result(
        &self,
        request: &Request<'_>,
        slot: &Slot,
        route: &Route,
        leave: &mut Leave,
    ) -> Option<Bytes> {
        let ttl = leave.terms.cache_ttl?;
        let params = request.envelope.params.and_then(|params| Object::read(params.get()))?;
        // What goes on, or only begins, has a result of its own.
        if ["task", "requestState", "inputResponses"].iter().any(|name| params.member(name).is_some()) {
            return None;
        }
        let called = text(request.params.name);
        let tool = route.own.as_deref().or(called.as_deref())?;
        let mut of = format!("{:?} {}", slot.key, request.caller.revision);
        // Addresses in it are as this face has them, and for as long as it has.
        if let Some(addresses) = route.public.as_ref().and_then(|public| public.addresses.as_ref()) {
            let _ = write!(of, " {:?} {}", self.face, addresses.version);
        }
        let parts = [&*self.holder.who, &of, tool, params.member("arguments").unwrap_or_default()];
        let key = Key::of(slot.generation.policed.state.now(), parts.map(str::as_bytes));
        let known = self.gateway.results.get(&key);
        if known.is_none() {
            leave.keep = Some(Keep::new(self.gateway.results.clone(), key, ttl));
        }
        known
    }

    pub(super) fn denied(
        request: &Request<'_>,
        generation: &Generation,
        denial: &Denial,
        noted: &mut Noted,
        decision: &'static str,
    ) {
        generation.stats.denied();
        noted.decided(decision, Some(denial.to_string()));
        noted.ended("denied");
        reply(request.id, request.mail, told(denial, request.caller.era).as_bytes());
    }
}

/// Returns a denial as an answer that a model can read.
pub(super) fn told(denial: &Denial, era: Era) -> String {
    let mut result = json!({ "content": [{ "type": "text", "text": denial.to_string() }], "isError": true });
    if era == Era::Modern {
        result["resultType"] = "complete".into();
    }
    result.to_string()
}
