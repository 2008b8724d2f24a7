//! What only a running daemon knows of itself, for `status`.

use serde::Serialize;
use switchboard_core::problem::Problem;
use switchboard_gateway::Seen;

/// How the daemon stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Facts {
    pub(crate) pid: u32,
    /// The version of the program that runs.
    pub(crate) version: &'static str,
    /// Since when it runs, in seconds since 1970.
    pub(crate) since: u64,
    /// The address that it listens at.
    pub(crate) listen: Option<String>,
    /// Whether the system tells it of changed files at once; else it looks every two seconds.
    pub(crate) watches: bool,
    /// How the servers stand, in the catalogue's order.
    pub(crate) servers: Vec<Standing>,
    /// What is wrong with its doors and its bus, or to be known of them, and why clients' files are not written: where, and
    /// what.
    pub(crate) problems: Vec<(String, Problem)>,
}

/// How one server stands, at a glance; `server list` tells more.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Standing {
    pub(crate) name: String,
    /// The phase of its connection.
    pub(crate) state: &'static str,
    /// What is the matter with it, where something is.
    pub(crate) trouble: Option<String>,
    /// How many tools it offers, where that is known.
    pub(crate) tools: Option<usize>,
    /// Calls so far.
    pub(crate) calls: u64,
    /// How many of them had an error for an answer, or none.
    pub(crate) failed: u64,
}

impl From<Seen> for Standing {
    fn from(seen: Seen) -> Self {
        Self {
            name: seen.name.to_string(),
            state: seen.state,
            trouble: seen.trouble,
            tools: seen.tools,
            calls: seen.counts.calls,
            failed: seen.counts.errors + seen.counts.troubles,
        }
    }
}
