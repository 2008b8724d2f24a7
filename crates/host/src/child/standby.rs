//! A guard that has no server yet.

use std::io::{self, PipeWriter};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::guarded::{Guarded, Wiring};
use super::order;
use super::{ChildError, GUARD, Prepared};
use crate::{limits, system};

/// A guard that has no server yet, and waits to be told which.
///
/// A process takes a while to be up; whoever starts the guard first can find out meanwhile what it is to start. When
/// this value is dropped without an order, the guard ends, and nothing has been started.
pub struct Standby {
    guarded: Guarded,
    wiring: Wiring,
}

impl Standby {
    /// Starts a guard.
    ///
    /// `name` is what it is called in a list of processes.
    ///
    /// # Errors
    /// The guard could not be started.
    pub fn start(name: &str, wiring: Wiring) -> Result<Self, ChildError> {
        let (control, theirs) = UnixStream::pair().map_err(ChildError::Guard)?;
        let output = || match wiring {
            Wiring::Inherited => Stdio::inherit(),
            Wiring::Piped => Stdio::piped(),
        };
        let mut command = Command::new(ourselves().map_err(ChildError::Guard)?);
        command
            .arg0("switchboard")
            .args([GUARD, name])
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(output())
            .stderr(output());
        // What the guard starts has it from there.
        let guard = limits::leave_as_found(&mut command).spawn().map_err(ChildError::Guard)?;
        if let Some(output) = &guard.stdout {
            system::widen(output);
        }
        Ok(Self { guarded: Guarded::new(control, guard), wiring })
    }

    /// Has the guard start `prepared`.
    ///
    /// # Errors
    /// The order is none, or the guard is gone. Whether the server itself could be started is said by
    /// [`wait()`](super::wait()) or [`Guarded::ended`], because it happens in the guard.
    pub fn order(self, prepared: &Prepared) -> Result<Guarded, ChildError> {
        let Self { mut guarded, wiring } = self;
        let order = order::encode(prepared)?;
        let (stdin, fd) = input(wiring).map_err(ChildError::Guard)?;
        guarded.send(&fd, &order).map_err(ChildError::Guard)?;
        guarded.stdin = stdin;
        guarded.program.clone_from(&prepared.program);
        Ok(guarded)
    }
}

/// Returns the server's standard input, and our end of it where it is ours to write to.
fn input(wiring: Wiring) -> io::Result<(Option<PipeWriter>, OwnedFd)> {
    Ok(match wiring {
        Wiring::Inherited => (None, io::stdin().as_fd().try_clone_to_owned()?),
        Wiring::Piped => {
            let (read, write) = io::pipe()?;
            (Some(write), OwnedFd::from(read))
        }
    })
}

/// Returns the path of this very program, even if its file has been replaced by a newer version meanwhile.
fn ourselves() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { std::env::current_exe() }
}
