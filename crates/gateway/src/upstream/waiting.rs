//! Somebody who waits for the answer of a server.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Span;

use super::Upstream;
use crate::caller::Caller;
use crate::envelope::{Envelope, splice};
use crate::era::Shape;
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::public::{self, About, Public};
use crate::running::Beginning;
use crate::session::{Leave, Logs, Session, everybody};
use crate::slot::Slot;
use crate::stats::Stats;
use crate::trouble::Trouble;

/// However often a server says that it is at work on a call, nobody waits longer for it, unless its own limit is longer
/// (requirement R2).
pub(crate) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Who waits for an answer.
pub(crate) enum Waiting {
    /// We do.
    Own(oneshot::Sender<Result<Bytes, Trouble>>),
    /// A client does.
    Relay(Box<Relay>),
    /// It is the long request by which a modern server tells what changes; it is asked for again when it ends.
    News(Weak<Slot>),
}

impl Waiting {
    /// Returns when waiting is over; our own questions have a limit where they are asked.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Own(_) | Self::News(_) => None,
            Self::Relay(relay) => Some(relay.due),
        }
    }

    /// Returns how long may be waited.
    pub(super) fn limit(&self) -> Duration {
        match self {
            Self::Own(_) | Self::News(_) => Duration::ZERO,
            Self::Relay(relay) if relay.due >= relay.end() => relay.end() - relay.begun,
            Self::Relay(relay) => relay.limit,
        }
    }

    /// Tells whoever waits that there will be no answer.
    pub(super) fn fail(self, server: &ServerName, trouble: Trouble) {
        match self {
            Self::Own(reply) => drop(reply.send(Err(trouble))),
            Self::Relay(mut relay) => relay.fail(server, &trouble),
            // What the address does not know now it will not know in a moment.
            Self::News(_) if matches!(trouble, Trouble::Status(400 | 404 | 405, _)) => {}
            Self::News(slot) => again(&slot),
        }
    }
}

/// Has a slot listen to its server again.
pub(super) fn again(slot: &Weak<Slot>) {
    if let Some(slot) = slot.upgrade() {
        slot.listen_later();
    }
}

/// A client that waits for the answer to a call.
pub(crate) struct Relay {
    /// Whose call it is.
    pub(crate) session: Weak<Session>,
    /// The holder, as [`Session::group`] has it.
    pub(crate) who: Arc<str>,
    /// Where what belongs to the call goes.
    pub(crate) mail: Arc<Mailbox>,
    /// Its number at the server.
    pub(crate) number: u64,
    /// The id that the client gave the call, as it was written.
    pub(crate) id: Box<RawValue>,
    /// The token by which the client wants to hear of progress, as it was written.
    pub(crate) token: Option<Box<RawValue>>,
    /// Who calls.
    pub(crate) caller: Arc<Caller>,
    /// Which log messages of the call are wanted.
    pub(crate) logs: Logs,
    /// The handle by which the client comes back with what the server asked for, while the call is set aside.
    pub(crate) parked: Option<Box<str>>,
    /// What the call is, where it may be set aside.
    pub(crate) digest: [u8; 32],
    /// What has to be done to an answer that crosses eras.
    pub(crate) shape: Shape,
    /// How long may be waited without a sign of life.
    pub(crate) limit: Duration,
    /// When that is over.
    pub(crate) due: Instant,
    /// What the policy lets the call have, and what is written down of it.
    pub(crate) leave: Option<Leave>,
    /// When it was sent.
    pub(crate) begun: Instant,
    /// Where it is counted.
    pub(crate) stats: Arc<Stats>,
    /// What the call was, where it may have to be sent again: an input was required, and is there now.
    pub(crate) again: Option<Box<crate::bridge::Again>>,
    /// How the answer is told, where it is not told as it is.
    pub(crate) told: Option<Arc<Public>>,
    /// What it is about.
    pub(crate) about: About,
    /// The task that it is about, as the server calls it.
    pub(crate) task: Option<Box<str>>,
    /// The call in the traces: it lasts as long as this.
    pub(crate) span: Span,
}

impl Relay {
    /// Returns a call that nobody waits for.
    pub(super) fn nobody() -> Self {
        let now = Instant::now();
        Self {
            session: Weak::new(),
            who: everybody(),
            mail: Arc::default(),
            number: 0,
            id: RawValue::NULL.to_owned(),
            token: None,
            caller: Caller::unknown(),
            logs: Logs::None,
            parked: None,
            digest: [0; 32],
            shape: Shape::Same,
            limit: Duration::ZERO,
            due: now,
            leave: None,
            begun: now,
            stats: Arc::default(),
            again: None,
            told: None,
            about: About::Else,
            task: None,
            span: Span::none(),
        }
    }

    /// Returns whether it is about this task.
    pub(crate) fn is_about(&self, task: &str) -> bool {
        self.task.as_deref() == Some(task)
    }

    /// Returns whether it waits for what comes of this task.
    pub(crate) fn takes(&self, task: &str) -> bool {
        self.is_about(task) && matches!(self.about, About::Task { takes: true })
    }

