//! What was called, written down: who, what, which decision, what came of it, how long it took. No argument, no result.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// Keeps what was called.
pub trait Audit: Send + Sync {
    /// Keeps one call, without waiting for it.
    fn note(&self, entry: Entry);
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who called.
    pub who: Arc<str>,
    /// The server.
    pub server: String,
    /// The tool, as the server calls it.
    pub tool: String,
    /// What was decided: `allow`, `ask` or `deny`.
    pub decision: &'static str,
    /// Why, where it was not simply allowed.
    pub why: Option<String>,
    /// What came of it: `ok`, `error`, `cached`, `cancelled`, `denied`, `pending`, `refused`, or the word for what went wrong.
    pub outcome: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// A call under way: it is kept when it ends, however it ends.
pub(crate) struct Noted {
    audit: Arc<dyn Audit>,
    /// Taken when it ends.
    entry: Option<Entry>,
    begun: Instant,
}

impl Noted {
    /// Returns a call that nothing has come of yet.
    pub(crate) fn new(audit: Arc<dyn Audit>, who: Arc<str>, server: &str, tool: &str) -> Self {
        let entry = Entry {
            who,
            server: server.to_owned(),
            tool: tool.to_owned(),
            decision: "allow",
            why: None,
            outcome: "cancelled",
            took: Duration::ZERO,
        };
        Self { audit, entry: Some(entry), begun: Instant::now() }
    }

    /// Notes what was decided.
    pub(crate) fn decided(&mut self, decision: &'static str, why: Option<String>) {
        if let Some(entry) = &mut self.entry {
            (entry.decision, entry.why) = (decision, why);
        }
    }

    /// Notes what came of it.
    pub(crate) fn ended(&mut self, outcome: &'static str) {
        if let Some(entry) = &mut self.entry {
            entry.outcome = outcome;
        }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(mut entry) = self.entry.take() {
            entry.took = self.begun.elapsed();
            self.audit.note(entry);
        }
    }
}
