//! How a command fails: the only place where errors become words, hints and exit codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use switchboard_core::problem::Problem;

/// The exit codes, as the README documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// Something did not work.
    Failed = 1,
    /// The command line was not understood.
    Usage = 2,
    /// A file of the user's is wrong.
    BadFile = 3,
    /// The daemon is not reachable.
    Unreachable = 4,
    /// A conflict, or a missing consent: nothing was changed.
    Conflict = 5,
}

/// Why a command ended without doing what it was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: Code,
    /// What failed: a fragment that fits after "failed to".
    pub(crate) what: String,
    /// What went wrong inside, outermost first.
    pub(crate) causes: Vec<String>,
    /// What to type or to do next.
    pub(crate) hints: Vec<String>,
    /// Problems of a file, each with its place.
    pub(crate) problems: Vec<(String, Problem)>,
    /// Somebody else is at it for a moment.
    #[serde(default)]
    pub(crate) busy: bool,
}

/// What a command gives back.
pub(crate) type Done = Result<(), Failure>;

/// Returns an error and all that caused it, from the outermost on, each once.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        // A transparent error says the same as its source, and some name it at their end.
        if causes.last().is_none_or(|last| !last.ends_with(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    causes
}

/// Returns an error with all that caused it, as one sentence.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    chain(error).join(": ")
}

impl Failure {
    /// Returns a failure; `what` fits after "failed to".
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            problems: Vec::new(),
            busy: false,
        }
    }

    /// Returns a plain failure.
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::new(Code::Failed, what)
    }

    /// Returns a failure of usage.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Code::Usage, what)
    }

    /// Returns a failure to reach the daemon, or to understand it.
    pub(crate) fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Code::Unreachable, what)
    }

    /// Returns a failure that is over in a moment: somebody else is at it.
    pub(crate) fn busy(what: impl Into<String>) -> Self {
        Self { busy: true, ..Self::failed(what) }
    }

    /// Returns whether it is worth trying again in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Returns what failed and why, in one sentence.
    pub(crate) fn sentence(&self) -> String {
        let mut text = format!("failed to {}", self.what);
        for cause in &self.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        text
    }

    /// Returns a conflict, or a missing consent.
    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::new(Code::Conflict, what)
    }

    /// Returns the failure with a cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Returns the failure with an error and all that caused it.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        self.causes.extend(chain(error));
        self
    }

    /// Returns the failure with a hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns the failure with the problems of a file.
    #[must_use]
    pub(crate) fn with_problems(mut self, file: &str, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.problems.extend(problems.into_iter().map(|problem| (file.to_owned(), problem)));
        self
    }

    /// Returns the failure as JSON, for `--json`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": format!("failed to {}", self.what),
            "causes": self.causes,
            "hints": self.hints,
            "problems": self.problems.iter().map(|(file, problem)| {
                let mut value = serde_json::to_value(problem).unwrap_or_default();
                value["file"] = file.as_str().into();
                value
            }).collect::<Vec<_>>(),
            "exit_code": self.code as u8,
        })
    }
}
