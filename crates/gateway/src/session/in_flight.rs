//! The calls of one client that wait for an answer, by the ids that it gave them.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};

use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use super::{Session, reply_error};
use crate::mailbox::Mailbox;
use crate::trouble::{INVALID_REQUEST, error};
use crate::upstream::Upstream;

/// A call that waits for a server.
#[derive(Clone)]
pub(super) enum InFlight {
    /// The server is still coming up.
    Early(CancellationToken),
    /// A person is asked about it, under this number.
    Asking(CancellationToken, u64),
    /// It has it, under this id.
    At(Weak<Upstream>, u64),
}

impl Session {
    /// Notes a call whose server is not there yet. `None` where the client has a call of this id already, which it is
    /// told (requirement E3).
    pub(super) fn early(&self, id: &RawValue, mail: &Mailbox) -> Option<CancellationToken> {
        let given_up = CancellationToken::new();
        {
            let mut calls = self.calls();
            if calls.contains_key(id.get()) {
                drop(calls);
                reply_error(id, mail, &twice());
                return None;
            }
            calls.insert(id.get().into(), InFlight::Early(given_up.clone()));
        }
        Some(given_up)
    }

    /// A person is asked about a call, under this number. Returns whether the client still waits for it.
    pub(super) fn asks_about(&self, id: &RawValue, given_up: &CancellationToken, number: u64) -> bool {
        let mut calls = self.calls();
        let call = calls.get_mut(id.get()).filter(|_| !given_up.is_cancelled());
        call.map(|call| *call = InFlight::Asking(given_up.clone(), number)).is_some()
    }

    /// A call has its answer. Returns whether the client still waited for one.
    pub(crate) fn done(&self, id: &RawValue) -> bool {
        self.calls().remove(id.get()).is_some()
    }

    /// Notes under which id a call goes on at its server.
    pub(crate) fn goes_on(&self, id: &RawValue, upstream: &Arc<Upstream>, at: u64) {
        self.calls().insert(id.get().into(), InFlight::At(Arc::downgrade(upstream), at));
    }

    /// Returns whether the client still waits for a call.
    pub(crate) fn waits_for(&self, id: &RawValue) -> bool {
        self.calls().contains_key(id.get())
    }

    /// The client gives a call up; it gets no answer from then on. What is not in flight is nothing (requirement R3).
    pub(super) fn cancel(&self, id: &str, reason: Option<&str>) {
        let call = self.calls().remove(id);
        match call {
            None => self.end_stream(id),
            Some(InFlight::Early(given_up)) => given_up.cancel(),
            Some(InFlight::Asking(given_up, number)) => {
                given_up.cancel();
                self.take_back(number, reason, &self.outlet());
            }
            Some(InFlight::At(upstream, id)) => {
                if let Some(upstream) = upstream.upgrade() {
                    upstream.cancel(id, reason);
                }
            }
        }
    }

    /// The client is gone: nobody waits for anything any more.
    pub(super) fn give_up_all(&self) {
        let calls = std::mem::take(&mut *self.calls());
        for (_, call) in calls {
            match call {
                InFlight::Early(given_up) | InFlight::Asking(given_up, _) => {
                    given_up.cancel();
                }
                InFlight::At(upstream, id) => {
                    if let Some(upstream) = upstream.upgrade() {
                        upstream.cancel(id, Some("\"the client is gone\""));
                    }
                }
            }
        }
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, HashMap<Box<str>, InFlight>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the error of an id that is in flight already (requirement E3).
pub(super) fn twice() -> String {
    error(INVALID_REQUEST, "a request with this id is in flight already", None)
}
