//! What the registry is to hold after servers were asked.

use std::collections::BTreeMap;

use super::decide::{Step, Sync};
use crate::launch::Fingerprint;
use crate::name::ServerName;

/// What a server answered: all that it offers, or why that is not known.
pub type Outcome<T> = Result<T, String>;

/// One server in the registry from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    /// What it is called.
    pub name: ServerName,
    /// How it is started or reached now.
    pub fingerprint: Fingerprint,
    /// What is known of it.
    pub content: Content<T>,
}

/// What is known of a server from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<T> {
    /// What was known under this name, as it stands there: with the fingerprint under which it was seen.
    Kept {
        /// What the server was called.
        from: String,
    },
    /// What it has just said.
    Seen(T),
    /// It did not answer. What was known stays, and is marked.
    Stale {
        /// What the server was called, where something is known.
        from: Option<String>,
        /// Why it did not answer.
        why: String,
    },
}

impl Sync {
    /// Returns what the registry is to hold, given what came of asking.
    ///
    /// A server that was to be asked and has no outcome counts as one that failed: nothing is taken for a success that
    /// was not one. One of which nothing is known, and which was not to be asked, has no row yet.
    pub fn fold<T>(&self, mut outcomes: BTreeMap<ServerName, Outcome<T>>) -> Vec<Row<T>> {
        let content = |step: &Step, outcome: Option<Outcome<T>>| match (step.ask, outcome) {
            (true, Some(Ok(seen))) => Some(Content::Seen(seen)),
            (true, Some(Err(why))) => Some(Content::Stale { from: step.from.clone(), why }),
            (true, None) => {
                let why = "it was not asked to the end".to_owned();
                Some(Content::Stale { from: step.from.clone(), why })
            }
            (false, _) => step.from.clone().map(|from| Content::Kept { from }),
        };
        let row = |step: &Step| {
            let content = content(step, outcomes.remove(&step.name))?;
            Some(Row { name: step.name.clone(), fingerprint: step.fingerprint, content })
        };
        self.steps.iter().filter_map(row).collect()
    }
}
