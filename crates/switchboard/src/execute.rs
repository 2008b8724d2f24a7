//! A plan carried out: client files written, what was written noted down, what was displaced merged again.

mod merged;
mod own;
mod push;
mod undo;

use std::sync::Arc;

use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ServerName;
use switchboard_core::plan::ClientPlan;
use switchboard_host::backup::Kept;
use switchboard_host::file::{Options, Outcome, Snapshot, Target, WriteError, replace};
use switchboard_host::hash::Hash;

use crate::fail::Failure;
use crate::home::Home;
use crate::observe::{Linked, Observer};

pub(crate) use own::write_own;
pub(crate) use push::{Pushed, push, push_all, remember};
pub(crate) use undo::{Undo, finish_undos, undo};

/// What became of one client's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// There was nothing to write.
    InStep,
    /// It was written; what was done, as sentences.
    Written { done: Vec<String>, durable: Result<(), String> },
    /// It was not written; why, as a sentence, and what to do.
    NotWritten { why: String, hint: Option<String> },
}

/// What a push may do beside the pending changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Only these servers; all when empty.
    pub(crate) only: Vec<ServerName>,
    /// What somebody else changed is put back: of one server, or of all.
    #[expect(clippy::option_option, reason = "nothing, all, or one: the inner option is what a plan takes")]
    pub(crate) restore: Option<Option<ServerName>>,
    /// Servers from elsewhere, to be given in the place of the home's own; what the client has of its own is left.
    pub(crate) given: Option<Arc<Catalogue>>,
}

impl Choice {
    /// Returns the observer that plans by this choice.
    ///
    /// # Errors
    /// The system does not say where the program is.
    pub(crate) fn observer<'h>(&'h self, home: &'h Home) -> Result<Observer<'h>, Failure> {
        match &self.given {
            Some(catalogue) => Ok(Observer::giving(home, catalogue)),
            None => Observer::new(home),
        }
    }

    /// Applies the choice to a plan.
    pub(crate) fn apply(&self, plan: &mut ClientPlan, record: &ClientRecord) {
        if self.given.is_some() {
            plan.leave_own(record);
        }
        if let Some(server) = &self.restore {
            plan.restore(server.as_ref());
        }
        if !self.only.is_empty() {
            plan.only(&self.only);
        }
    }
}

/// Replaces a file's bytes, or makes the file.
///
/// # Errors
/// As an outcome: nothing was written.
pub(crate) fn write(
    home: &Home,
    linked: &Linked,
    expected: Option<&Snapshot>,
    bytes: &[u8],
    reason: &str,
) -> Result<Outcome, Push> {
    let target = match expected {
        Some(snapshot) => Ok(snapshot.target.clone()),
        None => Target::resolve(&linked.path),
    };
    let target = target.map_err(|refusal| unwritten(&refusal.into()))?;
    let options = options(linked, reason, None);
    replace(&target, expected, bytes, &home.backups(), &options).map_err(|error| unwritten(&error))
}

/// On whose behalf a file is written.
fn options(linked: &Linked, reason: &str, kept: Option<Kept>) -> Options {
    Options { client: Some(linked.id().to_string()), kept, ..Options::new(reason) }
}

/// Says why a file was not written, and what to do.
fn unwritten(error: &WriteError) -> Push {
    let failure = Failure::failed("").caused_by(error);
    Push::NotWritten { why: failure.causes.join(": "), hint: Some(error.help()) }
}

/// Says in words why a write did not come to pass.
pub(crate) fn written(outcome: Result<Outcome, Push>) -> Result<Snapshot, String> {
    match outcome {
        Ok(Outcome::Written(written) | Outcome::PublishedNotDurable { written, .. }) => Ok(written.now),
        Ok(Outcome::Conflict { .. }) => Err("it changed in the same moment".to_owned()),
        Ok(Outcome::Displaced { .. }) => {
            Err("another program wrote it in the same moment; its version is in the backups".to_owned())
        }
        Err(Push::NotWritten { why, .. }) => Err(why),
        Err(_) => Err("it was not written".to_owned()),
    }
}

/// Returns the hash that a record remembers.
pub(crate) fn hash_of(text: Option<&String>) -> Option<Hash> {
    text.and_then(|text| Hash::parse(text))
}
