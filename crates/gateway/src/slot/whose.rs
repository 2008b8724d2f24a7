//! Whose call it is that something from a server belongs to: it is never guessed.

use std::sync::{Arc, Weak};

use switchboard_core::mcp::revision::Era;

use super::Slot;
use crate::envelope::Envelope;
use crate::mailbox::Mailbox;
use crate::public::{self, About};
use crate::session::{Logs, Session};
use crate::upstream::{Relay, Upstream};

/// Whose call something from a server belongs to.
pub(super) enum Whose {
    /// This one's; of several of one client the newest.
    Call(Call),
    /// It belongs to a task of this session's, no call of which is in flight.
    Task(Weak<Session>),
    /// There is no call that it could belong to.
    Nobodys,
    /// It belongs to a task of somebody who is not there.
    Gone,
    /// It could be one of several clients'.
    Unclear,
}

impl Whose {
    /// Returns the same, where nobody's is nobody's to hear.
    fn known(self) -> Self {
        if matches!(self, Self::Nobodys) { Self::Gone } else { self }
    }
}

/// What has to be known of a call to pass something on that belongs to it.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) session: Weak<Session>,
    pub(super) mail: Arc<Mailbox>,
    pub(super) era: Era,
    pub(super) logs: Logs,
}

impl Slot {
    /// Finds whose call it is that something from the server belongs to; `origin` is its number where that is known.
    ///
    /// What belongs to a task is for whoever began it, and for nobody else: not even its id is told to others.
    pub(super) fn whose(&self, upstream: &Upstream, envelope: &Envelope<'_>, origin: Option<u64>) -> Whose {
        let Some(task) = public::task_of(envelope) else {
            return Self::newest(upstream, &|id, _| origin.is_none_or(|origin| origin == id));
        };
        let Some(gateway) = self.gateway() else { return Whose::Gone };
        let owner = gateway.running.whose(upstream, &task);
        let is_owners = |who: &str| owner.as_ref().is_none_or(|(_, owner)| **owner == *who);
        let begins = |relay: &Relay| matches!(relay.about, About::Call { asks } if asks || relay.caller.era == Era::Modern);
        if let Some(origin) = origin {
            // Of whom it is not known is for whoever may have it by what they asked, or may have all.
            let may = |relay: &Relay| {
                is_owners(&relay.who)
                    && (owner.is_some() || relay.who.is_empty() || begins(relay) || relay.is_about(&task))
            };
            return Self::newest(upstream, &|id, relay| id == origin && may(relay)).known();
        }
        if let Some((session, _)) = &owner
            && session.strong_count() > 0
        {
            gateway.running.heard_of(upstream, &task);
            // Best where its result is waited for, else with whatever else they wait for.
            let own = |relay: &Relay| relay.session.ptr_eq(session);
            for like in
                [&(|relay: &Relay| own(relay) && relay.is_about(&task)) as &dyn Fn(&Relay) -> bool, &own]
            {
                let call = Self::newest(upstream, &|_, relay| like(relay));
                if matches!(call, Whose::Call(_)) {
                    return call;
                }
            }
            // They may have come back, and wait in another session.
            let waits = |relay: &Relay| is_owners(&relay.who) && relay.takes(&task);
            let call = Self::newest(upstream, &|_, relay| waits(relay));
            return if matches!(call, Whose::Call(_)) { call } else { Whose::Task(session.clone()) };
        }
        // Whoever began it is gone, or that was before our time: it is for whoever waits for its result; and what comes
        // before it is known to have begun, for whoever may be about to begin it.
        let waits = |relay: &Relay| is_owners(&relay.who) && relay.takes(&task);
        let call = Self::newest(upstream, &|_, relay| waits(relay));
        if !matches!(call, Whose::Nobodys) || owner.is_some() {
            return call.known();
        }
        Self::newest(upstream, &|_, relay| begins(relay)).known()
    }

    /// Returns the newest of the calls that are like this, where all of them are one client's.
    fn newest(upstream: &Upstream, like: &dyn Fn(u64, &Relay) -> bool) -> Whose {
        upstream.with_relays(|relays| {
            let mut newest: Option<(u64, &Relay)> = None;
            for (id, relay) in relays.filter(|(id, relay)| like(*id, relay)) {
                match &newest {
                    Some((_, other)) if !other.session.ptr_eq(&relay.session) => return Whose::Unclear,
                    Some((other, _)) if *other > id => {}
                    _ => newest = Some((id, relay)),
                }
            }
            newest.map_or(Whose::Nobodys, |(id, relay)| {
                Whose::Call(Call {
                    id,
                    session: relay.session.clone(),
                    mail: Arc::clone(&relay.mail),
                    era: relay.caller.era,
                    logs: relay.logs,
                })
            })
        })
    }
}
