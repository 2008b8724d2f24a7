//! A plan carried out: client files written, what was written noted down, what was displaced merged again.

use std::path::Path;

use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ServerName;
use switchboard_core::plan::{ClientPlan, FileState, render_document};
use switchboard_host::backup::Label;
use switchboard_host::file::{self, Options, Outcome, Snapshot, Target, replace};
use switchboard_host::hash::Hash;

use crate::fail::{Code, Failure};
use crate::home::{Home, now, save};
use crate::journal::Write;
use crate::merged_undo;
use crate::observe::{Linked, Look, Observer};

/// How often a write is merged with what another program wrote in the same moment.
const ATTEMPTS: usize = 8;

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
}

impl Choice {
    /// Applies the choice to a plan.
    pub(crate) fn apply(&self, plan: &mut ClientPlan) {
        if let Some(server) = &self.restore {
            plan.restore(server.as_ref());
        }
        if !self.only.is_empty() {
            plan.only(&self.only);
        }
    }
}

/// Writes what is pending into one client's file.
///
/// The file is read, merged and exchanged; what another program wrote in between is merged again. A failure concerns
/// this client alone.
///
/// # Errors
/// Only when our own state cannot be kept: then nothing further may be written.
pub(crate) fn push(home: &mut Home, linked: &Linked, choice: &Choice) -> Result<Push, Failure> {
    let before = home.relations.clients.get(linked.id()).cloned().unwrap_or_default();
    let mut record = before.clone();
    let mut done: Vec<String> = Vec::new();
    for _ in 0..ATTEMPTS {
        let (look, rendered) = {
            let observer = Observer::new(home)?;
            observer.look_and(linked, record.clone(), &observer.same(), |plan, record, document| {
                choice.apply(plan);
                render_document(plan, &linked.dialect, record, document)
            })
        };
        if let Some(refused) = refused(&look) {
            return Ok(refused);
        }
        let sentences = look.plan.sentences();
        let rendered = match rendered {
            Some(Ok(rendered)) => rendered,
            // Refused above: what cannot be read is not rendered.
            None => return Ok(Push::InStep),
            Some(Err(error)) => {
                let hint = match &error {
                    switchboard_core::client::render::RenderError::Refused(refusal) => {
                        Some(refusal.help().to_owned())
                    }
                    switchboard_core::client::render::RenderError::Unspeakable { .. } => None,
                };
                return Ok(Push::NotWritten { why: error.to_string(), hint });
            }
        };
        if sentences.is_empty() {
            settle(home, linked, rendered.record, look.file.as_ref())?;
            let durable = Ok(());
            return Ok(if done.is_empty() { Push::InStep } else { Push::Written { done, durable } });
        }
        note(home, linked, &look, &rendered.text, &sentences, &before)?;
        let outcome = write(home, linked, look.file.as_ref(), rendered.text.as_bytes(), "before a push");
        done.extend(sentences);
        match outcome {
            Ok(Outcome::Written(written)) => {
                settle(home, linked, rendered.record, Some(&written.now))?;
                return Ok(Push::Written { done, durable: Ok(()) });
            }
            Ok(Outcome::PublishedNotDurable { written, why }) => {
                settle(home, linked, rendered.record, Some(&written.now))?;
                return Ok(Push::Written { done, durable: Err(why.to_string()) });
            }
            // Nothing was written: plan anew over what stands there now.
            Ok(Outcome::Conflict { .. }) => done.clear(),
            Ok(Outcome::Displaced { theirs, written }) => {
                // Their version goes back first, and ours is planned on top of it.
                put_back(home, linked, &theirs.bytes, &written.now);
                record = look.record;
                done.clear();
            }
            Err(failed) => return Ok(failed),
        }
    }
    Ok(Push::NotWritten {
        why: "another program keeps writing it".to_owned(),
        hint: Some("close the client, then push again".to_owned()),
    })
}

/// Why a file is not to be written at all.
fn refused(look: &Look) -> Option<Push> {
    let not = |why: &str, hint: Option<String>| Some(Push::NotWritten { why: why.to_owned(), hint });
    match &look.plan.state {
        FileState::Missing => match look.linked.path.parent() {
            Some(folder) if !folder.is_dir() && look.plan.is_pending() => not(
                &format!("its folder `{}` does not exist", folder.display()),
                Some("start the client once, or make the folder".to_owned()),
            ),
            _ => None,
        },
        FileState::Read => None,
        FileState::Unreadable => {
            let problem = look.plan.problems.first();
            let why = problem.map_or_else(|| "it cannot be read".to_owned(), ToString::to_string);
            Some(Push::NotWritten { why, hint: problem.and_then(|problem| problem.help.clone()) })
        }
        FileState::Wiped => not(
            "our entries are gone, and the file with them or nearly so: somebody wiped it",
            Some(format!("bring them back with `switchboard client restore {}`", look.linked.id())),
        ),
        FileState::CutOff => not(
            "it is cut off: somebody is in the middle of writing it",
            Some(
                "when it stays so, restore it from its own backup, or with `switchboard client undo`"
                    .to_owned(),
            ),
        ),
        FileState::Shared(_) => Some(Push::InStep),
    }
}

