//! `connect` as a process, with time limits on everything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use switchboard_core::launch::Launch;

/// Long enough for a loaded machine; nothing waits for it unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Pipe {
    pub(crate) process: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Pipe {
    pub(crate) fn start(name: &str, launch: &Launch) -> Self {
        Self::start_with(name, launch, |_| {})
    }

    pub(crate) fn start_with(name: &str, launch: &Launch, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testkit-connect"));
        command.args([name, &serde_json::to_string(launch).unwrap()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        more(&mut command);
        let mut process = command.spawn().unwrap();
        let (line, lines) = channel();
        if let Some(stdout) = process.stdout.take() {
            let mut stdout = BufReader::new(stdout).lines().map_while(Result::ok);
            std::thread::spawn(move || stdout.try_for_each(|read| line.send(read)));
        }
        let (error, errors) = channel();
        let mut stderr = process.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            let _ = error.send(text);
        });
        Self { stdin: process.stdin.take(), process, lines, errors }
    }

    pub(crate) fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
    }

    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Returns whether nothing more comes on standard output until its end.
    pub(crate) fn is_silent(&self) -> bool {
        self.lines.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "connect did not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns what was said on standard error, once it is closed.
    pub(crate) fn errors(&self) -> String {
        self.errors.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
