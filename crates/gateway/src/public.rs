//! How what one server says is told behind the face of several: with addresses and ids of tasks that lead back to it.
//!
//! A message is the bytes that came, with these spots exchanged. What has nothing of the kind is not even looked at: it
//! is decided once for each view ([`crate::view`]) whose answers may have any.

mod addresses;
mod mark;
mod spots;
mod tasks;

use std::sync::Arc;

use switchboard_core::name::ServerName;

use crate::caller::Caller;
use crate::envelope::Envelope;
use crate::trouble::{INTERNAL_ERROR, error};
use crate::view::Addresses;

pub(crate) use mark::Marker;
use spots::Spots;
pub(crate) use tasks::{Begun, EXTENSION, Ids, Tasks, begun, is_over, task_of};

/// How the answers of one server are told.
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) name: ServerName,
    /// The place of the server among those of its view.
    pub(crate) server: usize,
    /// The addresses of its view, where some of this server are told otherwise.
    pub(crate) addresses: Option<Arc<Addresses>>,
    /// Which tasks it has.
    pub(crate) tasks: Tasks,
    /// What binds tasks to the holder that they are told to, where that is not everybody's.
    pub(crate) marker: Option<Arc<Marker>>,
}

/// What an answer is about, as far as it says where ids of tasks are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The call of a tool, which may begin a task: where the client asks for one, or where the server finds.
    Call { asks: bool },
    /// A task: `takes` is whether that is all that anybody wants of it, its result or its end.
    Task { takes: bool },
    /// Something else.
    Else,
}

impl About {
    /// Returns what a request is about; `asks` is whether it asks for a task.
    pub(crate) fn of(method: &str, asks: bool) -> Self {
        match method {
            "tools/call" => Self::Call { asks },
            "tasks/result" | "tasks/cancel" => Self::Task { takes: true },
            _ if method.starts_with("tasks/") => Self::Task { takes: false },
            _ => Self::Else,
        }
    }
}

impl Public {
    /// Returns the ids by which its tasks are known.
    pub(crate) fn ids(&self) -> Ids<'_> {
        Ids::new(&self.name, self.marker.as_deref())
    }

    /// Returns an answer of the server's as the client gets it; `None` where that is as it is. `task` is what the server calls
    /// the task that was asked about.
    ///
    /// # Errors
    /// The client could make nothing of it; the error is what it gets.
    pub(crate) fn answer(
        &self,
        about: About,
        task: Option<&str>,
        caller: &Caller,
        envelope: &Envelope<'_>,
    ) -> Result<Option<Vec<u8>>, String> {
        let Some(result) = envelope.result else { return Ok(None) };
        let mut spots = Spots::of(envelope.bytes());
        if self.tasks != Tasks::None && spots.may_have("taskId") {
            if tasks::is_begun(result.get()) && !tasks::knows(caller) {
                let what = "the server began a task, and the client has not said that it knows tasks";
                return Err(error(INTERNAL_ERROR, what, None));
            }
            self.ids().in_result(&mut spots, about, task, result.get());
        }
        if let Some(addresses) = &self.addresses {
            addresses::in_result(&mut spots, result.get(), &|uri| addresses.public(self.server, uri));
        }
        Ok(spots.spliced())
    }
}

/// Returns the description of a tool with the addresses in it as clients know them; `None` where they are the same.
pub(crate) fn tool(item: &[u8], public: &dyn Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut spots = Spots::of(item);
    addresses::in_meta(&mut spots, std::str::from_utf8(item).ok()?, public);
    spots.spliced()
}

/// Returns a message with the address of a resource in its `params` exchanged.
pub(crate) fn updated(message: &[u8], public: &str) -> Option<Vec<u8>> {
    let envelope = Envelope::read(message).ok()?;
    let mut spots = Spots::of(message);
    spots.at(envelope.params?.get(), &["uri"], &|_| Some(public.to_owned()));
    spots.spliced()
}
