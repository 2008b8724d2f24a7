//! Where ids of tasks are in messages, and which tasks there are (requirement C12).
//!
//! Tasks of the legacy era and those of the modern extension have no form in common: each is for callers of its own era.

use bytes::Bytes;
use switchboard_core::mcp::public_task::{own_task, public_task};
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;

use super::About;
use super::spots::Spots;
use crate::caller::Caller;
use crate::envelope::Envelope;
use crate::object::part;
use crate::offer::Offer;

/// The extension that has tasks in the modern era.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The member of `_meta` that names the task which a message belongs to.
const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Which tasks a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tasks {
    /// None.
    None,
    /// Those of its era.
    Some,
    /// Those of its era, and it lists them.
    Listed,
}

impl Tasks {
    /// Returns which tasks a server has; one that was never spoken with may have any.
    pub(crate) fn of(offer: &Offer) -> Self {
        let declared = match offer.era {
            Era::Legacy => part(&offer.capabilities, &["tasks"]),
            Era::Modern => part(&offer.capabilities, &["extensions", EXTENSION]),
        };
        match declared {
            Some(said) if offer.era == Era::Legacy && part(said, &["list"]).is_some() => Self::Listed,
            None if !offer.is_hearsay() => Self::None,
            _ => Self::Some,
        }
    }
}

/// Returns whether a modern result begins a task.
pub(super) fn is_begun(result: &str) -> bool {
    part(result, &["resultType"]) == Some("\"task\"")
}

/// Returns whether a caller knows tasks that begin by themselves.
pub(super) fn knows(caller: &Caller) -> bool {
    caller.era == Era::Modern && part(&caller.capabilities, &["extensions", EXTENSION]).is_some()
}

/// Exchanges the ids of tasks in a result.
pub(super) fn in_result<'m>(spots: &mut Spots<'m>, about: About, result: &'m str, server: &ServerName) {
    let public = |id: &str| Some(public_task(server.as_str(), id));
    match about {
        About::Call { .. } if is_begun(result) => spots.at(result, &["taskId"], &public),
        About::Call { asks: true } => spots.at(result, &["task", "taskId"], &public),
        About::Task => spots.at(result, &["taskId"], &public),
        About::Call { asks: false } | About::Else => {}
    }
    spots.at(result, &["_meta", RELATED, "taskId"], &public);
}

/// Returns a task in a server's list as clients get it.
pub(crate) fn listed(server: &ServerName, task: &str) -> String {
    let mut spots = Spots::of(task.as_bytes());
    spots.at(task, &["taskId"], &|id| Some(public_task(server.as_str(), id)));
    let told = spots.spliced().and_then(|told| String::from_utf8(told).ok());
    told.unwrap_or_else(|| task.to_owned())
}

/// Returns a question or notification of a server's as a client of a joint face gets it; `None` where that is as it is.
pub(crate) fn told(server: &ServerName, message: &[u8]) -> Option<Bytes> {
    let mut spots = Spots::of(message);
    if !spots.may_have("taskId") {
        return None;
    }
    let envelope = Envelope::read(message).ok()?;
    let params = envelope.params?.get();
    let public = |id: &str| Some(public_task(server.as_str(), id));
    if envelope.method.as_deref() == Some("notifications/tasks/status") {
        spots.at(params, &["taskId"], &public);
    }
    spots.at(params, &["_meta", RELATED, "taskId"], &public);
    spots.spliced().map(Into::into)
}

/// Returns a message of a client of a joint face as the server gets it, whose task it may belong to; `None` where that is
/// as it is.
pub(crate) fn restored(server: &ServerName, message: &[u8]) -> Option<Vec<u8>> {
    let mut spots = Spots::of(message);
    if !spots.may_have("taskId") {
        return None;
    }
    let envelope = Envelope::read(message).ok()?;
    let holder = envelope.params.or(envelope.result)?.get();
    // What is not its own is the client's: clients have tasks, too.
    let own =
        |id: &str| own_task(id).filter(|(name, _)| name == server.as_str()).map(|(_, id)| id.to_owned());
    spots.at(holder, &["_meta", RELATED, "taskId"], &own);
    spots.spliced()
}
