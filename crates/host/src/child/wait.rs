//! Waiting beside a server that speaks with our own caller directly.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::ioctl_fionread;

use super::kin::poll;
use super::signals::{End, Signals};
use super::{ChildError, Ended, Grace, Guarded};

/// How often is looked whether the server has read what its input still holds.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `server`, which was started with [`Wiring::Inherited`](super::Wiring::Inherited), has ended.
///
/// Signals that ask us to end are passed on. When our caller has closed our standard input and the server has read
/// all of it, the server has `grace.after_input` to end by itself; then it is asked to.
pub fn wait(mut server: Guarded, signals: &mut Signals, grace: Grace) -> Result<Ended, ChildError> {
    let stdin = io::stdin();
    let mut input = Input::Open;
    loop {
        if let Some(ended) = server.ended() {
            return ended;
        }
        // A closed input has news for ever, so it is left out once it is closed.
        let hung_up = if let Input::Open = input {
            let news = poll([(&*signals, PollFlags::IN), (&server, PollFlags::IN), (&stdin, HANG_UP)], None);
            news[2].intersects(HANG_UP | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
        } else {
            poll([(&*signals, PollFlags::IN), (&server, PollFlags::IN)], input.patience(grace));
            false
        };
        if let Some(end) = signals.end() {
            server.ask(end);
        }
        let was_over = matches!(input, Input::Over);
        input = input.next(hung_up, &stdin, grace);
        if matches!(input, Input::Over) && !was_over {
            server.ask(End::TERM);
        }
    }
}

/// What is known of our standard input, which the server reads and we only look at.
enum Input {
    /// Somebody can write to it.
    Open,
    /// Nobody can, but there is something left to read.
    Closing,
    /// The server has read everything.
    Read { since: Instant },
    /// And has had its time to end.
    Over,
}

impl Input {
    /// Returns how long to wait for news before looking at the input again.
    fn patience(&self, grace: Grace) -> Option<Duration> {
        match self {
            Self::Open | Self::Over => None,
            Self::Closing => Some(LOOK),
            Self::Read { since } => Some(grace.after_input.saturating_sub(since.elapsed())),
        }
    }

    fn next(self, hung_up: bool, stdin: &impl AsFd, grace: Grace) -> Self {
        match self {
            Self::Open if hung_up => Self::Closing.next(false, stdin, grace),
            Self::Closing if ioctl_fionread(stdin).unwrap_or(0) == 0 => Self::Read { since: Instant::now() },
            Self::Read { since } if since.elapsed() >= grace.after_input => Self::Over,
            same => same,
        }
    }
}

/// A socket is half-closed by a caller that still listens; a pipe always says when its last writer is gone.
#[cfg(target_os = "linux")]
const HANG_UP: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const HANG_UP: PollFlags = PollFlags::empty();
