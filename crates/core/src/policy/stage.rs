//! What the tests of the policy are played with.

use std::time::Duration;

use super::{Decisions, Proposal, Setting, Tool, Usual, Verbs, infer};

/// What holds where nothing is said, with results kept.
pub(super) const USUAL: Usual = Usual { hard_timeout: Duration::from_secs(3_600), cache: true };

/// A server that nothing is said of.
pub(super) fn setting<'s>(server: &'s str, verbs: &'s Verbs) -> Setting<'s> {
    Setting { server, trust: false, timeout: None, verbs, decisions: Decisions::default() }
}

/// What is proposed for tools of these names.
pub(super) fn proposals(server: &str, tools: &str, decisions: Decisions) -> Vec<Proposal> {
    let verbs = Verbs::default();
    let setting = Setting { decisions, ..setting(server, &verbs) };
    tools.split_whitespace().map(|name| infer(&Tool::named(name), &setting)).collect()
}
