//! A message bus, and somebody who listens on it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A bus of its own; it ends when this is dropped.
pub(super) struct Bus {
    child: Child,
    pub(super) address: String,
}

/// Somebody who hears the signals.
pub(super) struct Listener {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Bus {
    /// Starts a bus; `None` where there is no program for it.
    pub(super) fn start() -> Option<Self> {
        let mut child = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut address).ok()?;
        Some(Self { child, address: address.trim().to_owned() })
    }

    /// Begins to listen.
    pub(super) fn listen(&self) -> Result<Listener, String> {
        let mut child = Command::new("dbus-monitor")
            .args(["--session", "interface=org.opdbus.MCP"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut listener = Listener { child, lines: BufReader::new(stdout) };
        listener.hear("NameAcquired")?;
        Ok(listener)
    }
}

impl Listener {
    /// Waits until something with this text is said.
    pub(super) fn hear(&mut self, text: &str) -> Result<(), String> {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            if self.lines.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err("the bus is gone".to_owned());
            }
        }
        Ok(())
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