/// Notes a write down before the file is touched, with the bytes on both sides of it.
fn note(
    home: &mut Home,
    linked: &Linked,
    look: &Look,
    text: &str,
    sentences: &[String],
    before: &ClientRecord,
) -> Result<(), Failure> {
    let backups = home.backups();
    let id = linked.id().as_str();
    let keep = |bytes: &[u8], reason: &str| {
        backups
            .keep(bytes, &Label::now(Some(id), &linked.path, reason))
            .map_err(|error| Failure::failed("keep a backup").caused_by(&error).hint(error.help()))
    };
    let old = look.file.as_ref().map(|file| keep(&file.bytes, "before a push")).transpose()?;
    let new = keep(text.as_bytes(), "after a push")?;
    home.journal.push(Write {
        client: linked.id().clone(),
        path: linked.path.to_string_lossy().into_owned(),
        at: now(),
        before: old,
        after: new,
        revision: home.history.last().map_or(0, |entry| entry.revision.number),
        done: sentences.to_vec(),
        record: before.clone(),
        undone: false,
        undoing: false,
        merged: None,
    });
    save(&home.dirs.journal(), &home.journal)?;
    crate::retention::prune_now_and_then(home);
    Ok(())
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
    let target = target
        .map_err(|refusal| Push::NotWritten { why: refusal.to_string(), hint: Some(refusal.help()) })?;
    let options = Options { client: Some(linked.id().to_string()), ..Options::new(reason) };
    replace(&target, expected, bytes, &home.backups(), &options).map_err(|error| {
        let failure = Failure::failed("").caused_by(&error);
        Push::NotWritten { why: failure.causes.join(": "), hint: Some(error.help()) }
    })
}

/// Puts what another program wrote back in its place, so that the next merge begins from it.
///
/// When that fails the file holds our version, and theirs is in the backups: nothing is lost either way.
fn put_back(home: &Home, linked: &Linked, theirs: &[u8], ours: &Snapshot) {
    let _ = write(home, linked, Some(ours), theirs, "merged with another program's");
}

/// Remembers what is true of a client's file now.
fn settle(
    home: &mut Home,
    linked: &Linked,
    mut record: ClientRecord,
    file: Option<&Snapshot>,
) -> Result<(), Failure> {
    let seen = file.map(|file| file.hash.to_string());
    let revision = home.history.last().map(|entry| entry.revision.number);
    if let (Some(file), true) = (file, record.seen != seen) {
        // Kept so that a file which is later cut off can be told from one that was edited.
        let label = Label::now(Some(linked.id().as_str()), &linked.path, "as last seen");
        home.backups()
            .keep(&file.bytes, &label)
            .map_err(|error| Failure::failed("keep a backup").caused_by(&error).hint(error.help()))?;
    }
    record.path = linked.path.to_string_lossy().into_owned();
    record.seen = seen;
    record.revision = revision;
    let same = home.relations.clients.get(linked.id()).is_some_and(|old| {
        let at = old.at;
        record.at = at;
        *old == record
    });
    if same {
        return Ok(());
    }
    record.at = now();
    home.relations.clients.insert(linked.id().clone(), record);
    home.save_relations()
}

/// Remembers a client's file as it is, with this record, without writing it.
///
/// # Errors
/// Our own state cannot be kept.
pub(crate) fn remember(home: &mut Home, look: &Look, record: ClientRecord) -> Result<(), Failure> {
    let linked = look.linked.clone();
    let file = look.file.clone();
    settle(home, &linked, record, file.as_ref())
}

/// What undoing a write came to.
pub(crate) enum Undo {
    /// There is nothing to undo.
    Nothing,
    /// The file is what it was; removed when it had not existed. `merged` says that what somebody else changed since
    /// stays.
    Done { removed: bool, merged: bool, done: Vec<String> },
    /// Somebody changed the file since, and with it what is to be undone; why, as a fragment.
    Changed(String),
}

