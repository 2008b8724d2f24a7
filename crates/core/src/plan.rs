//! The plan for a client's file: what is wanted and what was observed, turned into a list of effects, as plain data.
//!
//! Deciding is pure; carrying out is for others. `--dry-run` and "pending" show this same plan. A second plan over
//! what the first one wrote is empty: that is rest. What an event leads to beyond one file is in [`crate::flow`].

mod show;
mod wanted;

pub use show::sentence;
pub use wanted::wanted;

use std::collections::HashSet;
use std::sync::Arc;

use crate::client::bridge::{Bridge, SINGLE};
use crate::client::dialect::{Dialect, Unspeakable};
use crate::client::hidden::hidden;
use crate::client::reconcile::{Drift, Item, Same, Verdict, Wanted, reconcile, twin};
use crate::client::relation::{ClientRecord, Relation, Standing};
use crate::client::render::{RenderError, Rendered, entry_of, new_entry, render};
use crate::client::scan::{Found, Scan, scan};
use crate::document::{Document, Unreadable};
use crate::launch::Launch;
use crate::name::{ClientId, ServerName};
use crate::problem::Problem;

/// What is planned for one client's file.
#[derive(Debug)]
pub struct ClientPlan {
    /// The client.
    pub id: ClientId,
    /// What its file is like.
    pub state: FileState,
    /// The entries of the file.
    pub found: Vec<Found>,
    /// What should become of each entry.
    pub items: Vec<Item>,
    /// What is wrong with the file or its entries.
    pub problems: Vec<Problem>,
    /// What each entry is to say.
    pub wanted: Arc<Wanted>,
}

/// What a client's file is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// There is none, and there was none.
    Missing,
    /// It was read.
    Read,
    /// It cannot be read, so it is left alone.
    Unreadable,
    /// Entries of ours were in it, and it is gone or empty now: the client, or somebody, wiped it.
    Wiped,
    /// It is the beginning of what it was: somebody is in the middle of writing it, or failed to.
    CutOff,
    /// Another linked client has the same entries; that one keeps them in step.
    Shared(ClientId),
}

impl ClientPlan {
    /// Returns the items that a push would write.
    pub fn pending(&self) -> impl Iterator<Item = &Item> {
        let open = matches!(self.state, FileState::Missing | FileState::Read);
        self.items.iter().filter(move |item| open && item.verdict.is_pending())
    }

    /// Returns whether a push would write.
    pub fn is_pending(&self) -> bool {
        self.pending().next().is_some()
    }

    /// Returns the items that somebody else changed.
    pub fn drifted(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(item.verdict, Verdict::Drift(_)))
    }

    /// Returns the items that both sides changed.
    pub fn conflicts(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(item.verdict, Verdict::Conflict(_)))
    }

    /// Makes items that somebody else changed say what we want again: all of them, or those of one server. Of two entries
    /// of one server one is made so, and the other goes as any second entry does.
    pub fn restore(&mut self, server: Option<&ServerName>) {
        if self.state == FileState::Wiped {
            self.state = FileState::Read;
        }
        let stays = |item: &&Item| {
            matches!(
                item.verdict,
                Verdict::InStep | Verdict::Add | Verdict::Update | Verdict::TakeOver | Verdict::Kept
            )
        };
        let mut served: HashSet<ServerName> =
            self.items.iter().filter(stays).filter_map(|item| item.server.clone()).collect();
        for item in &mut self.items {
            if server.is_some() && item.server.as_ref() != server {
                continue;
            }
            let wanted = item.server.as_ref().is_some_and(|server| self.wanted.contains_key(server));
            let found = || self.found.iter().find(|found| found.key() == item.key());
            item.verdict = match (&item.verdict, wanted) {
                (Verdict::Drift(Drift::Edited) | Verdict::Conflict(Drift::Edited), true) => {
                    let is_first = item.server.clone().is_some_and(|server| served.insert(server));
                    if is_first { Verdict::Update } else { found().map_or(Verdict::Update, twin) }
                }
                (Verdict::Drift(Drift::Edited) | Verdict::Conflict(Drift::Edited), false) => Verdict::Remove,
                (Verdict::Drift(Drift::Removed), true) => {
                    served.extend(item.server.clone());
                    Verdict::Add
                }
                (verdict, _) => (*verdict).clone(),
            };
        }
    }

    /// Leaves alone what the client runs by itself, also where it is a server that it is to be given: only entries
    /// of the record are ours then. A server that the client has of its own is not given to it a second time.
    pub fn leave_own(&mut self, record: &ClientRecord) {
        for item in &mut self.items {
            let own = record.relation(item.section.as_deref(), item.alias.as_str()).is_none();
            let taken = matches!(
                item.verdict,
                Verdict::TakeOver | Verdict::RemoveTwin | Verdict::Conflict(Drift::Doubled)
            );
            if own && taken {
                (item.verdict, item.server) = (Verdict::Unmanaged, None);
            }
        }
    }

    /// Holds back every pending item but those of `servers`.
    pub fn only(&mut self, servers: &[ServerName]) {
        self.items.retain(|item| {
            !item.verdict.is_pending() || item.server.as_ref().is_some_and(|server| servers.contains(server))
        });
    }
}

