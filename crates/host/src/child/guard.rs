//! The process between us and a server: it starts the server, and sees to it that nothing of it is left.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::process::{Pid, Signal, WaitStatus};

use super::Ended;
use super::kin::{Kin, adopt_orphans, poll};
use super::order::{self, Order};
use super::signals::Signals;

/// Does the guard's work, and returns the exit code of this process.
///
/// `main` calls it when `argv[1]` is [`GUARD`](super::GUARD), before it does anything else: before arguments are
/// parsed, files are read or threads are started.
pub fn guard() -> u8 {
    // The control socket is our standard input. Run by hand, standard input is something else.
    let Ok(control) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else { return 2 };
    if control.local_addr().is_err() {
        return 2;
    }
    let outcome = serve(&control).map_err(|error| error.to_string());
    // Nobody may be there to read it.
    let _ = (&control).write_all(format!("{}\n", order::report(&outcome)).as_bytes());
    0
}

fn serve(control: &UnixStream) -> io::Result<Ended> {
    let mut signals = Signals::take()?;
    // A session of our own: keys and hang-ups of a terminal reach us through our parent only, and a server that
    // reads from a terminal is not stopped for being in the background.
    let _ = rustix::process::setsid();
    // Where it is forbidden, the process group is what can still be ended.
    let _ = adopt_orphans();
    let (stdin, order) = order::receive(control)?;
    let after_signal = order.after_signal;
    let leader = start(order, stdin)?;
    let _ = (&*control).write_all(format!("started {leader}\n").as_bytes());
    let mut watch = Watch { kin: Kin::new(Some(leader)), control, open: true, after_signal, kill_at: None };
    Ok(watch.until_all_is_gone(&mut signals))
}

/// Starts the server, and lets go of its input and output: only the server may keep them open.
fn start(order: Order, stdin: OwnedFd) -> io::Result<Pid> {
    let mut command = Command::new(&order.program);
    command.args(order.args).env_clear().envs(order.env).stdin(Stdio::from(stdin)).process_group(0);
    if let Some(cwd) = order.cwd {
        command.current_dir(cwd);
    }
    let child = command.spawn()?;
    drop(command);
    let nothing = OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nothing)?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The guard's watch over one server.
struct Watch<'a> {
    kin: Kin,
    control: &'a UnixStream,
    /// Whether our parent is still there.
    open: bool,
    after_signal: Duration,
    /// Set once the server has been asked to end.
    kill_at: Option<Instant>,
}

impl Watch<'_> {
    fn until_all_is_gone(&mut self, signals: &mut Signals) -> Ended {
        loop {
            let somebody = self.kin.reap();
            if let Some(status) = self.kin.leader {
                let deadline = self.kill_at.unwrap_or_else(|| Instant::now() + self.after_signal);
                self.kin.end(deadline, |left| {
                    poll([(&*signals, PollFlags::IN)], Some(left));
                    signals.end();
                });
                return ended(status);
            }
            if !somebody {
                return Ended::Killed(9);
            }
            self.wait(signals);
        }
    }

    /// Waits for news and acts on them.
    fn wait(&mut self, signals: &mut Signals) {
        let left = self.kill_at.map(|at| at.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            self.kin.signal(Signal::KILL);
        }
        let limit = left.map(|left| left.max(Duration::from_millis(5)));
        // A closed socket has news for ever, so it is left out once it is closed.
        let news = if self.open {
            poll([(&*signals, PollFlags::IN), (self.control, PollFlags::IN)], limit)[1]
        } else {
            poll([(&*signals, PollFlags::IN)], limit);
            PollFlags::empty()
        };
        if let Some(end) = signals.end() {
            self.ask(order::signal(end.0));
        }
        if !news.is_empty() {
            self.listen();
        }
    }

    /// Reads what our parent says; the end of it means that our parent is gone.
    fn listen(&mut self) {
        let mut said = [0; 16];
        match (&*self.control).read(&mut said) {
            Ok(count @ 1..) => said[..count].iter().for_each(|&byte| self.ask(order::signal(byte))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => {
                self.open = false;
                self.ask(Signal::TERM);
            }
        }
    }

    /// Sends `signal`, and sets the time at which asking is over.
    fn ask(&mut self, signal: Signal) {
        self.kin.signal(signal);
        let grace = if signal == Signal::KILL { Duration::ZERO } else { self.after_signal };
        let kill_at = Instant::now() + grace;
        self.kill_at = Some(self.kill_at.map_or(kill_at, |earlier| earlier.min(kill_at)));
    }
}

fn ended(status: WaitStatus) -> Ended {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(signal)) => Ended::Killed(signal),
        (None, None) => Ended::Killed(9),
    }
}
