//! Calls of tools before they are passed on: whether the policy lets them, and whether a person has to be asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use switchboard_core::mcp::revision::Era;
use switchboard_core::policy::{Denial, Risk, Terms, Verdict, Why};

use super::kept::Kept;
use super::{Request, Session, reply};
use crate::bridge;
use crate::envelope::text;
use crate::generation::Generation;
use crate::object::Object;
use crate::offer::Offer;
use crate::policy::{Changing, Keep, Key, Noted};
use crate::slot::Slot;
use crate::view::Route;

/// How long a person may take to agree.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What is written down of a call whose tool has become another, and which is passed on all the same.
const CHANGED: &str = "its definition has changed since it was approved";

/// So much of the arguments a person is shown.
const SHOWN: usize = 600;

/// Leave to call a tool, and what is written down of the call.
pub(crate) struct Leave {
    pub(crate) terms: Terms,
    pub(crate) noted: Noted,
    /// Where its result is kept, if it is.
    pub(crate) keep: Option<Keep>,
    /// What is kept of the server's results ends, where this may change something.
    _changing: Option<Changing>,
}

impl Leave {
    fn new(terms: Terms, noted: Noted, generation: &Generation) -> Self {
        let changing = (terms.risk != Risk::Safe).then(|| generation.policed.state.changes());
        Self { terms, noted, keep: None, _changing: changing }
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
        if request.method != "tools/call" || bridge::is_aside(&self.gateway, request) {
            return Ok(leave);
        }
        let Some(policy) = generation.policed.policy() else { return Ok(leave) };
        let called = text(request.params.name);
        let Some(tool) = route.own.as_deref().or(called.as_deref()) else { return Ok(leave) };
        let said = generation.said();
        let name = generation.name.as_str();
        let policed = &generation.policed;
        let (mut verdict, is_changed) = policed.judge(&policy, &said.server, offer, &self.holder.held, tool);
        if leave.is_none() {
            verdict = policed.rated(verdict, name, tool, self.gateway.sweep.now());
        }
        let (leave, had) = match leave {
            Some(leave) => (leave.noted, true),
            None => (Noted::new(Arc::clone(&policy.audit), Arc::clone(&self.holder.who), name, tool), false),
        };
        let mut noted = leave;
        if is_changed {
            noted.decided("allow", Some(CHANGED.to_owned()));
        }
        match verdict {
            Verdict::Deny(denial) => {
                Self::denied(request, generation, &denial, &mut noted, "deny");
                Err(())
            }
            Verdict::Ask(terms) if !had => {
                noted.decided("ask", is_changed.then(|| CHANGED.to_owned()));
                self.ask_person(request, generation, route, terms, noted, (name, tool));
                Err(())
            }
            Verdict::Allow(terms) | Verdict::Ask(terms) => Ok(Some(Leave::new(terms, noted, generation))),
        }
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
        let of = format!("{:?} {}", slot.key, request.caller.revision);
        let parts = [&*self.holder.who, &of, tool, params.member("arguments").unwrap_or_default()];
        let key = Key::of(slot.generation.policed.state.now(), parts.map(str::as_bytes));
        let known = self.gateway.results.get(&key);
        if known.is_none() {
            leave.keep = Some(Keep::new(self.gateway.results.clone(), key, ttl));
        }
        known
    }

    fn denied(
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

    /// Has the client ask the person whether a call may go on, which it does once they agree.
    fn ask_person(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        route: &Route,
        terms: Terms,
        mut noted: Noted,
        (server, tool): (&str, &str),
    ) {
        let denial = |why| Denial { server: server.to_owned(), tool: tool.to_owned(), why };
        // First, so that nobody is asked about what is not a call.
        let Some(given_up) = self.early(request.id, request.mail) else { return noted.ended("refused") };
        let can = request.caller.era == Era::Legacy && request.caller.can("elicitation/create");
        let params = json!({
            "message": question(request, server, tool, terms),
            "requestedSchema": { "type": "object", "properties": {} },
        });
        let ask = || self.ask("elicitation/create", Some(&params.to_string()), request.mail);
        let Some((number, asked)) = can.then(ask).flatten() else {
            self.done(request.id);
            return Self::denied(request, generation, &denial(Why::NobodyToAsk), &mut noted, "ask");
        };
        self.asks_about(request.id, &given_up, number);
        let (refused, unheard) = (denial(Why::Refused), denial(Why::NobodyToAsk));
        let (session, mut kept) = (Arc::clone(self), Kept::of(request));
        let (generation, route) = (Arc::clone(generation), route.clone());
        self.gateway.tasks.spawn(async move {
            let answered = tokio::time::timeout(PATIENCE, asked).await;
            if answered.is_err() {
                session.take_back(number, None, &session.outlet());
            }
            let agreed = match answered {
                Ok(Ok(Ok(answer))) => Some(agrees(answer.get())),
                _ => None,
            };
            // The person's time is not the server's.
            kept.begun = tokio::time::Instant::now();
            kept.read(|request| {
                // Who has given the call up has no answer, whatever was said meanwhile.
                if !session.done(request.id) || given_up.load(Ordering::Relaxed) {
                    return;
                }
                let denial = match agreed {
                    Some(true) => {
                        let view = session.view(&request.caller);
                        let is_it =
                            |one: &&(Arc<Generation>, Option<Arc<Offer>>)| Arc::ptr_eq(&one.0, &generation);
                        let offer = view.servers.iter().find(is_it).and_then(|(_, offer)| offer.as_ref());
                        let leave = Some(Leave::new(terms, noted, &generation));
                        return session.dispatch(request, &generation, offer, &route, leave);
                    }
                    Some(false) => refused,
                    None => unheard,
                };
                Self::denied(request, &generation, &denial, &mut noted, "ask");
            });
        });
    }
}

/// Returns what a person is asked.
fn question(request: &Request<'_>, server: &str, tool: &str, terms: Terms) -> String {
    let arguments = request
        .envelope
        .params
        .and_then(|params| Object::read(params.get())?.member("arguments").map(str::to_owned));
    let mut arguments = arguments.unwrap_or_else(|| "{}".to_owned());
    let mut more = String::new();
    if arguments.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| arguments.is_char_boundary(*end)).unwrap_or(0);
        more = format!(".. and {} bytes more that are not shown", arguments.len() - end);
        arguments.truncate(end);
    }
    let (tool, arguments) = (visible(tool), visible(&arguments));
    format!("Call `{tool}` of `{server}` (risk: {}) with {arguments}{more}?", terms.risk)
}

/// Returns a text in which nothing hides: what cannot be seen, or turns the order of what is read, is spelt out.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_plain = !letter.is_control() && (letter.is_ascii() || letter.escape_debug().len() == 1);
        if is_plain { out.push(letter) } else { out.extend(letter.escape_debug()) }
    }
    out
}

fn agrees(answer: &str) -> bool {
    Object::read(answer).and_then(|answer| answer.member("action").map(|is| is == "\"accept\"")) == Some(true)
}

fn told(denial: &Denial, era: Era) -> String {
    let mut result = json!({ "content": [{ "type": "text", "text": denial.to_string() }], "isError": true });
    if era == Era::Modern {
        result["resultType"] = "complete".into();
    }
    result.to_string()
}
