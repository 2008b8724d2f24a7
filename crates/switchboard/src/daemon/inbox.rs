//! The inbox: what reaches the daemon from outside waits here until it is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use switchboard_core::name::ServerName;
use tokio::sync::Notify;

/// What happened since somebody last looked. Bounded by its nature: what happens twice is one thing to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    waiting: Arc<Mutex<Waiting>>,
    bell: Arc<Notify>,
}

/// What waits.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that happened, or did not")]
pub(crate) struct Waiting {
    /// Files that say something else now.
    pub(crate) changed: BTreeSet<PathBuf>,
    /// Everything is to be looked at again.
    pub(crate) reload: bool,
    /// Versions of servers that were started: whether they answer, or why not.
    pub(crate) came: BTreeMap<(ServerName, String), Result<(), String>>,
    /// Servers that offer something else than was known of them.
    pub(crate) offers: BTreeSet<ServerName>,
    /// A feed of a server was given up.
    pub(crate) feed_down: bool,
    /// Feeds that were given up are to be tried again.
    pub(crate) listen_again: bool,
    /// The daemon is to end.
    pub(crate) stop: bool,
    /// Who takes its place then.
    #[cfg(unix)]
    pub(crate) heir: Option<std::os::unix::net::UnixStream>,
}

impl Waiting {
    /// Notes that a file says something else now.
    pub(crate) fn changed(&mut self, path: PathBuf) {
        self.changed.insert(path);
    }
}

impl Inbox {
    /// Puts something in, and rings the bell. Never waits.
    pub(crate) fn put(&self, what: impl FnOnce(&mut Waiting)) {
        what(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_one();
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something was put in since the last take.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }
}
