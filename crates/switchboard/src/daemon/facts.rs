//! What only a running daemon knows of itself, for `status`.

use serde::Serialize;
use switchboard_core::problem::Problem;

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
    /// What is wrong with its doors and its bus, or to be known of them, and why clients' files are not written: where, and
    /// what.
    pub(crate) problems: Vec<(String, Problem)>,
}
