//! How many linked clients are in each state, for the measurements.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::ask::Ask;
use crate::cli::{Command, Common};
use crate::daemon::desk::Desk;

/// The states, in the words of `status`.
const STATES: [&str; 5] = ["in step", "pending", "drifted", "conflict", "unreadable"];

/// How long an answer counts: looking takes reading the files of all clients.
const FRESH: Duration = Duration::from_secs(5);

/// How long the answer may take; then the one before counts.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many clients are in each state, as last seen.
#[derive(Default)]
pub(super) struct States(Mutex<(Option<Instant>, [usize; STATES.len()])>);

impl States {
    /// Looks again if that is worth it, and returns each state with its number of clients.
    pub(super) async fn look(&self, desk: &Desk) -> impl Iterator<Item = (&'static str, usize)> + use<> {
        // Whoever comes meanwhile waits for the same answer.
        let mut seen = self.0.lock().await;
        if seen.0.is_none_or(|at| at.elapsed() > FRESH) {
            let wishes = Common { json: true, ..Common::default() };
            let ask = desk.ask(Ask { command: Command::Status, wishes, env: None, agreed: Vec::new() });
            if let Ok(answer) = tokio::time::timeout(PATIENCE, ask).await {
                *seen = (Some(Instant::now()), counted(&answer.document.unwrap_or_default()["clients"]));
            }
        }
        STATES.into_iter().zip(seen.1)
    }
}

fn counted(clients: &Value) -> [usize; STATES.len()] {
    let mut counts = [0; STATES.len()];
    let has = |client: &Value, key: &str| client[key].as_array().is_some_and(|own| !own.is_empty());
    for client in clients.as_array().into_iter().flatten() {
        // The gravest counts.
        let state = match client["file"].as_str() {
            Some("read" | "missing" | "shared") if has(client, "conflicts") => "conflict",
            Some("read" | "missing" | "shared") if has(client, "drift") => "drifted",
            Some("read" | "missing" | "shared") if has(client, "pending") => "pending",
            Some("read" | "missing" | "shared") => "in step",
            _ => "unreadable",
        };
        let at = STATES.iter().position(|own| *own == state).unwrap_or_default();
        counts[at] += 1;
    }
    counts
}
