//! Calls that somebody has to agree to: asked by the client, or waiting for a word.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::mcp::revision::Era;
use switchboard_core::policy::{Denial, Terms, Why};

use super::calls::offer_of;
use super::kept::Kept;
use super::policed::told;
use super::{Request, Session, reply};
use crate::envelope::text;
use crate::generation::Generation;
use crate::object::Object;
use crate::policy::{Key, Noted, What};
use crate::view::Route;

/// The name under which a stateless client answers whether its user agrees.
const APPROVE: &str = "approve";

/// How long a person may take to agree.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Objects in objects further down than this are taken as they are written.
const DEEPEST: usize = 16;

/// So much of the arguments a person is shown.
const SHOWN: usize = 600;

impl Session {
    /// Returns what stands for a call that somebody has to agree to.
    pub(super) fn key(&self, request: &Request<'_>, server: &str, tool: &str) -> Key {
        // However a client writes them the next time.
        let arguments = settled(&arguments(request));
        Key::of(0, [&*self.holder.who, server, tool, &arguments].map(str::as_bytes))
    }

    /// A stateless client comes back with what its user said to a call that waits. Returns whether it does.
    pub(super) fn takes_word(&self, request: &Request<'_>) -> bool {
        let Some(handle) = text(request.params.state).filter(|_| request.method == "tools/call") else {
            return false;
        };
        let Some(number) = self.gateway.pending.by_handle(&handle) else { return false };
        let params =
            request.envelope.params.and_then(|params| Object::read(params.get())).unwrap_or_default();
        let said = params.member("inputResponses").and_then(Object::read).unwrap_or_default();
        // Who comes back without a word is asked again.
        if let Some(answer) = said.member(APPROVE) {
            self.gateway.pending.say(number, agrees(answer));
        }
        true
    }

    /// Has somebody asked whether a call may go on: by the client, which does it once they agree; or else the call waits
    /// for a word, and the client is told so.
    pub(super) fn ask_person(
        self: &Arc<Self>,
        request: &Request<'_>,
        generation: &Arc<Generation>,
        route: &Route,
        ask: &Asking<'_>,
        mut noted: Noted,
    ) {
        let params = json!({
            "message": question(request, ask),
            "requestedSchema": { "type": "object", "properties": {} },
        });
        let can = request.caller.can("elicitation/create");
        if !can || request.caller.era == Era::Modern {
            return self.has_to_wait(request, generation, ask, noted, can.then_some(&params));
        }
        // First, so that nobody is asked about what is not a call.
        let Some(given_up) = self.early(request.id, request.mail) else { return noted.ended("refused") };
        let Some((number, asked)) = self.ask("elicitation/create", Some(&params.to_string()), request.mail)
        else {
            self.done(request.id);
            return self.has_to_wait(request, generation, ask, noted, None);
        };
        if !self.asks_about(request.id, &given_up, number) {
            // It was given up in this moment, and nobody is to be asked about it.
            return self.take_back(number, None, &self.outlet());
        }
        let (key, terms, refused) = (ask.key, ask.terms, ask.denial(Why::Refused));
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
                if !session.done(request.id) || given_up.is_cancelled() {
                    return;
                }
                match agreed {
                    Some(true) => {
                        let view = session.view(&request.caller);
                        let offer = offer_of(&view, &generation);
                        let Denial { server, tool, .. } = &refused;
                        let ask = Asking { key, server, tool, terms };
                        let Ok(leave) = Self::agreed_to(request, &generation, &ask, noted) else { return };
                        session.dispatch(request, &generation, offer, &route, Some(leave));
                    }
                    Some(false) => Self::denied(request, &generation, &refused, &mut noted, "ask"),
                    None => {
                        let Denial { server, tool, .. } = &refused;
                        let ask = Asking { key, server, tool, terms };
                        session.has_to_wait(request, &generation, &ask, noted, None);
                    }
                }
            });
        });
    }

    /// A call waits for somebody to agree. A stateless client that can ask its user, by these `params`, is told what to ask;
    /// every other one how the user agrees.
    fn has_to_wait(
        &self,
        request: &Request<'_>,
        generation: &Generation,
        ask: &Asking<'_>,
        mut noted: Noted,
        params: Option<&Value>,
    ) {
        let what = || What {
            who: Arc::clone(&self.holder.who),
            server: ask.server.to_owned(),
            tool: ask.tool.to_owned(),
            risk: ask.terms.risk,
            arguments: shown(request),
        };
        let (number, handle) = self.gateway.pending.wait(ask.key, what);
        let denial = ask.denial(Why::Waits(number));
        noted.decided("ask", Some(denial.to_string()));
        noted.ended("pending");
        let Some(params) = params else {
            generation.stats.denied();
            return reply(request.id, request.mail, told(&denial, request.caller.era).as_bytes());
        };
        let asked = json!({
            "resultType": "input_required",
            "inputRequests": { APPROVE: { "method": "elicitation/create", "params": params } },
            "requestState": handle,
        });
        reply(request.id, request.mail, asked.to_string().as_bytes());
    }
}

/// A call that somebody has to agree to.
pub(super) struct Asking<'a> {
    pub(super) key: Key,
    pub(super) server: &'a str,
    pub(super) tool: &'a str,
    pub(super) terms: Terms,
}

impl Asking<'_> {
    pub(super) fn denial(&self, why: Why) -> Denial {
        Denial { server: self.server.to_owned(), tool: self.tool.to_owned(), why }
    }
}

/// Returns a text that is the same for whatever says the same in JSON: without blanks between its parts, and members in the
/// order of their names. What a reader could take for something else is left as it is written.
fn settled(json: &str) -> String {
    fn write(json: &str, depth: usize, out: &mut String) {
        let json = json.trim();
        let object = json.starts_with('{').then(|| Object::read(json)).flatten();
        if let Some(object) = object.filter(|_| depth < DEEPEST) {
            let mut members: Vec<_> = object.members().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            if members.windows(2).all(|pair| pair[0].0 != pair[1].0) {
                out.push('{');
                for (name, value) in members {
                    out.push_str(&Value::from(name).to_string());
                    out.push(':');
                    write(value, depth + 1, out);
                    out.push(',');
                }
                return out.push('}');
            }
        }
        out.push_str(json);
    }
    let mut out = String::with_capacity(json.len());
    write(json, 0, &mut out);
    out
}

/// Returns the arguments of a call, as they are written.
fn arguments(request: &Request<'_>) -> String {
    let params = request.envelope.params.and_then(|params| Object::read(params.get())).unwrap_or_default();
    params.member("arguments").unwrap_or("{}").to_owned()
}

/// Returns the arguments of a call as a person is shown them: with nothing that hides, and as many as one reads.
fn shown(request: &Request<'_>) -> String {
    let mut arguments = arguments(request);
    let mut more = String::new();
    if arguments.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|end| arguments.is_char_boundary(*end)).unwrap_or(0);
        more = format!(".. and {} bytes more that are not shown", arguments.len() - end);
        arguments.truncate(end);
    }
    visible(&arguments) + &more
}

/// Returns what a person is asked.
fn question(request: &Request<'_>, ask: &Asking<'_>) -> String {
    let Asking { server, tool, terms, .. } = ask;
    format!("Call `{}` of `{server}` (risk: {}) with {}?", visible(tool), terms.risk, shown(request))
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
