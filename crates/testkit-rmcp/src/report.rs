//! What a client says of each server that it is sent to: one line of JSON, with a result for each check.

use std::time::Duration;

use serde_json::{Value, json};

/// How long one check may take before it counts as failed: far more than it needs.
const GUARD: Duration = Duration::from_secs(20);

/// Why a check has not passed.
pub(crate) enum Miss {
    /// It cannot be made here.
    Skipped(&'static str),
    Failed(String),
}

impl<E: std::error::Error> From<E> for Miss {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a check has seen, to be compared with what is seen elsewhere.
pub(crate) type Checked = Result<String, Miss>;

/// Asks something that must hold.
pub(crate) fn must(holds: bool, why: impl FnOnce() -> String) -> Result<(), Miss> {
    if holds { Ok(()) } else { Err(Miss::Failed(why())) }
}

/// Compares as JSON, whatever the order of keys.
pub(crate) fn same(actual: &Value, expected: &Value, what: &str) -> Result<(), Miss> {
    must(actual == expected, || format!("{what} is {actual}, not {expected}"))
}

/// The checks of one server, one after the other.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) checks: Vec<Value>,
}

impl Report {
    /// Makes a check, and notes how it went; returns whether it passed.
    pub(crate) async fn check(&mut self, name: &str, made: impl Future<Output = Checked>) -> bool {
        let checked = tokio::time::timeout(GUARD, made).await;
        let (result, key, told) = match checked.unwrap_or_else(|_| Err(Miss::Failed("no answer".to_owned())))
        {
            Ok(saw) => ("ok", "saw", saw),
            Err(Miss::Skipped(why)) => ("skipped", "why", why.to_owned()),
            Err(Miss::Failed(why)) => ("failed", "why", why.chars().take(300).collect()),
        };
        self.checks.push(json!({ "check": name, "result": result, key: told }));
        result == "ok"
    }
}
