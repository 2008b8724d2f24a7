//! Who waits for an answer of the server, and until when.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError, Weak};

use tokio::time::Instant;

use super::{Relay, Upstream, Waiting};
use crate::session::Session;
use crate::trouble::Trouble;

impl Upstream {
    /// Does something with a client's call, if it still waits.
    pub(crate) fn with_relay<T>(&self, id: u64, change: impl FnOnce(&mut Relay) -> T) -> Option<T> {
        match self.calls().get_mut(&id) {
            Some(Waiting::Relay(relay)) => Some(change(relay)),
            _ => None,
        }
    }

    /// Returns how many calls wait for it. The long request for news is none: it waits for as long as it is there.
    pub(crate) fn in_flight(&self) -> usize {
        self.calls().values().filter(|waiting| !matches!(waiting, Waiting::News(_))).count()
    }

    /// Takes no calls from now on, if none waits for it, and says whether that is so. A call that comes in this very moment
    /// is either waited for or refused unsent, and never lost.
    pub(crate) fn lets_go(&self) -> bool {
        let calls = self.calls();
        let is_idle = calls.values().all(|waiting| matches!(waiting, Waiting::News(_)))
            && self.at_hand.load(Ordering::Acquire) == 0
            && self.tasks() == 0;
        self.let_go.fetch_or(is_idle, Ordering::Relaxed);
        is_idle
    }

    /// Gives a call up: nobody waits for it any more, and the server is told, with the reason (JSON) where there is one.
    /// Returns whether it was still waited for.
    pub(crate) fn cancel(&self, id: u64, reason: Option<&str>) -> bool {
        let waited = self.take(id).is_some();
        if waited {
            self.tell_cancelled(id, reason);
        }
        waited
    }

    /// Ends every call that waits, with this trouble.
    pub(crate) fn fail_all(&self, trouble: &Trouble) {
        let calls = std::mem::take(&mut *self.calls());
        for (_, waiting) in calls {
            waiting.fail(&self.server, trouble.clone());
        }
    }

    /// Ends one call with this trouble, if it still waits.
    pub(crate) fn fail(&self, id: u64, trouble: Trouble) {
        if let Some(waiting) = self.take(id) {
            waiting.fail(&self.server, trouble);
        }
    }

    /// Returns whether anybody waits for the answer to a call.
    pub(crate) fn waits(&self, id: u64) -> bool {
        self.calls().contains_key(&id)
    }

    /// Ends the calls that have waited too long by now, and says whether others still wait.
    pub(crate) fn expire(&self, now: Instant) -> bool {
        let mut late = Vec::new();
        let waits = {
            let mut calls = self.calls();
            let ids: Vec<u64> = calls
                .iter()
                .filter(|(_, waiting)| waiting.due().is_some_and(|due| due <= now))
                .map(|(id, _)| *id)
                .collect();
            late.extend(ids.into_iter().filter_map(|id| Some((id, calls.remove(&id)?))));
            !calls.is_empty()
        };
        for (id, waiting) in late {
            self.tell_cancelled(id, Some("\"timeout\""));
            let limit = waiting.limit();
            waiting.fail(&self.server, Trouble::Timeout(limit));
        }
        waits
    }

    /// Does something with the calls of clients that are in flight.
    pub(crate) fn with_relays<T>(
        &self,
        look: impl FnOnce(&mut dyn Iterator<Item = (u64, &Relay)>) -> T,
    ) -> T {
        let calls = self.calls();
        let mut relays = calls.iter().filter_map(|(id, waiting)| match waiting {
            Waiting::Relay(relay) => Some((*id, &**relay)),
            Waiting::Own(_) | Waiting::News(_) => None,
        });
        look(&mut relays)
    }

    /// The server asks this client something: its calls here have the time that the answer takes.
    pub(crate) fn asks(&self, session: &Weak<Session>) {
        for waiting in self.calls().values_mut() {
            if let Waiting::Relay(relay) = waiting
                && relay.session.ptr_eq(session)
            {
                relay.asks();
            }
        }
    }

    pub(super) fn take(&self, id: u64) -> Option<Waiting> {
        self.calls().remove(&id)
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
