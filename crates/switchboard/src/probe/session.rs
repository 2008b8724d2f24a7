//! A conversation with a server over the pipe that `connect` is.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard_host::limits;

use crate::ui::plain;

/// The longest message that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A running server and the pipe to it. Dropping it closes the pipe, so that the server ends.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    timeout: Duration,
    next: u64,
}

impl Session {
    /// Starts the pipe.
    ///
    /// # Errors
    /// In words: the program cannot be started.
    pub(crate) fn start(
        program: &Path,
        words: &[String],
        vars: &[(String, String)],
        timeout: Duration,
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        command
            .args(words)
            .envs(vars.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = limits::leave_as_found(&mut command)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        let input = child.stdin.take();
        let (sender, lines) = sync_channel(64);
        if let Some(output) = child.stdout.take() {
            // The thread ends with the pipe, at the latest when the child is gone.
            std::thread::spawn(move || {
                let mut output = BufReader::new(output);
                loop {
                    let mut line = String::new();
                    match output.by_ref().take(LONGEST).read_line(&mut line) {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {
                            if sender.send(line).is_err() {
                                break;
                            }
                        }
                    }
                }
            });
        }
        Ok(Self { child, input, lines, timeout, next: 1 })
    }

    /// Sends a request and returns its result.
    ///
    /// # Errors
    /// In words: the server ended, did not answer in time, or answered with an error.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let id = self.next;
        self.next += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        let until = Instant::now() + self.timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("it did not answer `{method}` within {} s", self.timeout.as_secs()));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            };
            let Ok(mut message) = serde_json::from_str::<Value>(&line) else { continue };
            if message["id"] != json!(id) || message.get("method").is_some() {
                self.answer(&message)?;
                continue;
            }
            if let Some(error) = message.get("error") {
                let text = error["message"].as_str().unwrap_or("no reason given");
                return Err(format!("it answered `{method}` with an error: {}", plain(text)));
            }
            return Ok(message["result"].take());
        }
    }

    /// Sends a notification.
    ///
    /// # Errors
    /// In words: the server ended.
    pub(crate) fn notify(&mut self, method: &str) -> Result<(), String> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method }))
    }

    /// A server's own requests are refused: whoever tests it has nothing to offer.
    fn answer(&mut self, message: &Value) -> Result<(), String> {
        if message.get("method").is_none() || message.get("id").is_none() {
            return Ok(());
        }
        let reply = match message["method"].as_str() {
            Some("ping") => json!({ "jsonrpc": "2.0", "id": message["id"], "result": {} }),
            _ => json!({
                "jsonrpc": "2.0", "id": message["id"],
                "error": { "code": -32601, "message": "not offered by a test" },
            }),
        };
        self.send(&reply)
    }

    fn send(&mut self, message: &Value) -> Result<(), String> {
        let mut line = message.to_string();
        line.push('\n');
        match self.input.as_mut().map(|input| input.write_all(line.as_bytes()).and_then(|()| input.flush())) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.ended()),
        }
    }

    /// Why the server is gone: the last line that it wrote to its log.
    fn ended(&mut self) -> String {
        self.input = None;
        let mut log = String::new();
        if let Some(errors) = self.child.stderr.take() {
            let _ = errors.take(64 * 1024).read_to_string(&mut log);
        }
        let code = self.child.wait().ok().and_then(|status| status.code());
        let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let tail = lines[lines.len().saturating_sub(5)..].join("\n    ");
        if tail.is_empty() {
            format!("it ended with {code}")
        } else {
            format!("it ended with {code}:\n    {tail}")
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.input = None;
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
