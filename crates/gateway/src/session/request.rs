//! A request as it came, and how it is answered.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Extra;
use crate::caller::Caller;
use crate::envelope::{Envelope, Meta, Params, has_twin};
use crate::mailbox::{Letter, Mailbox};
use crate::message;

/// A request as it came, and everything that was read out of it.
pub(crate) struct Request<'r> {
    pub(crate) id: &'r RawValue,
    pub(crate) method: &'r str,
    pub(crate) envelope: &'r Envelope<'r>,
    pub(crate) params: &'r Params<'r>,
    pub(crate) meta: &'r Meta<'r>,
    pub(crate) mail: &'r Arc<Mailbox>,
    pub(crate) extra: &'r Extra,
    pub(crate) caller: Arc<Caller>,
    /// When it came: its time runs from then on, wherever it waits.
    pub(crate) begun: Instant,
}

/// Answers with a result, which is JSON as it stands.
pub(crate) fn reply(id: &RawValue, mail: &Mailbox, result: &[u8]) {
    mail.put(Letter { bytes: message::result(id.get(), result), last: true });
}

/// Answers with an error, which is JSON as it stands.
pub(crate) fn reply_error(id: &RawValue, mail: &Mailbox, error: &str) {
    mail.put(Letter { bytes: message::error(id.get(), error), last: true });
}

/// The names by which it is known what a message is about.
pub(super) const NAMES: [&str; 8] = ["id", "method", "params", "name", "arguments", "uri", "task", "taskId"];

/// Returns whether the server could read another message than we do.
pub(super) fn has_twins(envelope: &Envelope<'_>) -> bool {
    let whole = std::str::from_utf8(envelope.bytes()).unwrap_or_default();
    has_twin(whole, &["id", "method", "params"])
        || envelope
            .params
            .is_some_and(|params| has_twin(params.get(), &["name", "arguments", "uri", "task", "taskId"]))
}
