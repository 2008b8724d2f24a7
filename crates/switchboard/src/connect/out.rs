//! Where the client reads, written to without ever waiting for it.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SendFlags;

/// How many bytes a pipe takes for certain once it says that it takes some.
const PIECE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// The client's end.
pub(super) struct Out<'a> {
    to: BorrowedFd<'a>,
    is_socket: bool,
}

impl<'a> Out<'a> {
    pub(super) fn new(to: BorrowedFd<'a>) -> Self {
        Self { to, is_socket: rustix::net::sockopt::socket_type(to).is_ok() }
    }

    /// Writes as much as there is room for, and returns how much.
    ///
    /// The stream is not made one that does not wait: others may hold it, too, and would not expect that.
    ///
    /// # Errors
    /// [`Errno::AGAIN`] where there is no room now; any other says that the client is gone.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        if self.is_socket {
            return rustix::net::send(self.to, bytes, SendFlags::DONTWAIT);
        }
        let mut end = [self.poll(true)];
        poll(&mut end, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        let [end] = end.map(|end| end.revents());
        if end.intersects(PollFlags::ERR | PollFlags::NVAL) {
            return Err(Errno::PIPE);
        }
        if !end.contains(PollFlags::OUT) {
            return Err(Errno::AGAIN);
        }
        rustix::io::write(self.to, &bytes[..bytes.len().min(PIECE)])
    }

    /// Returns what to wait for: that there is room, or else only that the client is gone.
    pub(super) fn poll(&self, for_room: bool) -> PollFd<'a> {
        let flags = if for_room { PollFlags::OUT } else { PollFlags::empty() };
        PollFd::from_borrowed_fd(self.to, flags)
    }
}
