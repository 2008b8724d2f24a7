//! A plan as sentences: for the dry run, the question before a write, the log and the API.

use super::{ClientPlan, FileState};
use crate::client::reconcile::{Drift, Item, Verdict};
use crate::name::ServerName;
use crate::problem::Problem;

impl ClientPlan {
    /// Returns a line for each thing that a push would do, in the order of the file.
    pub fn sentences(&self) -> Vec<String> {
        self.pending().map(sentence).collect()
    }

    /// Returns the state of the file in a few words, as `status` shows it.
    pub fn summary(&self) -> String {
        let pending = self.pending().count();
        let drifted = self.drifted().count();
        let conflicts = self.conflicts().count();
        match &self.state {
            FileState::Unreadable => return "unreadable, left alone".to_owned(),
            FileState::Wiped => return "wiped by somebody else".to_owned(),
            FileState::CutOff => return "cut off, left alone".to_owned(),
            FileState::Shared(other) => return format!("same file as {other}"),
            FileState::Missing | FileState::Read => {}
        }
        if self.problems.iter().any(Problem::is_error) {
            return "nothing planned".to_owned();
        }
        let counts: Vec<String> = [(conflicts, "in conflict"), (drifted, "drifted"), (pending, "pending")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if counts.is_empty() { "in step".to_owned() } else { counts.join(", ") }
    }
}

/// Returns what should become of an entry, as a sentence.
pub fn sentence(item: &Item) -> String {
    let alias = &item.alias;
    let server = item.server.as_ref().map(ServerName::as_str);
    // The server is only named where the client calls it otherwise.
    let whose = match server {
        Some(server) if server != alias.as_str() => format!("`{alias}` (server `{server}`)"),
        _ => format!("`{alias}`"),
    };
    let place = item.section.as_deref().map(|section| format!(" in {section}")).unwrap_or_default();
    match &item.verdict {
        Verdict::InStep => format!("{whose} is in step{place}"),
        Verdict::Add => format!("add {whose}{place}"),
        Verdict::Update => format!("update {whose}{place}"),
        Verdict::Remove => format!("remove {whose}{place}"),
        Verdict::TakeOver => format!("take over {whose}{place}, which the client runs by itself now"),
        Verdict::RemoveTwin => format!("remove {whose}{place}, a second entry of the same server"),
        Verdict::Drift(Drift::Edited) => format!("{whose}{place} was edited by somebody else"),
        Verdict::Drift(Drift::Removed) => format!("{whose}{place} was removed by somebody else"),
        Verdict::Drift(Drift::Doubled) | Verdict::Conflict(Drift::Doubled) => {
            format!("{whose}{place} is a second entry of the same server, with settings of its own")
        }
        Verdict::Conflict(Drift::Edited) => {
            format!("{whose}{place} was edited by somebody else, and so was the catalogue")
        }
        Verdict::Conflict(Drift::Removed) => {
            format!("{whose}{place} was removed by somebody else, and edited in the catalogue")
        }
        Verdict::Kept => format!("{whose}{place} is kept as the file has it"),
        Verdict::Unmanaged => format!("{whose}{place} is the client's own"),
    }
}
