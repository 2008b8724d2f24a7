//! A write taken back: a client's file as it was before, byte for byte.

use std::path::Path;

use switchboard_host::backup::Label;
use switchboard_host::file::{self, Snapshot};
use switchboard_host::hash::Hash;

use super::{merged as merging, write, written};
use crate::fail::Failure;
use crate::home::{Home, save};

use crate::observe::Linked;

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
        match merging::text(home, linked, &entry, now_there.as_ref()) {
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
    let backups = home.backups();
    let write = &mut home.journal.entries[at];
    (write.undone, write.undoing) = (true, false);
    // Where it is lost, the next scan finds out what can be found out.
    let mut record = write.remembered(&backups).unwrap_or_default();
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

/// Removes a file that we made, once its bytes are in the backups.
fn remove(home: &Home, file: Option<&Snapshot>, linked: &Linked) -> Result<(), String> {
    let Some(file) = file else { return Ok(()) };
    let label = Label::now(Some(linked.id().as_str()), &linked.path, "before it was removed");
    home.backups().keep(&file.bytes, &label).map_err(|error| error.to_string())?;
    file::remove(file).map_err(|error| error.to_string())
}
