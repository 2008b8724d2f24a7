//! A clock that stands still while real sockets are used: it moves when a test says so, and never by itself.
//!
//! A paused clock leaps to the next timer whenever nothing runs, and what is on its way through the kernel does not
//! run. So a task that blocks holds it; what comes back at once comes back at the very same moment of this clock,
//! however slow the machine is.

use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;

/// The clock moves by so much at once.
const STEP: Duration = Duration::from_millis(50);

/// So many rests make up for the machine being slow, before something counts as never coming.
const PATIENCE: usize = 30_000;

/// Holds the clock for as long as it is kept.
pub(crate) struct Still {
    _held: mpsc::SyncSender<()>,
}

impl Still {
    /// Holds the clock from now on. It has to be paused.
    pub(crate) fn begin() -> Self {
        let (held, end) = mpsc::sync_channel::<()>(0);
        tokio::task::spawn_blocking(move || end.recv());
        Self { _held: held }
    }

    /// Waits for what comes while no time passes.
    pub(crate) async fn at_once<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        for _ in 0..PATIENCE {
            tokio::select! {
                biased;
                out = &mut future => return out,
                () = rest() => {}
            }
        }
        panic!("{what}: it does not come while the clock stands still");
    }

    /// Waits for what comes within so long, and not before `earliest`.
    pub(crate) async fn between<T>(
        &self,
        what: &str,
        earliest: Duration,
        latest: Duration,
        future: impl Future<Output = T>,
    ) -> T {
        let mut future = pin!(future);
        tokio::time::advance(earliest.saturating_sub(STEP)).await;
        for _ in 0..10 {
            tokio::select! {
                biased;
                _ = &mut future => panic!("{what}: it comes too early"),
                () = rest() => {}
            }
        }
        self.within(what, latest.saturating_sub(earliest) + STEP, future).await
    }

    /// Waits for what comes within so long.
    pub(crate) async fn within<T>(&self, what: &str, latest: Duration, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut passed = Duration::ZERO;
        while passed < latest {
            tokio::select! {
                biased;
                out = &mut future => return out,
                () = rest() => {}
            }
            let step = STEP.min(latest.saturating_sub(passed));
            tokio::time::advance(step).await;
            passed += step;
        }
        self.at_once(what, future).await
    }
}

/// Has everything that can run do so for a while, sockets included; the clock stands still.
pub(crate) async fn rest() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let _ = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(1))).await;
}
