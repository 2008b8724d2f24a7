//! What is pending, written into clients' files: all of them looked at, noted down at once, written at the same time.

use std::path::Path;

use switchboard_core::client::relation::ClientRecord;
use switchboard_core::client::render::RenderError;
use switchboard_core::plan::{FileState, render_document};
use switchboard_host::backup::{Kept, Label};
use switchboard_host::file::{Outcome, Replacement, Snapshot, Target, WriteError, replace_all};
use switchboard_host::hash::Hash;

use super::{Choice, Push, options, unwritten, write};
use crate::fail::Failure;
use crate::home::{Home, now, save};
use crate::journal::{Journal, Write};
use crate::observe::{Linked, Look};

/// How often a write is merged with what another program wrote in the same moment.
const ATTEMPTS: usize = 8;

/// What became of one client's file, and what it was like.
pub(crate) struct Pushed {
    pub(crate) push: Push,
    /// The file and the plan, as they were before the last try.
    pub(crate) look: Option<Look>,
    /// What the file holds now, as far as that is known.
    pub(crate) now: Option<Hash>,
}

/// Writes what is pending into one client's file.
///
/// # Errors
/// As [`push_all`].
pub(crate) fn push(home: &mut Home, linked: &Linked, choice: &Choice) -> Result<Push, Failure> {
    let pushed = push_all(home, &[linked], choice, &mut |_, _| ())?.pop();
    Ok(pushed.map_or(Push::InStep, |pushed| pushed.push))
}

/// Writes what is pending into several clients' files, and returns what became of each, in their order. `announced` is
/// told each content before it is written.
///
/// What has to be on the disk before a file may be touched is put there for all of them at once, so that ten files take
/// hardly longer than one.
///
/// Each file is read, merged and exchanged; what another program wrote in between is merged again. A failure concerns its
/// client alone.
///
/// # Errors
/// Only when our own state cannot be kept: then nothing further may be written.
pub(crate) fn push_all(
    home: &mut Home,
    clients: &[&Linked],
    choice: &Choice,
    announced: &mut dyn FnMut(&Path, Hash),
) -> Result<Vec<Pushed>, Failure> {
    home.provide_tokens(clients.iter().map(|linked| &linked.settings))?;
    let mut tries: Vec<Try<'_>> = clients.iter().map(|linked| Try::new(home, linked)).collect();
    for _ in 0..ATTEMPTS {
        let mut writes = Vec::new();
        {
            let observer = choice.observer(home)?;
            let same = observer.same();
            for (at, own) in tries.iter_mut().enumerate().filter(|(_, own)| own.ended.is_none()) {
                let (look, rendered) =
                    observer.look_and(own.linked, own.record.clone(), &same, |plan, record, document| {
                        choice.apply(plan, record);
                        render_document(plan, &own.linked.dialect, record, document)
                    });
                match own.decide(look, rendered) {
                    Decision::Ended(pushed) => own.ended = Some(pushed),
                    Decision::Written(write) => writes.push((at, write)),
                }
            }
        }
        for own in &mut tries {
            own.settle(home)?;
        }
        if writes.is_empty() {
            break;
        }
        let kept = note(home, &tries, &writes)?;
        for (at, write) in &writes {
            announced(&tries[*at].linked.path, Hash::of(write.text.as_bytes()));
        }
        let outcomes = carry_out(home, &tries, &writes, &kept);
        for ((at, write), outcome) in writes.into_iter().zip(outcomes) {
            tries[at].take_in(home, write, outcome);
        }
        for own in &mut tries {
            own.settle(home)?;
        }
        save_relations(home, &mut tries)?;
    }
    save_relations(home, &mut tries)?;
    Ok(tries.into_iter().map(Try::end).collect())
}

/// One client's file on its way.
struct Try<'l> {
    linked: &'l Linked,
    /// The record before everything, for the way back.
    before: ClientRecord,
    /// The record that is planned by.
    record: ClientRecord,
    done: Vec<String>,
    /// What is true once it is over: the record, and the file that it is of.
    true_now: Option<(ClientRecord, Option<Snapshot>, Known)>,
    /// The record has changed and is not saved yet.
    unsaved: bool,
    ended: Option<Pushed>,
}

/// Whether a content is in the backups already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Kept,
    Unknown,
}

