//! One announced revision, with everything that is sent to followers prepared once and shared by all of them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Serialize;
use switchboard_core::catalogue::Catalogue;
use switchboard_core::export::servers_json;

use crate::history::Entry;

/// The reason that stands in an event which tells what is, not what became.
const CURRENT: &str = "current state";

/// One announced revision.
pub(crate) struct Bulletin {
    /// The revision, its hash, when and why it came to be, and the servers concerned.
    pub(crate) entry: Entry,
    /// What the catalogue says at this revision.
    pub(crate) catalogue: Arc<Catalogue>,
    /// The event that announces it, as it is sent.
    event: Bytes,
    /// Where in the event the servers stand, as JSON in the usual `mcpServers` form.
    servers: Range<usize>,
    /// The event for somebody who has seen nothing yet.
    current: OnceLock<Bytes>,
}

/// What stands in the data of an event before the servers.
#[derive(Serialize)]
struct Head<'e> {
    version: String,
    hash: &'e str,
    reason: &'e str,
    changed_servers: &'e [String],
}

impl Bulletin {
    /// Returns the bulletin of a revision.
    pub(crate) fn new(entry: Entry, catalogue: Arc<Catalogue>) -> Self {
        let json = servers_json(&catalogue);
        let (event, servers) = event(&entry, &entry.reason, &entry.changed, json.as_bytes());
        Self { entry, catalogue, event, servers, current: OnceLock::new() }
    }

    /// Returns the number of the revision.
    pub(crate) fn number(&self) -> u64 {
        self.entry.revision.number
    }

    /// Returns the servers as the value of `mcpServers`; no copy is made.
    pub(crate) fn servers(&self) -> Bytes {
        self.event.slice(self.servers.clone())
    }

    /// Returns the names of the servers that are served.
    pub(crate) fn names(&self) -> Vec<String> {
        let served = self.catalogue.servers().iter().filter(|server| server.enabled);
        served.map(|server| server.name.to_string()).collect()
    }

    /// Returns the event that announces the revision, as it is sent.
    pub(crate) fn event(&self) -> Bytes {
        self.event.clone()
    }

    /// Returns the event that tells the revision to somebody who has seen nothing yet.
    pub(crate) fn current(&self) -> Bytes {
        let make = || event(&self.entry, CURRENT, &self.names(), &self.event[self.servers.clone()]).0;
        self.current.get_or_init(make).clone()
    }

    /// Returns the event that tells the revision to somebody who missed some before it.
    pub(crate) fn caught_up(&self, changed: &[String]) -> Bytes {
        if *changed == self.names() {
            return self.current();
        }
        event(&self.entry, CURRENT, changed, &self.event[self.servers.clone()]).0
    }

    /// Returns about how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        self.event.len() + self.current.get().map_or(0, Bytes::len)
    }
}

/// Returns one server-sent event, and where in it the servers stand. JSON on one line needs no second `data:`.
fn event(entry: &Entry, reason: &str, changed: &[String], servers: &[u8]) -> (Bytes, Range<usize>) {
    let head = Head {
        version: entry.revision.version(),
        hash: &entry.revision.hash,
        reason,
        changed_servers: changed,
    };
    let head = serde_json::to_string(&head).unwrap_or_default();
    let mut event = format!(
        "event: config_updated\nid: {}\ndata: {},\"new_config\":{{\"mcpServers\":",
        entry.revision.number,
        head.strip_suffix('}').unwrap_or_default(),
    )
    .into_bytes();
    let start = event.len();
    event.extend_from_slice(servers);
    let end = event.len();
    event.extend_from_slice(b"}}\n\n");
    (event.into(), start..end)
}
