//! A request by itself: its bytes, and all that came with them, for what cannot be done at once.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Extra, Request};
use crate::caller::Caller;
use crate::envelope::{Envelope, Params};
use crate::mailbox::Mailbox;
use crate::message;
use crate::object::Object;

/// A request that outlives the message that it came in.
pub(super) struct Kept {
    bytes: Bytes,
    mail: Arc<Mailbox>,
    extra: Extra,
    pub(super) caller: Arc<Caller>,
    pub(super) begun: Instant,
}

impl Kept {
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self::with(request, Bytes::copy_from_slice(request.envelope.bytes()))
    }

    fn with(request: &Request<'_>, bytes: Bytes) -> Self {
        Self {
            bytes,
            mail: Arc::clone(request.mail),
            extra: request.extra.clone(),
            caller: Arc::clone(&request.caller),
            begun: request.begun,
        }
    }

    /// Returns the request without these members of its `params`.
    pub(super) fn without(request: &Request<'_>, members: &[&str]) -> Self {
        let params = request.envelope.params.and_then(|params| Object::read(params.get()));
        let mut params = params.unwrap_or_default();
        for member in members {
            params.remove(member);
        }
        let bytes = message::request(request.id.get(), request.method, Some(&params.to_string()));
        Self::with(request, bytes)
    }

    /// Reads it again. It was read before, so that it can be.
    pub(super) fn read(&self, then: impl FnOnce(&Request<'_>)) {
        let Ok(envelope) = Envelope::read(&self.bytes) else { return };
        let (Some(id), Some(method)) = (envelope.id, envelope.method.as_deref()) else { return };
        let params = Params::read(envelope.params);
        let meta = params.meta();
        then(&Request {
            id,
            method,
            envelope: &envelope,
            params: &params,
            meta: &meta,
            mail: &self.mail,
            extra: &self.extra,
            caller: Arc::clone(&self.caller),
            begun: self.begun,
        });
    }
}