/// What was observed of a client's file.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'t> {
    /// Its text; `None` when there is no file.
    pub text: Option<&'t str>,
    /// Its text when it was last read in full or written by us, if that is known.
    pub last: Option<&'t str>,
    /// Its text as a document, if somebody read it already.
    pub document: Option<&'t Document<'t>>,
}

/// Returns what is planned for one client's file.
///
/// A file that cannot be read gives a plan without items: it is not touched, and the record stays. So does a client
/// of which nobody can say what is wanted. A server that the client cannot be told is a problem of its own; the others
/// go on.
pub fn plan_client(
    id: &ClientId,
    dialect: &Dialect,
    record: &ClientRecord,
    observed: Observed<'_>,
    wanted: Result<impl Into<Arc<Wanted>>, Problem>,
    bridge: &Bridge,
    same: &Same<'_>,
) -> ClientPlan {
    let (wanted, refused) = match wanted {
        Ok(wanted) => (wanted.into(), None),
        Err(problem) => (Arc::default(), Some(problem)),
    };
    let mut plan = ClientPlan {
        id: id.clone(),
        state: FileState::Read,
        found: Vec::new(),
        items: Vec::new(),
        problems: Vec::new(),
        wanted,
    };
    let read;
    let document = match observed.document {
        Some(document) => document,
        None => match Document::parse(observed.text.unwrap_or_default(), dialect.format) {
            Ok(document) => {
                read = document;
                &read
            }
            Err(error) => {
                plan.state = FileState::Unreadable;
                plan.problems.push(unreadable(&error));
                return plan;
            }
        },
    };
    let Scan { mut found, problems, .. } = scan(document, dialect, bridge);
    // The one entry for several servers is known by all that it says: others may lead to us as well, and are not ours.
    for entry in found.iter_mut().filter(|entry| entry.ours.is_none()) {
        let says = |ours: &Launch| entry.launch.as_ref().is_some_and(|theirs| theirs.same_fields(ours));
        entry.ours = plan
            .wanted
            .get_key_value(SINGLE)
            .filter(|(_, ours)| bridge.leads_to_us(ours) && says(ours))
            .map(|(name, _)| name.clone());
    }
    plan.state = state(record, observed, document, &found);
    plan.problems = problems;
    if plan.problems.iter().any(Problem::is_error) {
        if plan.state == FileState::Read {
            plan.state = FileState::Unreadable;
        }
    } else if let Some(problem) = refused {
        plan.problems.push(problem);
    } else {
        plan.items = reconcile(&found, record, &plan.wanted, same);
        plan.leave_out_unspeakable(dialect, record, &found);
        plan.problems.extend(hidden(document, dialect, &plan.items));
    }
    plan.found = found;
    plan
}

impl ClientPlan {
    /// What the client cannot be told is a problem, and its entry stays as it is.
    fn leave_out_unspeakable(&mut self, dialect: &Dialect, record: &ClientRecord, found: &[Found]) {
        let Self { items, wanted, problems, .. } = self;
        items.retain(|item| {
            let Some(why) = unspeakable(item, wanted, dialect, record, found) else { return true };
            let server = item.server.as_ref().map_or(item.alias.as_str(), ServerName::as_str);
            problems.push(
                Problem::warning(format!("server `{server}` cannot be given to this client: {why}"))
                    .help("use via = \"bridge\" for this client, or leave the server out of its `servers`"),
            );
            false
        });
    }
}

fn unspeakable(
    item: &Item,
    wanted: &Wanted,
    dialect: &Dialect,
    record: &ClientRecord,
    found: &[Found],
) -> Option<Unspeakable> {
    let ours = wanted.get(item.server.as_ref()?)?;
    // A program with arguments and variables is what every client can be told; nearly all entries are that.
    if matches!(ours, Launch::Stdio { cwd: None, .. }) {
        return None;
    }
    let told = match item.verdict {
        Verdict::Add => new_entry(dialect, record, item, ours).map(drop),
        Verdict::Update | Verdict::TakeOver => {
            let entry = entry_of(found, item).map(|entry| &entry.value);
            dialect.write_entry(ours, entry).map(drop)
        }
        _ => Ok(()),
    };
    told.err()
}

