//! What is told in the log: what is news of a client's file, and of our own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use switchboard_core::flow::{Outcome, Source};
use switchboard_core::name::ClientId;
use switchboard_core::plan::FileState;
use switchboard_core::problem::Problem;
use switchboard_host::hash::Hash;
use switchboard_host::watch::Content;
use tracing::{info, warn};

use super::view::View;
use crate::execute::Push;
use crate::observe::Look;

/// Takes note of how a client's file stands, and tells it as far as it is news.
pub(super) fn note(
    known: &mut BTreeMap<PathBuf, (Source, Option<Content>)>,
    views: &mut BTreeMap<ClientId, View>,
    id: &ClientId,
    push: Option<&Push>,
    look: Option<&Look>,
    now: Option<Hash>,
) -> Outcome {
    let Some(look) = look else { return Outcome::Again };
    if let Some((_, held)) = known.get_mut(&look.linked.path) {
        *held = match (now, &look.plan.state) {
            (Some(hash), _) => Some(Content::Is(hash)),
            (None, FileState::Unreadable) => Some(Content::Unreadable),
            (None, _) => Some(Content::Missing),
        };
    }
    let view = View::of(look, push);
    tell(id, views.get(id), &view, push);
    views.insert(id.clone(), view);
    let readable = matches!(look.plan.state, FileState::Read | FileState::Missing);
    // It may be ours to read again before a watch could see that it was not.
    let refused = now.is_none() && look.plan.state == FileState::Unreadable;
    match push {
        // What says something else than it should is looked at again when it changes.
        Some(Push::NotWritten { .. }) if readable || refused => Outcome::Again,
        _ => Outcome::Rest,
    }
}

/// Tells what is newly wrong with our own files, and what is in order again.
pub(super) fn tell_problems(before: &[(String, Problem)], now: &[(String, Problem)]) {
    for (file, problem) in now.iter().filter(|problem| !before.contains(problem)) {
        let place = problem.place.map(|place| format!(":{place}")).unwrap_or_default();
        warn!(path = format!("{file}{place}"), hint = problem.help, "{}", problem.what);
    }
    let files = |all: &[(String, Problem)]| all.iter().map(|(file, _)| file.clone()).collect::<BTreeSet<_>>();
    for file in files(before).difference(&files(now)) {
        info!(path = file, "in order again");
    }
}

/// Tells what became of a client's file, as far as that is news.
fn tell(id: &ClientId, before: Option<&View>, now: &View, push: Option<&Push>) {
    let client = id.as_str();
    if let Some(Push::Written { done, durable }) = push {
        info!(client, "written: {}", crate::change::in_short(done));
        if let Err(why) = durable {
            warn!(client, error = why, "the disk has not confirmed the write");
        }
    }
    if before.is_some_and(|before| before == now) {
        return;
    }
    let known = |what: fn(&View) -> &Vec<String>, sentence: &String| {
        before.is_some_and(|before| what(before).contains(sentence))
    };
    if let Some(Push::NotWritten { why, hint }) = push {
        warn!(client, hint, "not written: {why}");
    }
    if matches!(now.file, "wiped" | "cut off") {
        // The entries that are missing are not told one by one.
        return;
    }
    for sentence in now.drift.iter().filter(|sentence| !known(|view| &view.drift, sentence)) {
        warn!(client, "drift: {sentence}; `switchboard client adopt {client}`, `keep` or `restore` decides");
    }
    for sentence in now.conflicts.iter().filter(|sentence| !known(|view| &view.conflicts, sentence)) {
        warn!(client, "conflict: {sentence}; `switchboard client adopt {client}` or `restore` decides");
    }
}
