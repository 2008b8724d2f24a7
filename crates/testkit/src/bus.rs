//! A message bus of a test's own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A bus; it ends when it is dropped.
#[derive(Debug)]
pub struct PrivateBus {
    child: Child,
    /// Its address, as `DBUS_SESSION_BUS_ADDRESS` says it.
    pub address: String,
}

impl PrivateBus {
    /// Starts a bus.
    ///
    /// # Panics
    /// There is no `dbus-daemon`.
    pub fn start() -> Self {
        let mut child = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut address).expect("it says its address");
        Self { child, address: address.trim().to_owned() }
    }

    /// Returns a command that finds this bus.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
