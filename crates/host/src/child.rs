//! Starts servers as child processes, so that none is left behind.
//!
//! ```text
//! this process ---- control socket ---- guard (this program again) ---- server ---- whatever it starts
//! ```
//!
//! The guard is a tiny process between us and the server. It holds one end of a socket whose other end only we hold;
//! when we are gone, however we went, it reads the end of that socket and ends the server's process group: SIGTERM, a
//! grace, SIGKILL. On Linux it is a child subreaper, so that also processes which left the group (`setsid`, double
//! fork) become its children when their parents end; it is done when it has no child left. Should the guard itself be
//! killed, the same follows from [`adopt_orphans`] on our side.
//!
//! The server's standard input travels over the control socket as a descriptor; its output and error are those that
//! the guard was started with. So the server can hold the very pipes of our own caller, and no byte is copied. All
//! descriptors are close-on-exec from their creation: the server sees 0, 1 and 2.
//!
//! The guard can be started before the server is known ([`Standby`]): both processes then get ready at the same time,
//! and what a client waits for is the longer of the two, not the sum.
//!
//! A shell is never involved. On systems other than Linux the process group is all that is ended.
//!
//! There is no `PDEATHSIG` here: it fires when the *thread* that started a child ends, which in a program with worker
//! threads is a false alarm.

mod environment;
mod find;
mod guard;
mod guarded;
mod kin;
mod order;
mod signals;
mod standby;
mod wait;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use environment::{allowed, environment};
pub use find::{FindError, find};
pub use guard::guard;
pub use guarded::{Ended, Guarded, Wiring};
pub use kin::{adopt_orphans, end_all};
pub use signals::{End, Signals};
pub use standby::Standby;
pub use wait::wait;

use crate::resolve::ServerCommand;
use crate::secret::Secret;

/// The word in `argv[1]` that makes this program a guard. `main` looks for it before anything else.
pub const GUARD: &str = "__guard";

/// How long processes are waited for before they are forced.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// From the end of its input until a server is asked to end (SIGTERM).
    pub after_input: Duration,
    /// From being asked until it is killed.
    pub after_signal: Duration,
}

impl Default for Grace {
    /// Two seconds and one: what clients themselves give a server, so that ours ends before they lose patience.
    fn default() -> Self {
        Self { after_input: Duration::from_secs(2), after_signal: Duration::from_secs(1) }
    }
}

/// Why a server cannot be started, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The program is not there.
    #[error(transparent)]
    Find(#[from] FindError),
    /// An argument, variable or path has a NUL byte in it.
    #[error("{0} has a NUL byte in it")]
    Nul(&'static str),
    /// The working directory is not one.
    #[error("the working directory `{}` is not a folder", .0.display())]
    Cwd(PathBuf),
    /// The guard could not be started.
    #[error("could not start a process: {0}")]
    Guard(#[source] std::io::Error),
    /// The guard could not start the server.
    #[error("could not start `{program}`: {reason}")]
    Start {
        /// The program.
        program: String,
        /// What the machine said.
        reason: String,
    },
    /// The guard ended without saying how the server ended.
    #[error("lost the process that watches over the server")]
    GuardLost,
}

impl ChildError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Find(error) => Some(error.help()),
            Self::Cwd(path) => Some(format!("create `{}`, or change the server's `cwd`", path.display())),
            Self::Start { program, .. } => {
                Some(format!("run `{program}` by hand; a script needs a first line such as `#!/bin/sh`"))
            }
            Self::Nul(_) | Self::Guard(_) | Self::GuardLost => None,
        }
    }
}

/// A server that can be started: the program found, the environment complete.
#[derive(Clone, Debug)]
pub struct Prepared {
    name: String,
    program: PathBuf,
    args: Vec<Secret>,
    env: Vec<(OsString, SecretOs)>,
    cwd: Option<PathBuf>,
    grace: Grace,
}

/// A value of the environment, which need not be UTF-8; not shown.
#[derive(Clone)]
struct SecretOs(OsString);

impl std::fmt::Debug for SecretOs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Prepared {
    /// Finds the program of `command` and puts its environment together.
    ///
    /// `inherited` is the environment of this process; what of it a server sees is the allow-list of [`mod@environment`].
    /// `name` is what the guard is called in a list of processes.
    ///
    /// # Errors
    /// The program or the folder is not there. Nothing has been started.
    pub fn new(
        name: &str,
        command: &ServerCommand,
        inherited: &std::collections::BTreeMap<OsString, OsString>,
        grace: Grace,
    ) -> Result<Self, ChildError> {
        let env = environment(inherited, &command.env);
        if let Some(cwd) = command.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
            return Err(ChildError::Cwd(cwd.clone()));
        }
        let here = command.cwd.clone().unwrap_or_else(|| PathBuf::from("."));
        let path = env.get(std::ffi::OsStr::new("PATH")).map(OsString::as_os_str);
        Ok(Self {
            name: name.to_owned(),
            program: find(&command.program, path, &here)?,
            args: command.args.clone(),
            env: env.into_iter().map(|(name, value)| (name, SecretOs(value))).collect(),
            cwd: command.cwd.clone(),
            grace,
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// The guard could not be started. Whether the server itself could be started is said by [`wait()`] or
    /// [`Guarded::ended`], because it happens in the guard.
    pub fn start(&self, wiring: Wiring) -> Result<Guarded, ChildError> {
        Standby::start(&self.name, wiring)?.order(self)
    }
}