/// Puts a client's file back to what it was before the last push, byte for byte; where somebody else changed something
/// else since, only what the push changed.
///
/// # Errors
/// The backup is gone, or the file cannot be written; nothing was changed.
pub(crate) fn undo(home: &mut Home, linked: &Linked, force: bool, dry_run: bool) -> Result<Undo, Failure> {
    let failed = || Failure::failed(format!("undo the last push to `{}`", linked.id()));
    let now_there = match file::read(&linked.path) {
        Ok(file) => Some(file),
        Err(file::ReadError::Missing { .. }) => None,
        Err(error) => return Err(failed().caused_by(&error).hint(error.help())),
    };
    let hash = now_there.as_ref().map(|file| file.hash);
    let path = linked.path.to_string_lossy();
    // A note of a write that never came to be is passed over: the file is still what was there before it.
    let at = home.journal.entries.iter().rposition(|write| {
        write.client == *linked.id()
            && write.path == path
            && !write.undone
            && (hash == Some(write.after) || hash != write.before)
    });
    let Some(at) = at else { return Ok(Undo::Nothing) };
    let entry = home.journal.entries[at].clone();
    let merged = if hash == Some(entry.after) || force {
        None
    } else {
        match merged_undo::text(home, linked, &entry, now_there.as_ref()) {
            Ok(text) => Some(text),
            Err(why) => return Ok(Undo::Changed(why)),
        }
    };
    let removed = entry.before.is_none() && merged.is_none();
    let outcome = Undo::Done { removed, merged: merged.is_some(), done: entry.done.clone() };
    if dry_run {
        return Ok(outcome);
    }
    home.journal.entries[at].undoing = true;
    home.journal.entries[at].merged = merged.as_ref().map(|text| Hash::of(text.as_bytes()));
    save(&home.dirs.journal(), &home.journal)?;
    match (merged, entry.before) {
        (Some(text), _) => {
            written(write(home, linked, now_there.as_ref(), text.as_bytes(), "before an undo"))
                .map_err(|why| failed().because(why))?;
        }
        (None, Some(before)) => {
            let bytes =
                home.backups().load(before).map_err(|error| failed().caused_by(&error).hint(error.help()))?;
            written(write(home, linked, now_there.as_ref(), &bytes, "before an undo"))
                .map_err(|why| failed().because(why))?;
        }
        (None, None) => remove(home, now_there.as_ref(), linked).map_err(|why| failed().because(why))?,
    }
    note_undone(home, at);
    save_undone(home)?;
    Ok(outcome)
}

/// Notes an undo down; the record of the client is again what it was before the write.
fn note_undone(home: &mut Home, at: usize) {
    let write = &mut home.journal.entries[at];
    (write.undone, write.undoing) = (true, false);
    let mut record = write.record.clone();
    record.path.clone_from(&write.path);
    if write.merged.is_some() {
        // The file is another one than was seen then.
        record.seen = None;
    }
    home.relations.clients.insert(write.client.clone(), record);
}

/// The journal last: until it is saved, the undo counts as not finished, and is finished again.
fn save_undone(home: &Home) -> Result<(), Failure> {
    home.save_relations()?;
    save(&home.dirs.journal(), &home.journal)
}

/// Finishes undos that a crash cut off: where the file was put back already, it is remembered as put back.
///
/// # Errors
/// Our own state cannot be kept.
pub(crate) fn finish_undos(home: &mut Home) -> Result<(), Failure> {
    let begun: Vec<usize> =
        (0..home.journal.entries.len()).filter(|at| home.journal.entries[*at].undoing).collect();
    for &at in &begun {
        let write = &mut home.journal.entries[at];
        let hash = match file::read(Path::new(&write.path)) {
            Ok(file) => Some(file.hash),
            Err(file::ReadError::Missing { .. }) => None,
            Err(_) => continue,
        };
        write.undoing = false;
        if hash == write.before || (hash.is_some() && hash == write.merged) {
            note_undone(home, at);
        }
    }
    if begun.is_empty() { Ok(()) } else { save_undone(home) }
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

/// Removes a file that we made, once its bytes are in the backups.
fn remove(home: &Home, file: Option<&Snapshot>, linked: &Linked) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let label = Label::now(Some(linked.id().as_str()), &linked.path, "before it was removed");
    home.backups().keep(&file.bytes, &label).map_err(|error| error.to_string())?;
    file::remove(file).map_err(|error| error.to_string())
}

/// Writes one of our own files that people edit: the catalogue or the settings.
///
/// # Errors
/// It changed meanwhile, or cannot be written; nothing was changed.
pub(crate) fn write_own(
    home: &Home,
    path: &Path,
    expected: Option<&Snapshot>,
    text: &str,
) -> Result<Snapshot, Failure> {
    let name = home.short(path);
    let failed = || Failure::failed(format!("write `{name}`"));
    let target = match expected {
        Some(snapshot) => snapshot.target.clone(),
        None => Target::resolve(path).map_err(|error| failed().caused_by(&error).hint(error.help()))?,
    };
    let options = Options::new("before it was edited");
    let outcome = replace(&target, expected, text.as_bytes(), &home.backups(), &options)
        .map_err(|error| failed().caused_by(&error).hint(error.help()))?;
    match outcome {
        Outcome::Written(written) | Outcome::PublishedNotDurable { written, .. } => Ok(written.now),
        Outcome::Conflict { .. } => Err(Failure::new(Code::Conflict, format!("write `{name}`"))
            .because("it changed while switchboard was writing")
            .hint("run the command again")),
        Outcome::Displaced { theirs, written } => {
            // Whoever wrote it in that moment wins; our change is asked for again.
            let _ =
                replace(&written.now.target, Some(&written.now), &theirs.bytes, &home.backups(), &options);
            Err(Failure::new(Code::Conflict, format!("write `{name}`"))
                .because("another program wrote it in the same moment")
                .hint("run the command again"))
        }
    }
}

/// Returns the hash that a record remembers.
pub(crate) fn hash_of(text: Option<&String>) -> Option<Hash> {
    text.and_then(|text| Hash::parse(text))
}
