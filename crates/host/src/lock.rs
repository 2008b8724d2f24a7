//! One process at a time per home.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dirs::Dirs;
use crate::{show, system};

/// Whoever looks who the daemon is holds its lock for a moment: as long as this is waited for them to have seen it.
const GLANCE: Duration = Duration::from_millis(30);

/// How long to sleep between two tries.
const PAUSE: Duration = Duration::from_millis(10);

/// The right to change a home's files. It ends with this value, and with the process, however that dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// What it is, as a person would type it: `switchboard serve`.
    pub command: String,
}

impl Holder {
    /// Returns whether the process was stopped (SIGSTOP, Ctrl-Z): it answers nobody until it is told to go on.
    pub fn is_stopped(&self) -> bool {
        system::is_stopped(self.pid)
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it, and did not let go in time.
    #[error("{} is at work on `{}`", shown(holder.as_ref()), show::path(path))]
    Held {
        /// Who holds it; `None` if it has not said so yet.
        holder: Option<Holder>,
        /// The lock.
        path: PathBuf,
    },
    /// The lock's file cannot be made or opened.
    #[error("the lock `{}` cannot be taken", show::path(path))]
    Io {
        /// The lock.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn shown(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid, command }) => format!("`{command}` (process {pid})"),
        None => "another process".to_owned(),
    }
}

impl LockError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Held { holder: Some(holder), .. } => {
                format!("wait for it, or stop it with `kill {}`", holder.pid)
            }
            Self::Held { holder: None, .. } => "try again in a moment".to_owned(),
            Self::Io { .. } => "make the folder writable for you, and use a local file system".to_owned(),
        }
    }
}

impl Lock {
    /// Takes the lock of the home in `dirs`, waiting for `wait` at most, and writes down who has it: this process, as
    /// `command`. Do not pass arguments in `command` that could be secret.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] says who has it.
    pub fn acquire(dirs: &Dirs, command: &str, wait: Duration) -> Result<Self, LockError> {
        Self::take(dirs, dirs.lock(), command, wait)
    }

    /// Takes the right to be the one daemon of the home in `dirs`, as good as at once or not at all. It does not keep anybody from
    /// changing the home: for that a daemon takes the lock as everybody does.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] says which process is the daemon.
    pub fn acquire_daemon(dirs: &Dirs, command: &str) -> Result<Self, LockError> {
        Self::take(dirs, dirs.daemon_lock(), command, GLANCE)
    }

    /// Takes the right to start a daemon for the home in `dirs`, at once or not at all: of many who find none, one does.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`]: somebody else starts one.
    pub fn acquire_wake(dirs: &Dirs) -> Result<Self, LockError> {
        Self::take(dirs, dirs.wake_lock(), "switchboard connect", Duration::ZERO)
    }

    /// Takes the right to change the login that is kept under `name`, waiting for `wait` at most. It has nothing to do with
    /// the lock of the home: tokens are renewed by whoever uses them.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] says who has it.
    pub fn acquire_login(dirs: &Dirs, name: &str, command: &str, wait: Duration) -> Result<Self, LockError> {
        // Names of secrets do not begin with a dot.
        Self::take(dirs, dirs.logins().join(format!(".{name}.lock")), command, wait)
    }

    /// Returns who is the daemon of the home in `dirs`, if anybody is.
    pub fn daemon(dirs: &Dirs) -> Option<Holder> {
        let mut file = File::open(dirs.daemon_lock()).ok()?;
        // A shared lock is had at once where nobody holds it alone, and goes again with the descriptor.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let unknown = Holder { pid: 0, command: "switchboard serve".to_owned() };
                Some(read_holder(&mut file).unwrap_or(unknown))
            }
            _ => None,
        }
    }

    /// Tells the daemon of the home in `dirs` to end, and waits until it has, but no longer than `wait`. Returns who it
    /// was; `None` when there was none.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`]: it is still there.
    pub fn end_daemon(dirs: &Dirs, wait: Duration) -> Result<Option<Holder>, LockError> {
        let Some(holder) = Self::daemon(dirs) else { return Ok(None) };
        system::ask_to_end(holder.pid);
        let mut left = wait;
        // Another may come in the moment that it goes, and is not the one that was told.
        while Self::daemon(dirs).is_some_and(|now| now.pid == holder.pid) {
            if left.is_zero() {
                return Err(LockError::Held { holder: Some(holder), path: dirs.daemon_lock() });
            }
            let pause = left.min(PAUSE);
            thread::sleep(pause);
            left -= pause;
        }
        Ok(Some(holder))
    }

    fn take(dirs: &Dirs, path: PathBuf, command: &str, wait: Duration) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: path.clone(), source };
        system::make_folder(path.parent().unwrap_or(dirs.state())).map_err(io)?;
        let mut file = system::open_to_append(&path).map_err(io)?;
        let mut left = wait;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if left.is_zero() => {
                    return Err(LockError::Held { holder: read_holder(&mut file), path });
                }
                Err(TryLockError::WouldBlock) => {
                    let pause = left.min(PAUSE);
                    thread::sleep(pause);
                    left -= pause;
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
        let lock = Self { file };
        lock.sign(command).map_err(io)?;
        Ok(lock)
    }

    fn sign(&self, command: &str) -> io::Result<()> {
        let holder = Holder { pid: std::process::id(), command: command.to_owned() };
        self.file.set_len(0)?;
        (&self.file).write_all(&serde_json::to_vec(&holder)?)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the descriptor; the file stays, since removing it would let two in.
        let _ = self.file.set_len(0);
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut bytes = Vec::new();
    file.rewind().ok()?;
    file.take(64 * 1024).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
