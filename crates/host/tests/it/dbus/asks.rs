//! Who answers in the place of the daemon.

use std::sync::atomic::{AtomicUsize, Ordering};

use switchboard_host::dbus::{Answer, Asks};
use tokio::sync::{Notify, Semaphore};

/// Answers at once; for the client `slow` only once the gate is open.
pub(crate) struct Answers {
    asked: AtomicUsize,
    inside: AtomicUsize,
    most: AtomicUsize,
    gate: Semaphore,
    synced: Notify,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            asked: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            synced: Notify::new(),
        }
    }
}

impl Answers {
    /// How many questions came here so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many were here at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn open_the_gate(&self) {
        self.gate.add_permits(1000);
    }

    /// Waits until `Sync` was asked for.
    pub(crate) async fn synced(&self) {
        self.synced.notified().await;
    }
}

impl Asks for Answers {
    fn config(&self, client: String) -> Answer<'_> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(inside, Ordering::SeqCst);
            if client == "slow" {
                self.gate.acquire().await.unwrap().forget();
            }
            self.inside.fetch_sub(1, Ordering::SeqCst);
            match client.as_str() {
                "unknown" => Err("there is no client `unknown`".to_owned()),
                "zero" => Ok("a\0b".to_owned()),
                client => Ok(format!("config of {client}")),
            }
        })
    }

    fn sync(&self) -> Answer<'_> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.synced.notify_one();
            Ok("3 clients are up to date".to_owned())
        })
    }
}
