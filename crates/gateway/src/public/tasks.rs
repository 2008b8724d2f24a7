//! Where ids of tasks are in messages, and which tasks there are (requirement C12).
//!
//! Tasks of the legacy era and those of the modern extension have no form in common: each is for callers of its own era.

use std::borrow::Cow;

use bytes::Bytes;
use switchboard_core::mcp::public_task::{own_task, public_task};
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;

use super::About;
use super::mark::Marker;
use super::spots::Spots;
use crate::caller::Caller;
use crate::envelope::{Envelope, Params, text};
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

/// The ids by which a caller knows the tasks of one server.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'a> {
    server: &'a ServerName,
    marker: Option<&'a Marker>,
}

impl<'a> Ids<'a> {
    /// Returns the ids of a server's tasks as this holder knows them; without a marker, as whoever may have all of them.
    pub(crate) fn new(server: &'a ServerName, marker: Option<&'a Marker>) -> Self {
        Self { server, marker }
    }

    fn public(&self, id: &str) -> String {
        let mark = self.marker.map(|marker| marker.mark(self.server.as_str(), id));
        public_task(self.server.as_str(), mark.as_deref(), id)
    }

    /// Returns what the server calls a task; `None` where it is another's.
    pub(crate) fn own<'p>(&self, public: &'p str) -> Option<&'p str> {
        let own = own_task(public).filter(|own| own.server == self.server.as_str())?;
        match (self.marker, own.mark) {
            (None, None) => Some(own.id),
            (Some(marker), Some(mark)) => marker.is(mark, &own.server, own.id).then_some(own.id),
            _ => None,
        }
    }

    /// Exchanges the ids of tasks in a result; `task` is the one that was asked about, as the server calls it. A mark is
    /// put on that one and on what the result begins, and on no other that a server may name.
    pub(super) fn in_result<'m>(
        &self,
        spots: &mut Spots<'m>,
        about: About,
        task: Option<&str>,
        result: &'m str,
    ) {
        let begun = begun(about, result);
        let is_own = |id: &str| task == Some(id) || begun.as_ref().is_some_and(|begun| begun.id == id);
        let public = |id: &str| (self.marker.is_none() || is_own(id)).then(|| self.public(id));
        match about {
            About::Call { .. } if is_begun(result) => spots.at(result, &["taskId"], &public),
            About::Call { asks: true } => spots.at(result, &["task", "taskId"], &public),
            About::Task { .. } => spots.at(result, &["taskId"], &public),
            About::Call { asks: false } | About::Else => {}
        }
        spots.at(result, &["_meta", RELATED, "taskId"], &public);
    }

    /// Returns a task in a server's list as clients get it.
    pub(crate) fn listed(&self, task: &str) -> String {
        let mut spots = Spots::of(task.as_bytes());
        spots.at(task, &["taskId"], &|id| Some(self.public(id)));
        let told = spots.spliced().and_then(|told| String::from_utf8(told).ok());
        told.unwrap_or_else(|| task.to_owned())
    }

    /// Returns a question or notification of the server's as the client gets it; `None` where that is as it is.
    pub(crate) fn told(&self, message: &[u8]) -> Option<Bytes> {
        let mut spots = Spots::of(message);
        if !spots.may_have("taskId") {
            return None;
        }
        let envelope = Envelope::read(message).ok()?;
        let params = envelope.params?.get();
        let public = |id: &str| Some(self.public(id));
        if is_status(&envelope) {
            spots.at(params, &["taskId"], &public);
        }
        spots.at(params, &["_meta", RELATED, "taskId"], &public);
        spots.spliced().map(Into::into)
    }

    /// Returns a message of the client's as the server gets it, whose task it may belong to; `None` where that is as it is.
    pub(crate) fn restored(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut spots = Spots::of(message);
        if !spots.may_have("taskId") {
            return None;
        }
        let envelope = Envelope::read(message).ok()?;
        let holder = envelope.params.or(envelope.result)?.get();
        // What is not its own is the client's: clients have tasks, too.
        spots.at(holder, &["_meta", RELATED, "taskId"], &|id| self.own(id).map(str::to_owned));
        spots.spliced()
    }
}

/// Tell how a task stands: in the legacy era, and in the extension.
const STATUS: [&str; 2] = ["notifications/tasks/status", "notifications/tasks"];

fn is_status(envelope: &Envelope<'_>) -> bool {
    envelope.method.as_deref().is_some_and(|method| STATUS.contains(&method))
}

/// A task as the answer to a call begins it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    /// What the server calls it.
    pub(crate) id: String,
    /// How long it is kept, in milliseconds from its beginning; `None` where the server does not say.
    pub(crate) ttl: Option<u64>,
}

/// Returns the task that an answer to a call begins, if it does.
pub(crate) fn begun(about: About, result: &str) -> Option<Begun> {
    let task = match about {
        About::Call { .. } if is_begun(result) => result,
        About::Call { asks: true } => part(result, &["task"])?,
        _ => return None,
    };
    let id = serde_json::from_str(part(task, &["taskId"])?).ok()?;
    let ttl = part(task, &["ttl"]).or_else(|| part(task, &["ttlMs"]));
    Some(Begun { id, ttl: ttl.and_then(|ttl| serde_json::from_str(ttl).ok()) })
}

/// Returns whether an answer about a task says that nothing more is to be had of it.
pub(crate) fn is_over(result: &str) -> bool {
    matches!(part(result, &["status"]), Some("\"completed\"" | "\"failed\"" | "\"cancelled\""))
}

/// Returns the task, as the server calls it, that something from a server belongs to.
pub(crate) fn task_of<'m>(envelope: &Envelope<'m>) -> Option<Cow<'m, str>> {
    memchr::memmem::find(envelope.bytes(), b"taskId")?;
    let params = envelope.params?;
    if is_status(envelope) {
        return text(Params::read(Some(params)).task);
    }
    let id = part(params.get(), &["_meta", RELATED, "taskId"])?;
    serde_json::from_str::<String>(id).ok().map(Cow::Owned)
}
