//! The daemon of the demo: one of its own, in the throw-away home.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use switchboard_host::dirs::Env;

use crate::fail::Failure;
use crate::remote;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon; it ends with this value.
pub(super) struct Served(Child);

impl Served {
    /// Starts a daemon in the home of this environment, and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(program: &Path, env: &Env) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::failed("start the daemon").caused_by(error);
        let child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .envs(env.vars())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let served = Self(child);
        if wait(|| remote::is_ready(env)).is_none() {
            return Err(Failure::failed("start the daemon").because("it does not become ready"));
        }
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Where it was told to end already, this finds it gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something holds, and returns how long that took; `None` when it never does.
pub(super) fn wait(holds: impl Fn() -> bool) -> Option<Duration> {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(begun.elapsed())
}
