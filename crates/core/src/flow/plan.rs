//! What is to be done now.

use std::collections::BTreeSet;
use std::time::Duration;

use super::service::Versions;
use crate::name::{ClientId, ServerName};

/// Everything that the state of things leads to, in the order in which it is carried out.
///
/// Make before break: a server is started before it is put in service, and the old one goes only then. Who is told comes before whose files are written: telling takes microseconds, and nobody who is told depends on
/// another's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a step of its own, done or not")]
pub struct Plan {
    /// Commands wait to be run.
    pub answer: bool,
    /// Our own files are to be read.
    pub read: bool,
    /// The doors are to be opened as the settings say.
    pub open: bool,
    /// These versions of servers are to be started beside what is in service.
    pub start: BTreeSet<(ServerName, String)>,
    /// These versions of servers are to be put in service, all at once.
    pub publish: Option<Versions>,
    /// This revision is to be announced.
    pub announce: Option<u64>,
    /// The files of these clients are to be looked at, and written where they are kept in step at once.
    pub rewrite: BTreeSet<ClientId>,
    /// What these servers offer is to be put into the registry.
    pub record: BTreeSet<ServerName>,
    /// The policy of tools is to be brought up to date with them.
    pub judge: bool,
    /// These versions of servers are to go once their calls have ended.
    pub retire: BTreeSet<(ServerName, String)>,
    /// Other files matter than those that are watched.
    pub watch: bool,
    /// Everything is done that a start has to do; whoever waits for that may be told.
    pub ready: bool,
    /// The daemon is to end.
    pub end: bool,
    /// When nothing else is to be done: the time at which something will be, since the daemon began.
    pub due: Option<Duration>,
}

impl Plan {
    /// Returns whether nothing is to be done now.
    pub fn is_empty(&self) -> bool {
        *self == Self { due: self.due, ready: self.ready, ..Self::default() }
    }
}
