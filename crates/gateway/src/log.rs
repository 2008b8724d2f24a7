//! What is kept of one server for those who debug it: what it says on its standard error, what became of its
//! connection, and the messages, as long as somebody watches them. All of it is bounded, and in memory alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use switchboard_core::secret::without_secrets;
use tokio::sync::broadcast;

/// The longest line that is kept, in bytes.
pub(crate) const LONGEST: usize = 8 << 10;

/// So much is kept of what is no message, in bytes.
const ODD: usize = 200;

/// So many lines of standard error are kept.
const LINES: usize = 200;

/// So many transitions are kept.
const TRANSITIONS: usize = 50;

/// So much of what happens waits for somebody who watches; whoever reads too slowly misses some, which is told.
const WATCHED: usize = 1024;

/// The longest part of a message that is shown to those who watch, in bytes.
const SHOWN: usize = 16 << 10;

/// What is kept of one server.
#[derive(Debug, Default)]
pub struct Log {
    inside: Mutex<Inside>,
    /// There only once somebody has watched: its places take a hundred kilobytes, for each server.
    tap: OnceLock<broadcast::Sender<Happened>>,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    To,
    /// From the server.
    From,
}

/// Something that happened with a server.
#[derive(Clone, Debug)]
pub struct Happened {
    /// When.
    pub at: SystemTime,
    /// What.
    pub what: What,
}

/// What happened with a server.
#[derive(Clone, Debug)]
pub enum What {
    /// A message passed.
    Passed {
        /// Which way.
        way: Way,
        /// The message, or its beginning where it is long.
        bytes: Bytes,
        /// How long it was, in bytes.
        length: usize,
    },
    /// Its connection came to this phase.
    Came {
        /// The phase.
        to: &'static str,
        /// Why, where there is something to say.
        why: Option<String>,
    },
    /// It said this line on its standard error.
    Said(String),
}

#[derive(Debug, Default)]
struct Inside {
    stderr: VecDeque<String>,
    /// So many of those lines are of the process that was started last.
    fresh: usize,
    transitions: VecDeque<Transition>,
    /// How often the connection came to each phase.
    counted: BTreeMap<&'static str, u64>,
}

/// The connection went from one phase to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: SystemTime,
    /// The phase that it came to.
    pub to: &'static str,
    /// Why, where there is something to say.
    pub why: Option<String>,
}

impl Log {
    /// Shows a message to those who watch, if there are any.
    pub(crate) fn passed(&self, way: Way, message: &[u8]) {
        self.show(|| {
            let bytes = Bytes::copy_from_slice(&message[..message.len().min(SHOWN)]);
            What::Passed { way, bytes, length: message.len() }
        });
    }

    fn show(&self, what: impl FnOnce() -> What) {
        let Some(tap) = self.tap.get().filter(|tap| tap.receiver_count() > 0) else { return };
        // The last one may just have stopped watching.
        let _ = tap.send(Happened { at: SystemTime::now(), what: what() });
    }

    /// Returns what happens from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Happened> {
        self.tap.get_or_init(|| broadcast::Sender::new(WATCHED)).subscribe()
    }

    /// A process is about to be started: what another said is no reason of its.
    pub(crate) fn begins(&self) {
        self.inside().fresh = 0;
    }

    /// Keeps what the server said on its standard output that is no message, and why it is none.
    pub(crate) fn odd(&self, said: &[u8], why: &str) {
        let shown = String::from_utf8_lossy(&said[..said.len().min(ODD)]);
        self.stderr(format!("(on its standard output; {why}) {shown}").as_bytes());
    }

    /// Keeps what the server said on its standard error: one line, with its end or without.
    pub(crate) fn stderr(&self, line: &[u8]) {
        let line = line.trim_ascii_end();
        let kept = String::from_utf8_lossy(&line[..line.len().min(LONGEST)]).into_owned();
        let mut inside = self.inside();
        if kept.is_empty() {
            return;
        }
        if inside.stderr.len() == LINES {
            inside.stderr.pop_front();
        }
        inside.stderr.push_back(kept.clone());
        inside.fresh = (inside.fresh + 1).min(LINES);
        drop(inside);
        self.show(|| What::Said(kept));
    }

    /// Keeps that the connection came to another phase.
    pub(crate) fn transition(&self, to: &'static str, why: Option<String>) {
        self.show(|| What::Came { to, why: why.clone() });
        let mut inside = self.inside();
        if inside.transitions.len() == TRANSITIONS {
            inside.transitions.pop_front();
        }
        *inside.counted.entry(to).or_default() += 1;
        inside.transitions.push_back(Transition { at: SystemTime::now(), to, why });
    }

    /// Returns the last lines of the server's standard error.
    pub fn tail(&self) -> Vec<String> {
        self.inside().stderr.iter().cloned().collect()
    }

    /// Returns the last line of the server's standard error, with what looks like a secret hidden: it is told as a reason.
    pub(crate) fn last_line(&self) -> Option<String> {
        let inside = self.inside();
        inside.stderr.back().filter(|_| inside.fresh > 0).map(|line| without_secrets(line))
    }

    /// Returns the last transitions, oldest first.
    pub fn transitions(&self) -> Vec<Transition> {
        self.inside().transitions.iter().cloned().collect()
    }

    /// Returns how often the connection came to each phase.
    pub fn counted(&self) -> Vec<(&'static str, u64)> {
        self.inside().counted.iter().map(|(to, count)| (*to, *count)).collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
