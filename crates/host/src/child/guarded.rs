//! A server under guard, from our side.

use std::io::{self, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};

use super::ChildError;
use super::kin::poll;
use super::order;
use super::signals::End;

/// What a server's standard input, output and error are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// Ours: the server speaks with our own caller directly.
    Inherited,
    /// Pipes to us.
    Piped,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl Ended {
    /// Returns the exit code that says the same to a shell: the server's own, or 128 and the signal.
    pub fn code(self) -> u8 {
        match self {
            Self::Exited(code) => u8::try_from(code & 0xff).unwrap_or(1),
            Self::Killed(signal) => u8::try_from(128 + (signal & 0x7f)).unwrap_or(255),
        }
    }
}

/// A server under guard. When this value is dropped, the guard ends the server and all that it started.
pub struct Guarded {
    control: UnixStream,
    guard: Child,
    /// The server's process group, once it has started.
    group: Option<Pid>,
    pub(super) program: PathBuf,
    /// What the guard has said and we have not read as a line yet.
    heard: Vec<u8>,
    /// The server's standard input; for [`Wiring::Piped`], until taken.
    pub stdin: Option<PipeWriter>,
    /// The server's standard output; for [`Wiring::Piped`], until taken.
    pub stdout: Option<ChildStdout>,
    /// The server's standard error; for [`Wiring::Piped`], until taken.
    pub stderr: Option<ChildStderr>,
}

/// The guard never says more than two lines.
const HEARD_LIMIT: usize = 64 << 10;

impl Guarded {
    /// Returns a guard with no server yet, at the other end of `control`.
    pub(super) fn new(control: UnixStream, mut guard: Child) -> Self {
        let (stdout, stderr) = (guard.stdout.take(), guard.stderr.take());
        let program = PathBuf::new();
        Self { control, guard, group: None, program, heard: Vec::new(), stdin: None, stdout, stderr }
    }

    /// Tells the guard what to start; from then on only it is to be heard, never waited for.
    pub(super) fn send(&self, stdin: &OwnedFd, order: &[u8]) -> io::Result<()> {
        order::send(&self.control, stdin, order)?;
        self.control.set_nonblocking(true)
    }

    /// Asks the server to end: sends it `end`, and SIGKILL after the grace.
    pub fn ask(&self, end: End) {
        self.say(end.0);
    }

    /// Kills the server and all that it started.
    pub fn kill(&self) {
        self.say(9);
    }

    /// A guard that cannot hear us any more has ended, which its end tells.
    fn say(&self, byte: u8) {
        let _ = (&self.control).write_all(&[byte]);
    }

    /// Returns the server's process, once the guard has said so and [`Guarded::ended`] has heard it.
    pub fn pid(&self) -> Option<u32> {
        self.group.and_then(|group| u32::try_from(group.as_raw_nonzero().get()).ok())
    }

    /// Returns how the server ended; `None` while it runs. Does not wait: there can be news whenever this value's
    /// descriptor is readable.
    ///
    /// # Errors
    /// The server could not be started, or the guard was lost; nothing of the server's group is left then.
    pub fn ended(&mut self) -> Option<Result<Ended, ChildError>> {
        let mut piece = [0; 512];
        loop {
            match (&self.control).read(&mut piece) {
                Ok(count @ 1..) if self.heard.len() < HEARD_LIMIT => {
                    self.heard.extend_from_slice(&piece[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return self.read_lines(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return Some(self.read_lines().unwrap_or_else(|| self.lost())),
            }
        }
    }

    /// Waits until the server has ended, and all that it started.
    pub fn wait(&mut self) -> Result<Ended, ChildError> {
        loop {
            if let Some(ended) = self.ended() {
                return ended;
            }
            poll([(&self.control, PollFlags::IN)], None);
        }
    }

    fn read_lines(&mut self) -> Option<Result<Ended, ChildError>> {
        while let Some(end) = self.heard.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if let Some(pid) = line.strip_prefix("started ") {
                self.group = pid.parse().ok().and_then(Pid::from_raw);
            } else if let Some(outcome) = order::read_report(line) {
                let _ = self.guard.wait();
                let program = self.program.display().to_string();
                return Some(outcome.map_err(|reason| ChildError::Start { program, reason }));
            }
        }
        None
    }

    /// The guard is gone without a word: somebody killed it. The server must not outlive it.
    fn lost(&mut self) -> Result<Ended, ChildError> {
        let _ = self.guard.wait();
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        Err(ChildError::GuardLost)
    }
}

impl AsFd for Guarded {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The guard sees the end of the socket and does the rest. It is our child, so it must be waited for, lest it
        // stay in the list of processes; that may take as long as the server's grace.
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        if let Ok(None) = self.guard.try_wait() {
            let Some(pid) = i32::try_from(self.guard.id()).ok().and_then(Pid::from_raw) else { return };
            let wait = move || while waitpid(Some(pid), WaitOptions::empty()).err() == Some(Errno::INTR) {};
            let _ = std::thread::Builder::new().name("guard".to_owned()).stack_size(64 << 10).spawn(wait);
        }
    }
}