fn unreadable(error: &Unreadable) -> Problem {
    Problem::error(error.reason.to_string()).at(error.place).help(error.help())
}

fn state(
    record: &ClientRecord,
    observed: Observed<'_>,
    document: &Document<'_>,
    found: &[Found],
) -> FileState {
    let Some(text) = observed.text else {
        return if record.has_managed() { FileState::Wiped } else { FileState::Missing };
    };
    if record.has_managed() && (document.is_blank() || found.is_empty()) {
        return FileState::Wiped;
    }
    match observed.last {
        // Shorter, and byte for byte the beginning of what it was: nobody edits like this, half a write looks so.
        Some(last) if text.len() < last.trim_end().len() && !text.is_empty() && last.starts_with(text) => {
            FileState::CutOff
        }
        _ => FileState::Read,
    }
}

/// Returns the record after a scan: it says what the file says, and nothing that is pending is lost by it.
///
/// Entries of ours whose record was lost are known again, but for second entries of one server: those a push takes
/// out, and a record would make them stay.
pub fn scanned(plan: &ClientPlan, record: &ClientRecord) -> ClientRecord {
    let mut record = record.clone();
    for item in &plan.items {
        let Some(server) = &item.server else { continue };
        let section = item.section.as_deref();
        let known = record.relation(section, item.alias.as_str());
        let base = match (&item.verdict, entry_of(&plan.found, item)) {
            (Verdict::InStep, _) => plan.wanted.get(server),
            (Verdict::Update | Verdict::Remove, Some(entry)) if known.is_none() => entry.launch.as_ref(),
            _ => None,
        };
        let Some(base) = base else { continue };
        let origin = known.and_then(|known| match &known.standing {
            Standing::Managed { origin, .. } | Standing::Stashed { origin, .. } => origin.clone(),
            Standing::Kept => None,
        });
        record.put(Relation {
            section: item.section.clone(),
            alias: item.alias.clone(),
            server: server.clone(),
            standing: Standing::Managed { base: base.clone(), origin },
        });
    }
    record.forget_renamed(plan.found.iter().map(Found::key));
    record
}

/// Returns the new text of a client's file and the record that is true once it is written.
///
/// A file that is left alone stays as it is, and so does its record.
///
/// # Errors
/// As [`render`]: nothing of the file is written.
pub fn render_client(
    plan: &ClientPlan,
    dialect: &Dialect,
    record: &ClientRecord,
    text: &str,
) -> Result<Rendered, RenderError> {
    if !matches!(plan.state, FileState::Missing | FileState::Read) {
        return Ok(Rendered { text: text.to_owned(), record: record.clone(), problems: Vec::new() });
    }
    let document = Document::parse(text, dialect.format)
        .map_err(|error| crate::document::Refusal::Unverified(error.to_string()))?;
    render_document(plan, dialect, record, &document)
}

/// Returns the same of a file that was read already.
///
/// # Errors
/// As [`render_client`].
pub fn render_document(
    plan: &ClientPlan,
    dialect: &Dialect,
    record: &ClientRecord,
    document: &Document<'_>,
) -> Result<Rendered, RenderError> {
    render(document, dialect, &plan.found, &plan.items, &plan.wanted, record)
}

/// Returns a launch whose references to stored secrets are replaced by the secrets, for comparing.
pub fn with_stored(launch: &Launch, stored: &dyn Fn(&str) -> Option<String>) -> Launch {
    let plain = |text: &String| {
        let mut text = text.clone();
        while let Some(start) = text.find("${keyring:") {
            let Some(end) = text[start..].find('}').map(|end| start + end) else { break };
            let Some(secret) = stored(&text[start + "${keyring:".len()..end]) else { break };
            text.replace_range(start..=end, &secret);
        }
        text
    };
    let map = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
    };
    match launch {
        Launch::Stdio { command, args, env, cwd } => {
            Launch::Stdio { command: command.clone(), args: args.clone(), env: map(env), cwd: cwd.clone() }
        }
        Launch::Remote { kind, url, headers } => {
            Launch::Remote { kind: *kind, url: url.clone(), headers: map(headers) }
        }
    }
}

#[cfg(test)]
mod tests;
