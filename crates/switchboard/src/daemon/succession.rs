//! One daemon takes the place of another: the doors are passed on as they are, so that nobody who knocks is turned away.
//!
//! The newer one asks at the control socket; the older one passes its sockets, lets go of the home, and stays only until
//! what is in flight with it has ended. Pipes of `connect` go over by themselves
//! ([`LEAVING`](switchboard_gateway::serve::pipe::LEAVING)).

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use switchboard_host::dirs::Dirs;
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::socket;
use tracing::{info, warn};

use super::doors::Passed;
use super::inbox::Inbox;

/// The route by which one asks.
pub(crate) const ROUTE: &str = "/api/v1/succession";

/// What the connection becomes.
pub(crate) const UPGRADE: &str = "switchboard";

/// The version of the one who asks.
pub(crate) const VERSION: &str = "switchboard-version";

/// Said where the version does not matter.
pub(crate) const REPLACE: &str = "switchboard-replace";

/// How long the older daemon may take to pass its sockets.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take from then on to let go of the home: servers that cannot run twice end before, which is why this is
/// more than they have.
const LETS_GO: Duration = Duration::from_secs(60);

/// How often the lock is looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// The longest head of an answer, and the longest text beside the sockets, in bytes.
const LONGEST: usize = 4096;

/// What is told beside the sockets.
#[derive(Serialize, Deserialize)]
struct Told {
    /// The first socket is the control socket, and its file goes with the daemon.
    control: bool,
}

/// The end of a connection whose other end wants to take this daemon's place.
#[derive(Clone)]
pub(crate) struct Claim(pub(crate) Inbox);

impl Claim {
    /// It does: this daemon ends, and passes its doors on. One who has gone again meanwhile takes nobody's place.
    pub(crate) fn taken(&self, stream: UnixStream) {
        if has_gone(&stream) {
            return;
        }
        self.0.put(|waiting| {
            waiting.heir = Some(stream);
            waiting.stop = true;
        });
    }
}

/// Returns whether the other end has closed the stream.
fn has_gone(stream: &UnixStream) -> bool {
    let mut ends = [PollFd::new(stream, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // It has nothing to say before it is given something.
    poll(&mut ends, Some(&now)).is_err() || !ends[0].revents().is_empty()
}

/// Returns whether a daemon of `version` may take the place of one of version `own`.
pub(crate) fn is_newer(version: &str, own: &str) -> bool {
    let numbers = |version: &str| -> Option<[u64; 3]> {
        let plain = version.split(['-', '+']).next()?;
        let numbers: Vec<u64> = plain.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        numbers.try_into().ok()
    };
    matches!((numbers(version), numbers(own)), (Some(version), Some(own)) if version > own)
}

/// Passes sockets to the heir.
pub(super) fn pass_on(heir: &UnixStream, control: Option<&OwnedFd>, is_own: bool, web: &[OwnedFd]) {
    let told = serde_json::to_vec(&Told { control: is_own }).unwrap_or_default();
    let all: Vec<_> = control.into_iter().chain(web).map(|socket| socket.as_fd()).collect();
    match socket::pass(heir, &told, &all) {
        Ok(()) => info!("the doors are passed on to another daemon"),
        // It opens doors of its own, or goes.
        Err(error) => warn!(%error, "the doors could not be passed on"),
    }
}

/// Asks the daemon of a home to make room for this one, and takes its place: its lock and its doors. `None` where it
/// does not, or there is none by now.
///
/// # Errors
/// It made room, and the home cannot be had.
pub(super) fn succeed(
    dirs: &Dirs,
    replace: bool,
    take: impl Fn() -> Result<Lock, LockError>,
) -> Result<Option<(Lock, Passed)>, LockError> {
    // Whoever asked in vain is told who has the home.
    let Ok(Some(passed)) = ask(dirs, replace) else { return Ok(None) };
    let begun = Instant::now();
    loop {
        match take() {
            Err(LockError::Held { .. }) if begun.elapsed() < LETS_GO => std::thread::sleep(PAUSE),
            taken => return taken.map(|lock| Some((lock, passed))),
        }
    }
}

fn ask(dirs: &Dirs, replace: bool) -> io::Result<Option<Passed>> {
    let mut stream = UnixStream::connect(dirs.control_socket())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let replace = if replace { format!("{REPLACE}: yes\r\n") } else { String::new() };
    write!(
        stream,
        "GET {ROUTE} HTTP/1.1\r\nHost: switchboard\r\nConnection: Upgrade\r\nUpgrade: {UPGRADE}\r\n{VERSION}: {}\r\n{replace}\r\n",
        env!("CARGO_PKG_VERSION"),
    )?;
    // Not a byte more than the head: behind it the sockets come.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        return Ok(None);
    }
    let mut text = [0; LONGEST];
    let (length, sockets) = socket::passed(&stream, &mut text)?;
    let told: Told = serde_json::from_slice(&text[..length])?;
    Ok(Some(Passed::from_daemon(sockets, told.control)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_newer_takes_the_place_unasked() {
        for (version, own, newer) in [
            ("1.0.0", "0.9.9", true),
            ("0.10.0", "0.9.0", true),
            ("0.1.1-rc.1", "0.1.0", true),
            ("0.1.0", "0.1.0", false),
            ("0.1.0", "0.2.0", false),
            ("newest", "0.1.0", false),
            ("1.0", "0.1.0", false),
        ] {
            assert_eq!(is_newer(version, own), newer, "{version} and {own}");
        }
    }
}
