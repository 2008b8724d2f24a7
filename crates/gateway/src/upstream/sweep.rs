//! Looks for calls that have waited too long, and only while there are calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Upstream;

/// Calls are looked at this often.
const EVERY: Duration = Duration::from_millis(50);

/// The one clock of a gateway, and the list of connections on which calls may wait.
#[derive(Clone)]
pub(crate) struct Sweep(Arc<Inside>);

struct Inside {
    began: Instant,
    upstreams: Mutex<Vec<Weak<Upstream>>>,
    busy: AtomicBool,
    bell: Notify,
}

impl Sweep {
    /// Returns a clock that begins now.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inside {
            began: Instant::now(),
            upstreams: Mutex::default(),
            busy: AtomicBool::new(false),
            bell: Notify::new(),
        }))
    }

    /// Returns the time since the gateway began.
    pub(crate) fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Returns the milliseconds since the gateway began.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX)
    }

    /// Looks after this connection, too.
    pub(crate) fn watch(&self, upstream: &Arc<Upstream>) {
        let mut all = self.0.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(upstream));
    }

    /// A call begins.
    pub(crate) fn begin(&self) {
        if !self.0.busy.load(Ordering::Relaxed) && !self.0.busy.swap(true, Ordering::Relaxed) {
            self.0.bell.notify_one();
        }
    }

    /// Runs for as long as the gateway does.
    pub(crate) async fn run(self) {
        loop {
            self.0.bell.notified().await;
            loop {
                tokio::time::sleep(EVERY).await;
                // Before the look: a call that begins meanwhile rings again.
                self.0.busy.store(false, Ordering::Relaxed);
                let now = Instant::now();
                let all: Vec<_> = {
                    let all = self.0.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
                    all.iter().filter_map(Weak::upgrade).collect()
                };
                let waits = all.iter().fold(false, |waits, upstream| upstream.expire(now) | waits);
                if !waits {
                    break;
                }
                self.0.busy.store(true, Ordering::Relaxed);
            }
        }
    }
}
