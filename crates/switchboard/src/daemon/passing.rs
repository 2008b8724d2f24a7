//! A daemon that nobody asked for by name: `connect` started it. It makes room for one that somebody asks for, and goes
//! when nobody has been there for a while.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::duration::parse_duration;
use switchboard_host::dirs::Dirs;
use switchboard_host::lock::{Holder, Lock, LockError};
use tokio::runtime::Handle;
use tracing::info;

use super::doors::Passed;
use super::inbox::Inbox;
use crate::api::Visits;
use crate::cli::Serve;
use crate::fail::Failure;

/// What it calls itself.
const NAME: &str = "switchboard serve --idle-exit";

/// How long it is waited for when it makes room.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the lock is tried for when it has made room: clients whose pipes break at that moment start another.
const TRIES: usize = 3;

/// Returns how long it may be quiet until it goes; `None` for one that stays.
///
/// # Errors
/// It is no duration.
pub(super) fn quiet(args: &Serve) -> Result<Option<Duration>, Failure> {
    let Some(text) = &args.idle_exit else { return Ok(None) };
    parse_duration(text)
        .map(Some)
        .map_err(|error| Failure::usage("read `--idle-exit`").because(error).hint("write it as `15m`"))
}

/// Takes the lock of the one daemon of a home: from one that is passing where this one is not, from one of an older
/// version, or from any with `replace`. The doors come with it, where somebody had them.
///
/// # Errors
/// Somebody else has it, and keeps it.
pub(super) fn take(dirs: &Dirs, passing: bool, replace: bool) -> Result<(Lock, Passed), LockError> {
    let name = if passing { NAME } else { "switchboard serve" };
    let take = || Lock::acquire_daemon(dirs, name);
    let mut tries = 0;
    loop {
        tries += 1;
        match take() {
            Err(LockError::Held { .. }) if tries <= TRIES && !passing => {
                let makes_room = Lock::daemon(dirs).is_some_and(|daemon| daemon.command == NAME);
                #[cfg(unix)]
                if let Some(succeeded) = super::succession::succeed(dirs, replace || makes_room, take)? {
                    return Ok(succeeded);
                }
                if !relieve(dirs)? && (makes_room || Lock::daemon(dirs).is_some()) {
                    return take().map(|lock| (lock, Passed::take()));
                }
            }
            taken => return taken.map(|lock| (lock, Passed::take())),
        }
    }
}

/// Takes the lock anew, where it or the whole home was taken away from under the daemon that had it. `None` where it
/// still is this process's.
///
/// # Errors
/// Somebody else has it by now, or it cannot be made.
pub(super) fn take_again(dirs: &Dirs, passing: bool) -> Result<Option<Lock>, LockError> {
    let name = if passing { NAME } else { "switchboard serve" };
    match Lock::acquire_daemon(dirs, name) {
        Err(LockError::Held { holder: Some(holder), .. }) if holder.pid == std::process::id() => Ok(None),
        taken => taken.map(Some),
    }
}

/// Returns who serves a home, and stays: one that is passing makes room.
pub(crate) fn serving(dirs: &Dirs) -> Option<Holder> {
    Lock::daemon(dirs).filter(|daemon| daemon.command != NAME)
}

/// Has a daemon that is passing make room for one that stays. Returns whether there was one.
///
/// # Errors
/// It does not go.
pub(crate) fn relieve(dirs: &Dirs) -> Result<bool, LockError> {
    if Lock::daemon(dirs).is_none_or(|daemon| daemon.command != NAME) {
        return Ok(false);
    }
    Lock::end_daemon(dirs, PATIENCE).map(|ended| ended.is_some())
}

/// Ends the daemon once nobody has been there for `quiet`.
pub(super) fn leave(handle: &Handle, visits: Arc<Visits>, inbox: Inbox, quiet: Duration) {
    // Owned by the runtime: it ends with it.
    handle.spawn(async move {
        loop {
            let left = visits.quiet_since().map_or(quiet, |since| quiet.saturating_sub(since.elapsed()));
            if left.is_zero() {
                info!("nobody has been here for {} s", quiet.as_secs());
                return inbox.put(|waiting| waiting.stop = true);
            }
            tokio::time::sleep(left).await;
        }
    });
}
