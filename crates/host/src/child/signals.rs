//! Signals as something to wait for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

/// A signal by which somebody asks us to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End(pub u8);

impl End {
    /// SIGTERM.
    pub const TERM: Self = Self(15);
}

/// The signals that ask us to end, and news of children.
pub struct Signals(SignalDelivery<UnixStream, SignalOnly>);

impl Signals {
    /// Takes SIGTERM, SIGINT, SIGHUP and SIGCHLD for this process.
    pub fn take() -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        SignalDelivery::with_pipe(read, write, SignalOnly, [SIGTERM, SIGINT, SIGHUP, SIGCHLD]).map(Self)
    }

    /// Returns the last signal since the last call that asks us to end. After the call [`Signals`] is not readable
    /// until the next signal.
    pub fn end(&mut self) -> Option<End> {
        self.0
            .pending()
            .filter(|&signal| signal != SIGCHLD)
            .filter_map(|s| u8::try_from(s).ok())
            .last()
            .map(End)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_read().as_fd()
    }
}
