//! Calls of tools before they are passed on: whether the policy lets them, and whether a person has to be asked.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use switchboard_core::mcp::revision::Era;
use switchboard_core::policy::{Denial, Terms, Verdict, Why};

use super::{Request, Session, reply};
use crate::envelope::{Envelope, Params, text};
use crate::generation::Generation;
use crate::policy::Noted;
use crate::view::Route;

/// How long a person may take to agree.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// So much of the arguments a person is shown.
const SHOWN: usize = 600;

/// Leave to call a tool, and what is written down of the call.
#[derive(Clone)]
pub(crate) struct Leave {
    pub(crate) terms: Terms,
    noted: Arc<Mutex<Option<Noted>>>,
}

impl Leave {
    fn new(terms: Terms, noted: Noted) -> Self {
        Self { terms, noted: Arc::new(Mutex::new(Some(noted))) }
    }

    /// Takes what is written down of the call, which ends with whoever has it.
    pub(crate) fn noted(&self) -> Option<Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives it back: the call was not sent after all.
    pub(crate) fn give_back(&self, noted: Option<Noted>) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = noted;
    }
}

impl Session {
    /// Returns whether a request may go on, and with what leave; `Err` where it was answered, or a person is being asked.
    pub(super) fn admitted(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        route: &Route,
    ) -> Result<Option<Leave>, ()> {
        if request.method != "tools/call" {
            return Ok(None);
        }
        if request.leave.is_some() {
            return Ok(request.leave.clone());
        }
        let Some(policy) = self.gateway.policy() else { return Ok(None) };
        let called = text(request.params.name);
        let Some(tool) = route.own.as_deref().or(called.as_deref()) else { return Ok(None) };
        let said = generation.said();
        let offer = generation.any_offer();
        let (server, name) = (&said.server, generation.name.as_str());
        let now = self.gateway.sweep.now();
        let verdict = generation.policed.judge(&policy, server, offer.as_ref(), &self.holder.held, tool, now);
        let mut noted = Noted::new(Arc::clone(&policy.audit), Arc::clone(&self.holder.who), name, tool);
        match verdict {
            Verdict::Allow(terms) => Ok(Some(Leave::new(terms, noted))),
            Verdict::Deny(denial) => {
                Self::denied(request, &denial, &mut noted, "deny");
                Err(())
            }
            Verdict::Ask(terms) => {
                noted.decided("ask", None);
                self.ask_person(request, generation, route, terms, noted, (name, tool));
                Err(())
            }
        }
    }

    fn denied(request: &Request<'_>, denial: &Denial, noted: &mut Noted, decision: &'static str) {
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
        let can = request.caller.era == Era::Legacy && request.caller.can("elicitation/create");
        let params = json!({
            "message": question(request, server, tool, terms),
            "requestedSchema": { "type": "object", "properties": {} },
        });
        let asked =
            can.then(|| self.ask("elicitation/create", Some(&params.to_string()), request.mail)).flatten();
        let Some(asked) = asked else {
            return Self::denied(request, &denial(Why::NobodyToAsk), &mut noted, "ask");
        };
        let Some(given_up) = self.early(request.id, request.mail) else { return };
        let (refused, unheard) = (denial(Why::Refused), denial(Why::NobodyToAsk));
        let (session, mail, caller) =
            (Arc::clone(self), Arc::clone(request.mail), Arc::clone(&request.caller));
        let (bytes, extra) = (Bytes::copy_from_slice(request.envelope.bytes()), request.extra.clone());
        let (generation, route) = (Arc::clone(generation), route.clone());
        self.gateway.tasks.spawn(async move {
            let answered = tokio::time::timeout(PATIENCE, asked).await;
            if given_up.load(Ordering::Relaxed) {
                return;
            }
            let Ok(envelope) = Envelope::read(&bytes) else { return };
            let (Some(id), Some(method)) = (envelope.id, envelope.method.as_deref()) else { return };
            session.done(id);
            let params = Params::read(envelope.params);
            let meta = params.meta();
            let mut request = Request {
                id,
                method,
                envelope: &envelope,
                params: &params,
                meta: &meta,
                mail: &mail,
                extra: &extra,
                caller,
                // The person's time is not the server's.
                begun: tokio::time::Instant::now(),
                leave: None,
            };
            match answered
                .ok()
                .and_then(Result::ok)
                .map(|answer| answer.ok().map(|answer| agrees(answer.get())))
            {
                Some(Some(true)) => {
                    request.leave = Some(Leave::new(terms, noted));
                    session.dispatch(&request, &generation, &route);
                }
                Some(Some(false)) => Self::denied(&request, &refused, &mut noted, "ask"),
                Some(None) | None => Self::denied(&request, &unheard, &mut noted, "ask"),
            }
        });
    }
}

/// Returns what a person is asked.
fn question(request: &Request<'_>, server: &str, tool: &str, terms: Terms) -> String {
    let arguments = request
        .envelope
        .params
        .and_then(|params| crate::object::Object::read(params.get())?.member("arguments").map(str::to_owned));
    let mut arguments = arguments.unwrap_or_else(|| "{}".to_owned());
    if arguments.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| arguments.is_char_boundary(*end)).unwrap_or(0);
        arguments.truncate(end);
        arguments.push('…');
    }
    let (tool, arguments) = (tool.escape_debug(), arguments.replace(char::is_control, " "));
    format!("Call `{tool}` of `{server}` (risk: {}) with {arguments}?", terms.risk)
}

fn agrees(answer: &str) -> bool {
    crate::object::Object::read(answer)
        .and_then(|answer| answer.member("action").map(|is| is == "\"accept\""))
        == Some(true)
}

fn told(denial: &Denial, era: Era) -> String {
    let mut result = json!({ "content": [{ "type": "text", "text": denial.to_string() }], "isError": true });
    if era == Era::Modern {
        result["resultType"] = "complete".into();
    }
    result.to_string()
}
