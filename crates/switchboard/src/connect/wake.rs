//! A daemon for those who find none: one contender has it started, the others wait for it.

use std::ffi::OsString;
use std::io::Read as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::lock::Lock;

use crate::cli::{Common, Serve};
use crate::daemon;
use crate::fail::Failure;
use crate::ui::Ui;

/// The first word of a process that starts a daemon and goes, so that the daemon is nobody's child: a client that ends
/// all that it started ends nothing of others.
pub(crate) const WAKE: &str = "__wake";

/// The second word where an older daemon is there that makes room.
const NEWER: &str = "newer";

/// How long a daemon may be quiet that nobody asked for by name.
const QUIET: &str = "15m";

/// How long a daemon that is about to end is waited for, by the one who starts the next.
const PATIENCE: Duration = Duration::from_secs(10);

/// One contender for the right to start the daemon of a home.
pub(super) struct Waker {
    dirs: Dirs,
    /// The right, and the process that uses it.
    at_work: Option<(Lock, Child)>,
}

impl Waker {
    pub(super) fn new(dirs: Dirs) -> Self {
        Self { dirs, at_work: None }
    }

    /// Sees to it that a daemon is being started, by this process or another one. Does not wait for it.
    ///
    /// # Errors
    /// It was tried, and it cannot be started.
    pub(super) fn wake(&mut self) -> Result<(), Failure> {
        let failed =
            |error: &dyn std::error::Error| Failure::unreachable("start the daemon").caused_by(error);
        match &mut self.at_work {
            Some((_, child)) => {
                let ended = child.try_wait().map_err(|error| failed(&error))?;
                match ended {
                    None => Ok(()),
                    Some(status) => {
                        let told = told(child);
                        self.at_work = None;
                        match told {
                            Some(failure) if !status.success() => Err(failure),
                            _ => Ok(()),
                        }
                    }
                }
            }
            // Somebody else starts it.
            nobody => match Lock::acquire_wake(&self.dirs) {
                Err(switchboard_host::lock::LockError::Held { .. }) => Ok(()),
                Err(error) => Err(failed(&error).hint(error.help())),
                Ok(right) => {
                    let program = std::env::current_exe().map_err(|error| failed(&error))?;
                    let mut command = Command::new(program);
                    command.arg(WAKE).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
                    let child = command.spawn().map_err(|error| failed(&error))?;
                    *nobody = Some((right, child));
                    Ok(())
                }
            },
        }
    }

    /// Has a daemon of this version take the place of an older one, if that makes room. Does not wait for it: the one that
    /// is there says when it goes.
    pub(super) fn renew() {
        let started = std::env::current_exe().and_then(|program| {
            let mut command = Command::new(program);
            command
                .args([WAKE, NEWER])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        });
        // It goes at once, with the work begun.
        let _ = started.and_then(|mut child| child.wait());
    }

    /// The daemon is there: others may start the next one.
    pub(super) fn is_up(&mut self) {
        if let Some((_, mut child)) = self.at_work.take() {
            // It has seen the same, or is about to.
            let _ = child.wait();
        }
    }
}

/// Returns what a process that started a daemon said, which is a failure if anything.
fn told(child: &mut Child) -> Option<Failure> {
    const LONGEST: u64 = 64 * 1024;
    let mut said = Vec::new();
    child.stdout.take()?.take(LONGEST).read_to_end(&mut said).ok()?;
    serde_json::from_slice(&said).ok()
}

/// Starts a daemon that goes again when it is not needed, and comes back once it is ready.
pub(crate) fn run(env: &Env, mut more: impl Iterator<Item = OsString>) -> ExitCode {
    // Apart from the terminal that the client may run in. Whoever leads a group already is apart.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    match more.next() {
        // Somebody waits for this process, and not for the daemon.
        Some(word) if word == NEWER => return begin_newer(),
        Some(_) => return newer(env),
        None => {}
    }
    match start(env) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let ui = Ui::new(Common { json: true, ..Common::default() });
            ui.json(&serde_json::to_value(&failure).unwrap_or_default());
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Has a process of its own see to a newer daemon.
fn begin_newer() -> ExitCode {
    let started = std::env::current_exe().and_then(|program| {
        let mut command = Command::new(program);
        command.args([WAKE, "now"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    if started.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a daemon in the place of an older one. One contender is enough.
fn newer(env: &Env) -> ExitCode {
    let begun = crate::home::dirs(env).ok().and_then(|dirs| Lock::acquire_wake(&dirs).ok());
    let Some(_right) = begun else { return ExitCode::SUCCESS };
    let args = Serve { idle_exit: Some(QUIET.to_owned()), ..Serve::default() };
    let quiet = Ui::new(Common { quiet: true, ..Common::default() });
    // Where it does not come to be, the older one goes on, and the log says why.
    let _ = daemon::detach(&args, env, &quiet);
    ExitCode::SUCCESS
}

fn start(env: &Env) -> Result<(), Failure> {
    const PAUSE: Duration = Duration::from_millis(10);
    let dirs = crate::home::dirs(env)?;
    let begun = Instant::now();
    let args = Serve { idle_exit: Some(QUIET.to_owned()), ..Serve::default() };
    loop {
        if crate::remote::is_ready(env) {
            return Ok(());
        }
        let before = Lock::daemon(&dirs);
        let late = begun.elapsed() > PATIENCE;
        if before.is_none() || late {
            let quiet = Ui::new(Common { quiet: true, ..Common::default() });
            match daemon::detach(&args, env, &quiet) {
                // Another one was faster.
                Err(_) if !late && Lock::daemon(&dirs).is_some() => {}
                done => return done,
            }
        }
        std::thread::sleep(PAUSE);
    }
}