/// What is to be written.
struct Pending {
    look: Look,
    text: String,
    record: ClientRecord,
    sentences: Vec<String>,
}

enum Decision {
    Ended(Pushed),
    Written(Pending),
}

impl<'l> Try<'l> {
    fn new(home: &Home, linked: &'l Linked) -> Self {
        let before = home.relations.clients.get(linked.id()).cloned().unwrap_or_default();
        let record = before.clone();
        Self { linked, before, record, done: Vec::new(), true_now: None, unsaved: false, ended: None }
    }

    /// Says whether there is something to write.
    fn decide(
        &mut self,
        look: Look,
        rendered: Option<Result<switchboard_core::client::render::Rendered, RenderError>>,
    ) -> Decision {
        let there = look.file.as_ref().map(|file| file.hash);
        let ended = |push, look| Decision::Ended(Pushed { push, look: Some(look), now: there });
        if let Some(refused) = refused(&look) {
            return ended(refused, look);
        }
        let sentences = look.plan.sentences();
        let rendered = match rendered {
            Some(Ok(rendered)) => rendered,
            // Refused above: what cannot be read is not rendered.
            None => return ended(Push::InStep, look),
            Some(Err(error)) => return ended(unrendered(&error), look),
        };
        if !sentences.is_empty() {
            return Decision::Written(Pending {
                look,
                text: rendered.text,
                record: rendered.record,
                sentences,
            });
        }
        self.true_now = Some((rendered.record, look.file.clone(), Known::Unknown));
        let done = std::mem::take(&mut self.done);
        let push = if done.is_empty() { Push::InStep } else { Push::Written { done, durable: Ok(()) } };
        ended(push, look)
    }

    /// Takes in what came of a write. What another program wrote in the same moment is planned upon anew.
    fn take_in(&mut self, home: &Home, write: Pending, outcome: Result<Outcome, WriteError>) {
        self.done.extend(write.sentences);
        let (written, durable) = match outcome {
            Ok(Outcome::Written(written)) => (written, Ok(())),
            Ok(Outcome::PublishedNotDurable { written, why }) => (written, Err(why.to_string())),
            Ok(Outcome::Conflict { .. }) => {
                self.done.clear();
                return;
            }
            Ok(Outcome::Displaced { theirs, written }) => {
                // Their version goes back first, and ours is planned on top of it.
                put_back(home, self.linked, &theirs.bytes, &written.now);
                self.record = write.look.record;
                self.done.clear();
                return;
            }
            Err(error) => {
                let now = write.look.file.as_ref().map(|file| file.hash);
                self.ended = Some(Pushed { push: unwritten(&error), look: Some(write.look), now });
                return;
            }
        };
        let now = Some(written.now.hash);
        self.true_now = Some((write.record, Some(written.now), Known::Kept));
        let push = Push::Written { done: std::mem::take(&mut self.done), durable };
        self.ended = Some(Pushed { push, look: Some(write.look), now });
    }

    /// Takes over what is true now into what is remembered.
    fn settle(&mut self, home: &mut Home) -> Result<(), Failure> {
        if let Some((record, file, known)) = self.true_now.take() {
            self.unsaved |= settle(home, self.linked, record, file.as_ref(), known)?;
        }
        Ok(())
    }

    fn end(self) -> Pushed {
        self.ended.unwrap_or_else(|| Pushed {
            push: Push::NotWritten {
                why: "another program keeps writing it".to_owned(),
                hint: Some("close the client, then push again".to_owned()),
            },
            look: None,
            now: None,
        })
    }
}

