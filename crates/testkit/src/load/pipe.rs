//! A command that is asked over its standard streams, a message a line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Fault;
use super::check::{self, About, about};
use super::message::{self, Era, INITIALIZE, INITIALIZED};

/// A command that runs; it ends with this.
#[derive(Debug)]
pub(super) struct Pipe {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Pipe {
    /// Starts a command and opens its session.
    pub(super) fn open(command: &[String]) -> Result<Self, Fault> {
        let (program, args) = command.split_first().ok_or(Fault::Failed("there is no command".to_owned()))?;
        let mut child =
            Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or(Fault::Failed("it has no output".to_owned()))?;
        let mut pipe =
            Self { child, stdin, stdout: BufReader::with_capacity(256 * 1024, stdout), line: Vec::new() };
        pipe.send(format!("{INITIALIZE}\n").as_bytes())?;
        check::opened(pipe.answer()?.1)?;
        pipe.send(format!("{INITIALIZED}\n").as_bytes())?;
        Ok(pipe)
    }

    /// Sends lines, written as one piece.
    pub(super) fn send(&mut self, lines: &[u8]) -> Result<(), Fault> {
        let stdin = self.stdin.as_mut().ok_or(Fault::Failed("its input is closed".to_owned()))?;
        Ok(stdin.write_all(lines).and_then(|()| stdin.flush())?)
    }

    /// Reads until the next answer, and returns the id that it has with all of it. What asks or tells something is
    /// passed over, but that is answered which must be.
    pub(super) fn answer(&mut self) -> Result<(Option<u64>, &[u8]), Fault> {
        loop {
            self.line.clear();
            if self.stdout.read_until(b'\n', &mut self.line)? == 0 {
                return Err(Fault::Failed("the command has ended".to_owned()));
            }
            match about(&self.line)? {
                About::Answer(id) => return Ok((id, &self.line)),
                About::Request(_, id) => {
                    self.send(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}\n").as_bytes())?;
                }
                About::Notification(_) => {}
            }
        }
    }

    /// Returns what the processors have done for the command so far, where the system tells.
    #[expect(clippy::disallowed_methods, reason = "this is how the system tells it")]
    pub(super) fn processor(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// Returns whether another answer has come already, at least in part.
    pub(super) fn has_more(&self) -> bool {
        !self.stdout.buffer().is_empty()
    }

    /// Asks for the list of tools and returns their names.
    pub(super) fn tools(&mut self) -> Result<Vec<String>, Fault> {
        let mut line = String::new();
        message::list(1, Era::Legacy, &mut line);
        line.push('\n');
        self.send(line.as_bytes())?;
        check::listed(self.answer()?.1, 1)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // The end of its input is what tells it to end.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
