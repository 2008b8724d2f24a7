//! A daemon in a throw-away home, as a user would have it running.
#![expect(clippy::disallowed_methods, reason = "it plays the user, who looks into files")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::home::FakeHome;

/// How long anything may take before the test counts as hanging. Nothing is measured by it.
pub const GUARD: Duration = Duration::from_secs(60);

/// A running daemon; it is killed when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Daemon {
    /// Starts a daemon in a home, on a free port, and waits until it is ready.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start(home: &FakeHome) -> Self {
        Self::start_with(home, &["--listen", "127.0.0.1:0"])
    }

    /// Starts a daemon with these arguments, and waits until it is ready.
    ///
    /// # Panics
    /// It does not become ready.
    pub fn start_with(home: &FakeHome, args: &[&str]) -> Self {
        let log = home.path("log");
        let file = fs::File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = home.command(["serve", "--log", "info,switchboard=debug"].iter().chain(args));
        let child = command.stdout(Stdio::null()).stderr(file).spawn().expect("the daemon starts");
        let mut daemon = Self { child, socket: home.path("switchboard/run/control.sock"), log };
        let begun = Instant::now();
        while daemon.get("/readyz").is_none_or(|(status, _)| status != 200) {
            assert!(daemon.child.try_wait().expect("its state").is_none(), "it ended:\n{}", daemon.log());
            assert!(begun.elapsed() < GUARD, "it is not ready:\n{}", daemon.log());
            thread::sleep(Duration::from_millis(10));
        }
        daemon
    }

    /// Returns its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns what it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Returns the address of its HTTP door.
    ///
    /// # Panics
    /// It has none.
    pub fn address(&self) -> String {
        let log = self.log();
        let address =
            log.lines().find_map(|line| line.split_once("listening on http://").map(|(_, rest)| rest));
        address.unwrap_or_else(|| panic!("no address in\n{log}")).trim().to_owned()
    }

    /// Asks over the control socket; returns the status and the body, or nothing when nobody answers.
    pub fn get(&self, route: &str) -> Option<(u16, String)> {
        self.request("GET", route, None)
    }

    /// Sends a request with a JSON body over the control socket.
    pub fn post(&self, route: &str, body: &str) -> Option<(u16, String)> {
        self.request("POST", route, Some(body))
    }

    fn request(&self, method: &str, route: &str, body: Option<&str>) -> Option<(u16, String)> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        let body = body.unwrap_or_default();
        let head = format!(
            "{method} {route} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// It never does; the log says why.
    pub fn wait(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < GUARD, "{what}: never. The log:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has logged this.
    ///
    /// # Panics
    /// It never does.
    pub fn wait_log(&self, text: &str) {
        self.wait(text, || self.log().contains(text));
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// It is gone.
    pub fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// It does not end.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(begun.elapsed() < GUARD, "it does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a signal to a process.
///
/// # Panics
/// It is gone.
pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("the signal is sent");
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