/// Saves what is remembered, if anything of it changed.
fn save_relations(home: &Home, tries: &mut [Try<'_>]) -> Result<(), Failure> {
    if tries.iter().any(|own| own.unsaved) {
        home.save_relations()?;
        tries.iter_mut().for_each(|own| own.unsaved = false);
    }
    Ok(())
}

fn unrendered(error: &RenderError) -> Push {
    let hint = match error {
        RenderError::Refused(refusal) => Some(refusal.help().to_owned()),
        RenderError::Unspeakable { .. } => None,
    };
    Push::NotWritten { why: error.to_string(), hint }
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

/// Notes writes down before the files are touched, with the bytes on both sides of each. Returns what was put into the
/// backups of each file as it stands.
fn note(
    home: &mut Home,
    tries: &[Try<'_>],
    writes: &[(usize, Pending)],
) -> Result<Vec<Option<Kept>>, Failure> {
    let records: Vec<Vec<u8>> = writes.iter().map(|(at, _)| Journal::bytes_of(&tries[*at].before)).collect();
    let mut contents: Vec<(&[u8], Label)> = Vec::new();
    for ((at, write), record) in writes.iter().zip(&records) {
        let linked = tries[*at].linked;
        let label = |reason| Label::now(Some(linked.id().as_str()), &linked.path, reason);
        if let Some(file) = &write.look.file {
            contents.push((&file.bytes, label("before a push")));
        }
        contents.push((write.text.as_bytes(), label("after a push")));
        contents.push((record, label("what was remembered before a push")));
    }
    let kept = home
        .backups()
        .keep_all(&contents)
        .map_err(|error| Failure::failed("keep a backup").caused_by(&error).hint(error.help()))?;
    let mut kept = kept.into_iter();
    let mut old = Vec::new();
    let revision = home.history.last().map_or(0, |entry| entry.revision.number);
    for (at, write) in writes {
        let before = write.look.file.as_ref().and_then(|_| kept.next());
        let (Some(after), Some(record)) = (kept.next(), kept.next()) else { continue };
        let linked = tries[*at].linked;
        home.journal.push(Write {
            client: linked.id().clone(),
            path: linked.path.to_string_lossy().into_owned(),
            at: now(),
            before: before.map(Kept::hash),
            after: after.hash(),
            revision,
            done: write.sentences.clone(),
            record: record.hash(),
            undone: false,
            undoing: false,
            merged: None,
        });
        old.push(before);
    }
    save(&home.dirs.journal(), &home.journal)?;
    crate::retention::prune_now_and_then(home);
    Ok(old)
}

/// Replaces the files, at the same time.
fn carry_out(
    home: &Home,
    tries: &[Try<'_>],
    writes: &[(usize, Pending)],
    kept: &[Option<Kept>],
) -> Vec<Result<Outcome, WriteError>> {
    let mut files = Vec::new();
    let mut outcomes: Vec<Option<WriteError>> = Vec::new();
    for ((at, write), kept) in writes.iter().zip(kept) {
        let linked = tries[*at].linked;
        let target = match &write.look.file {
            Some(file) => Ok(file.target.clone()),
            None => Target::resolve(&linked.path),
        };
        match target {
            Ok(target) => {
                let options = options(linked, "before a push", *kept);
                let expected = write.look.file.as_ref();
                files.push(Replacement { target, expected, bytes: write.text.as_bytes(), options });
                outcomes.push(None);
            }
            Err(refusal) => outcomes.push(Some(refusal.into())),
        }
    }
    let mut replaced = replace_all(&files, &home.backups()).into_iter();
    let in_order = outcomes.into_iter().map(|error| match error {
        Some(error) => Some(Err(error)),
        None => replaced.next(),
    });
    in_order.flatten().collect()
}

/// Puts what another program wrote back in its place, so that the next merge begins from it.
///
/// When that fails the file holds our version, and theirs is in the backups: nothing is lost either way.
fn put_back(home: &Home, linked: &Linked, theirs: &[u8], ours: &Snapshot) {
    let _ = write(home, linked, Some(ours), theirs, "merged with another program's");
}

/// Remembers what is true of a client's file now, and returns whether that is news.
fn settle(
    home: &mut Home,
    linked: &Linked,
    mut record: ClientRecord,
    file: Option<&Snapshot>,
    known: Known,
) -> Result<bool, Failure> {
    let seen = file.map(|file| file.hash.to_string());
    let revision = home.history.last().map(|entry| entry.revision.number);
    if let (Some(file), true) = (file, record.seen != seen && known == Known::Unknown) {
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
        record.at = old.at;
        *old == record
    });
    if same {
        return Ok(false);
    }
    record.at = now();
    home.relations.clients.insert(linked.id().clone(), record);
    Ok(true)
}

/// Remembers a client's file as it is, with this record, without writing it.
///
/// # Errors
/// Our own state cannot be kept.
pub(crate) fn remember(home: &mut Home, look: &Look, record: ClientRecord) -> Result<(), Failure> {
    if settle(home, &look.linked, record, look.file.as_ref(), Known::Unknown)? {
        home.save_relations()?;
    }
    Ok(())
}
