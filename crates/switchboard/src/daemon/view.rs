//! What is told of a client's file: in the log when it changes, on the board always.

use std::path::PathBuf;

use serde::Serialize;
use switchboard_core::plan::sentence;
use switchboard_core::problem::Problem;

use crate::cmd::status::file_word;
use crate::execute::Push;
use crate::observe::Look;

/// How a client's file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    pub(crate) path: PathBuf,
    /// What the file is like, in a word.
    pub(crate) file: &'static str,
    /// What a push would do.
    pub(crate) pending: Vec<String>,
    /// What somebody else changed.
    pub(crate) drift: Vec<String>,
    /// What both sides changed.
    pub(crate) conflicts: Vec<String>,
    /// Why it was not written.
    pub(crate) failed: Option<String>,
    /// What to do about that.
    #[serde(skip)]
    pub(crate) hint: Option<String>,
}

impl View {
    /// Returns how the file stands after a look, and after a push where there was one.
    pub(crate) fn of(look: &Look, push: Option<&Push>) -> Self {
        let written = matches!(push, Some(Push::Written { .. }));
        let (failed, hint) = match push {
            Some(Push::NotWritten { why, hint }) => (Some(why.clone()), hint.clone()),
            _ => (None, None),
        };
        Self {
            path: look.linked.path.clone(),
            file: if written { "read" } else { file_word(&look.plan.state) },
            pending: if written { Vec::new() } else { look.plan.sentences() },
            drift: look.plan.drifted().map(sentence).collect(),
            conflicts: look.plan.conflicts().map(sentence).collect(),
            failed,
            hint,
        }
    }

    /// Returns why the file was not written, where that does not follow from what it says.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        let why = self.failed.as_ref().filter(|_| self.state() == "not written")?;
        let problem = Problem::error(format!("not written: {why}"));
        Some(match &self.hint {
            Some(hint) => problem.help(hint.clone()),
            None => problem,
        })
    }

    /// The states that a file can be in.
    pub(crate) const STATES: [&'static str; 6] =
        ["in step", "pending", "drifted", "conflict", "unreadable", "not written"];

    /// Returns the state in one word, as it is counted: the gravest.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self { file: "unreadable" | "wiped" | "cut off", .. } => "unreadable",
            Self { conflicts, .. } if !conflicts.is_empty() => "conflict",
            Self { drift, .. } if !drift.is_empty() => "drifted",
            Self { failed: Some(_), .. } => "not written",
            Self { pending, .. } if !pending.is_empty() => "pending",
            _ => "in step",
        }
    }
}
