//! The feeds of servers, listened to: one listener for each server in service whose entry in the catalogue names a feed.
//!
//! ```text
//! feed --event--> listener --tools--> gateway --news--> inbox --> registry, as with everything that a server says itself
//! ```

mod listener;

use std::collections::BTreeMap;
use std::sync::Arc;

use switchboard_core::catalogue::Server;
use switchboard_core::feed::{Change, Source, follow};
use switchboard_core::name::ServerName;
use switchboard_core::problem::Problem;
use switchboard_gateway::Gateway;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use super::inbox::Inbox;
use crate::live::Feed;
use listener::Listener;

/// How the feeds stand that are listened to.
pub(crate) type Standings = BTreeMap<ServerName, watch::Receiver<Feed>>;

/// The feeds that are listened to.
pub(crate) struct Feeds {
    handle: Handle,
    gateway: Gateway,
    inbox: Inbox,
    running: BTreeMap<ServerName, Running>,
    standings: watch::Sender<Arc<Standings>>,
}

/// One feed that is listened to; no more once this is dropped.
struct Running {
    source: Source,
    standing: watch::Receiver<Feed>,
    again: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Feeds {
    /// Returns feeds of which none is listened to; `standings` shows how they stand.
    pub(crate) fn new(
        handle: Handle,
        gateway: Gateway,
        inbox: Inbox,
        standings: watch::Sender<Arc<Standings>>,
    ) -> Self {
        Self { handle, gateway, inbox, running: BTreeMap::new(), standings }
    }

    /// Listens to the feeds of these servers, each in its version, and to no others. What is the same goes on untouched,
    /// but for what was given up.
    pub(super) fn follow(&mut self, servers: &[(Arc<Server>, String)]) {
        let source = |(server, version): &(Arc<Server>, String)| {
            let feed = server.feed.clone()?;
            Some((server.name.clone(), Source { version: version.clone(), feed }))
        };
        let wanted = servers.iter().filter_map(source).collect();
        let running = self.running.iter().map(|(name, running)| (name, &running.source));
        let Change { end, begin } = follow(running, &wanted);
        let down = self.running.values().filter(|running| running.standing.borrow().is_down());
        down.for_each(|running| running.again.notify_one());
        if end.is_empty() && begin.is_empty() {
            return;
        }
        for name in end {
            self.running.remove(&name);
        }
        for (name, source) in begin {
            let running = self.begin(name.clone(), source);
            self.running.insert(name, running);
        }
        let standings =
            self.running.iter().map(|(name, running)| (name.clone(), running.standing.clone())).collect();
        self.standings.send_replace(Arc::new(standings));
    }

    /// Tries those again at once that were lost or given up.
    pub(super) fn again(&self) {
        self.running.values().for_each(|running| running.again.notify_one());
    }

    /// Returns what is the matter with feeds that were given up.
    pub(super) fn problems(&self) -> Vec<(String, Problem)> {
        let told = |(name, running): (&ServerName, &Running)| {
            let feed = running.standing.borrow();
            let why = feed.trouble.as_ref().filter(|_| feed.is_down()).map(|trouble| &trouble.why)?;
            let problem = Problem::warning(format!("its feed is not listened to any more: {why}"))
                .help("`switchboard sync` tries it again");
            Some((format!("[servers.{name}.feed]"), problem))
        };
        self.running.iter().filter_map(told).collect()
    }

    fn begin(&self, name: ServerName, source: Source) -> Running {
        let (standing, seen) = watch::channel(Feed::new(&source.feed.url));
        let again = Arc::<Notify>::default();
        let listener = Listener {
            name,
            source: source.clone(),
            gateway: self.gateway.clone(),
            inbox: self.inbox.clone(),
            again: Arc::clone(&again),
            standing,
            seed: crate::listen::seed(),
        };
        let task = AbortOnDropHandle::new(self.handle.spawn(listener.run()));
        Running { source, standing: seen, again, _task: task }
    }
}

#[cfg(test)]
mod tests;