    /// The server works on it: the time begins anew, as long as there is any left.
    pub(crate) fn still_alive(&mut self) {
        self.lasts(self.limit);
    }

    /// The server asks something in the middle of it: whoever answers has their time.
    pub(crate) fn asks(&mut self) {
        self.lasts(crate::bridge::ASIDE);
    }

    /// It may last for so long from now on, at least.
    fn lasts(&mut self, time: Duration) {
        self.due = self.due.max(Instant::now() + time).min(self.end());
    }

    /// Returns when waiting is over in any case.
    fn end(&self) -> Instant {
        let hard = self.leave.as_ref().map(|leave| leave.terms.hard_timeout);
        self.begun + hard.unwrap_or_else(|| self.limit.max(LONGEST))
    }

    /// Passes the server's answer on: the bytes that came, under the id that the client knows.
    pub(super) fn answer(mut self: Box<Self>, upstream: &Upstream, envelope: &Envelope<'_>) {
        let is_error = envelope.error.is_some();
        self.stats.answered(self.begun.elapsed(), is_error);
        self.came_to(if is_error { "error" } else { "ok" });
        self.note_task(upstream, envelope);
        let told = self
            .told
            .as_ref()
            .map(|public| public.answer(self.about, self.task.as_deref(), &self.caller, envelope));
        match told {
            None | Some(Ok(None)) => self.shaped(upstream, envelope),
            Some(Err(error)) => self.finish(message::error(self.id.get(), &error)),
            // Only texts were exchanged for texts in it, so that it can be read.
            Some(Ok(Some(told))) => match Envelope::read(&told) {
                Ok(envelope) => self.shaped(upstream, &envelope),
                Err(_) => self.shaped(upstream, envelope),
            },
        }
    }

    /// Notes what the answer says of a task, if anything.
    fn note_task(&self, upstream: &Upstream, envelope: &Envelope<'_>) {
        let (Some(result), false) = (envelope.result, self.about == About::Else) else { return };
        match (self.about, &self.task) {
            (About::Task { takes }, Some(id)) => {
                let Some(gateway) = upstream.gateway() else { return };
                // In the modern era the result of a task is told with how it stands.
                if takes || (upstream.era() == Era::Modern && public::is_over(result.get())) {
                    gateway.running.ended(upstream, id);
                } else {
                    gateway.running.heard_of(upstream, id);
                }
            }
            (About::Call { asks }, _) if asks || upstream.era() == Era::Modern => {
                if memchr::memmem::find(result.get().as_bytes(), b"taskId").is_none() {
                    return;
                }
                let Some(task) = public::begun(self.about, result.get()) else { return };
                let Some(gateway) = upstream.gateway() else { return };
                let token = self.token.as_deref();
                let (who, session) = (Arc::clone(&self.who), &self.session);
                let by = Beginning { slot: upstream.slot(), call: self.number, session, who, token };
                gateway.running.begins(upstream, task, &by);
            }
            _ => {}
        }
    }

    fn shaped(self: Box<Self>, upstream: &Upstream, envelope: &Envelope<'_>) {
        if let Shape::Same = self.shape {
            let place = envelope.id.map(|id| envelope.place(id.get())).unwrap_or_default();
            let bytes = splice(envelope.bytes(), &[(place, self.id.get().as_bytes())]);
            return self.finish(bytes.into());
        }
        crate::bridge::answer(self, upstream, envelope);
    }

    fn came_to(&mut self, outcome: &'static str) {
        self.span.record("outcome", outcome);
        if let Some(leave) = &mut self.leave {
            leave.noted.ended(outcome);
        }
    }

    /// Hands the answer over; nothing comes after it.
    pub(crate) fn finish(&self, bytes: Bytes) {
        if let Some(keep) = self.leave.as_ref().and_then(|leave| leave.keep.as_ref()) {
            keep.answered(&bytes);
        }
        if let Some(session) = self.session.upgrade() {
            session.done(&self.id);
        }
        self.mail.put(Letter { bytes, last: true });
    }

    /// Tells the client that there will be no answer, and why.
    pub(crate) fn fail(&mut self, server: &ServerName, trouble: &Trouble) {
        self.stats.failed();
        self.came_to(trouble.reason());
        self.finish(message::error(self.id.get(), &trouble.error(server)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_lengthen_the_time_but_not_for_ever() {
        const MINUTE: Duration = Duration::from_secs(60);
        for (limit, longest) in [(2 * MINUTE, LONGEST), (5 * LONGEST, 5 * LONGEST)] {
            let mut relay = Relay { limit, due: Instant::now() + limit, ..Relay::nobody() };
            let begun = relay.begun;
            tokio::time::advance(MINUTE).await;
            relay.still_alive();
            assert_eq!(relay.due - begun, (MINUTE + limit).min(longest));
            while Instant::now() < relay.due - MINUTE {
                tokio::time::advance(MINUTE).await;
                relay.still_alive();
            }
            assert_eq!(relay.due - begun, longest);
            assert_eq!(Waiting::Relay(Box::new(relay)).limit(), longest, "what the caller is told");
        }
    }
}
