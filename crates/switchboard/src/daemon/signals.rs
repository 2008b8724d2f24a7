//! The signals of the system that a daemon listens to.

use tokio::runtime::Runtime;

use super::inbox::Inbox;
use crate::fail::Done;

/// Begins to listen: SIGTERM and SIGINT end the daemon, SIGHUP has it look at everything again.
///
/// # Errors
/// The system does not let us.
#[cfg(unix)]
pub(crate) fn listen(runtime: &Runtime, inbox: &Inbox) -> Done {
    use tokio::signal::unix::{SignalKind, signal};

    use crate::fail::Failure;

    let _inside = runtime.enter();
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let open = |kind| signal(kind).map_err(|error| Failure::failed("listen to signals").caused_by(&error));
    let [mut term, mut int, mut hup] = [open(kinds[0])?, open(kinds[1])?, open(kinds[2])?];
    let inbox = inbox.clone();
    // Owned by the runtime: it ends with it.
    runtime.handle().spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => inbox.put(|waiting| waiting.stop = true),
                _ = int.recv() => inbox.put(|waiting| waiting.stop = true),
                _ = hup.recv() => inbox.put(|waiting| waiting.reload = true),
            }
        }
    });
    Ok(())
}

/// Begins to listen: Ctrl-C ends the daemon.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on other systems")]
pub(crate) fn listen(runtime: &Runtime, inbox: &Inbox) -> Done {
    let inbox = inbox.clone();
    runtime.handle().spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            inbox.put(|waiting| waiting.stop = true);
        }
    });
    Ok(())
}
