//! The processes that descend from this one, and their end.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, test_kill_process_group,
};

#[cfg(target_os = "linux")]
#[path = "kin/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "kin/other.rs"]
mod system;

pub use system::adopt_orphans;

/// Processes that do not die of SIGKILL hang in the kernel; they are not waited for longer than this.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// The pause between two rounds of SIGKILL, for those that were forked in between.
const KILL_PAUSE: Duration = Duration::from_millis(5);

/// A process group and whatever left it: what a guard looks after.
pub(super) struct Kin {
    group: Option<Pid>,
    /// How the leader of the group ended, once it has.
    pub(super) leader: Option<WaitStatus>,
}

impl Kin {
    /// Returns the kin with `leader` at the head of its process group; without one, all children of this process.
    pub(super) fn new(leader: Option<Pid>) -> Self {
        Self { group: leader, leader: None }
    }

    /// Takes note of every child that has ended, and says whether somebody is left.
    pub(super) fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if Some(pid) == self.group => self.leader = Some(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                // Where orphans come to us the group is empty then; elsewhere it may not be.
                Err(_) => return self.group.is_some_and(|group| test_kill_process_group(group).is_ok()),
            }
        }
    }

    /// Sends `signal` to the group, and to each descendant outside it.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
        for (pid, group) in system::descendants() {
            if Some(group) != self.group {
                let _ = kill_process(pid, signal);
            }
        }
    }

    /// Ends everybody: asks with SIGTERM, waits until `deadline`, kills. `news` becomes readable when a child ends.
    pub(super) fn end(&mut self, deadline: Instant, mut news: impl FnMut(Duration)) {
        if !self.reap() {
            return;
        }
        self.signal(Signal::TERM);
        while self.reap() && Instant::now() < deadline {
            news(deadline.saturating_duration_since(Instant::now()));
        }
        let limit = Instant::now() + KILL_LIMIT;
        while self.reap() && Instant::now() < limit {
            self.signal(Signal::KILL);
            news(KILL_PAUSE);
        }
    }
}

/// Ends all descendants of this process, and waits for all of its children.
///
/// For a program that has no other children: it takes the end of each.
pub fn end_all(grace: Duration) {
    Kin::new(None).end(Instant::now() + grace, |left| std::thread::sleep(left.min(KILL_PAUSE)));
}

/// Waits until one of `fds` has news, at most for `limit`, and returns which have.
pub(super) fn poll<const N: usize>(
    fds: [(&dyn AsFd, PollFlags); N],
    limit: Option<Duration>,
) -> [PollFlags; N] {
    let mut polled = fds.each_ref().map(|(fd, flags)| PollFd::from_borrowed_fd(fd.as_fd(), *flags));
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    match rustix::event::poll(&mut polled, limit.as_ref()) {
        Ok(_) => polled.map(|fd| fd.revents()),
        // An interrupted wait has no news; whoever waits looks again.
        Err(_) => [PollFlags::empty(); N],
    }
}
