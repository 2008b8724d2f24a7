//! The policy per tool: its file, what we remember of it, and what is in force.
//!
//! What a tool may do is decided in core; here the file is read ([`PolicyFile`]) and written, and other applications'
//! files with it ([`export`]).

pub(crate) mod export;
mod names;
mod record;

use std::path::Path;

use serde::{Deserialize, Serialize};
use switchboard_core::document::Document;
use switchboard_core::policy::merge::{self, Base};
use switchboard_core::policy::{self, ToolPolicy};
use switchboard_core::problem::{Parsed, Problem};
use switchboard_host::backup::Label;
use switchboard_host::file::{self, ReadError, Snapshot};
use switchboard_host::hash::Hash;
use switchboard_host::record::{self as records, Loaded};

use crate::execute::write_own;
use crate::fail::{Code, Done, Failure, whole};
use crate::home::{Home, now, save};
use crate::schema;
use crate::ui::Ui;

use names::Names;
pub(crate) use record::{Act, Record, Write};

/// The policy file of a home, and what is remembered of it.
pub(crate) struct PolicyFile {
    /// The file, when there is one that can be read.
    pub(crate) file: Option<Snapshot>,
    /// What is in force: what the file says, or what the last good one said.
    pub(crate) policy: ToolPolicy,
    /// What is wrong with the file.
    pub(crate) problems: Vec<Problem>,
    /// The file is wrong, so an earlier one is in force.
    pub(crate) last_good: bool,
    /// What we wrote into it.
    pub(crate) record: Record,
    /// What became of a write that a crash cut off is found out, and not saved yet.
    unsaved: bool,
    /// That what we remembered was damaged, and set aside.
    pub(crate) note: Option<String>,
}

/// What is to become of the file.
pub(crate) struct Change {
    /// Its new text; `None` where it is to go.
    pub(crate) text: Option<Vec<u8>>,
    /// What is generated in it then.
    pub(crate) base: Base,
    /// What is done.
    pub(crate) act: Act,
    /// The same as sentences.
    pub(crate) done: Vec<String>,
}

impl PolicyFile {
    /// Reads the policy of a home. A file that is wrong counts as little as one that is not there: what was in force
    /// stays.
    ///
    /// # Errors
    /// Our own state cannot be read.
    pub(crate) fn look(home: &Home) -> Result<Self, Failure> {
        let (mut record, note) =
            load::<Record>(&home.dirs.policy_record(), "all of the policy file counts as yours now")?;
        let (file, problem) = read(&home.dirs.policy());
        let unsaved = record.settle(file.as_ref().map(|file| file.hash));
        let text = file.as_ref().map(|file| Document::decode(&file.bytes)).transpose();
        let parsed = match (problem, text) {
            (Some(problem), _) => Err(vec![problem]),
            (None, Err(error)) => Err(vec![Problem::error(error.reason.to_string()).help(error.help())]),
            // Whoever takes the whole folder away has not decided anything about tools. It may have gone since the catalogue
            // was read.
            (None, Ok(None)) if record.good.is_some() && !home.dirs.catalogue().exists() => {
                Err(vec![Problem::error("the policy is gone, and the catalogue with it").help(
                    "bring the folder back; where it is meant to be gone, save a catalogue, and the policy begins anew",
                )])
            }
            (None, Ok(text)) => {
                let parsed = understood(home, text.unwrap_or_default(), &record);
                if !parsed.is_good() {
                    Err(parsed.problems)
                } else if text.is_some_and(is_blank) && !last_good(home, &record).rules().is_empty() {
                    Err(vec![Problem::error("the policy is suddenly empty").help(
                        "bring it back with `switchboard policy undo --force`, or remove the file to begin anew",
                    )])
                } else {
                    Ok(parsed)
                }
            }
        };
        Ok(match parsed {
            Ok(parsed) => Self {
                file,
                policy: parsed.value,
                problems: parsed.problems,
                last_good: false,
                record,
                unsaved,
                note,
            },
            Err(problems) => {
                let policy = last_good(home, &record);
                Self { file, policy, problems, last_good: true, record, unsaved, note }
            }
        })
    }

    /// Returns the text of the file; `None` where there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        self.file.as_ref().and_then(|file| Document::decode(&file.bytes).ok())
    }

    /// Returns the hash of the file; `None` where there is none.
    pub(crate) fn hash(&self) -> Option<Hash> {
        self.file.as_ref().map(|file| file.hash)
    }

    /// Returns a failure when the file is wrong: nothing may be changed on its behalf.
    ///
    /// # Errors
    /// The file is wrong.
    pub(crate) fn check(&self, home: &Home, what: &str) -> Done {
        if !self.last_good {
            return Ok(());
        }
        Err(Failure::new(Code::BadFile, format!("{what}: the policy file is wrong"))
            .with_problems(&home.short(&home.dirs.policy()), self.problems.clone())
            .hint("mend it, then run `switchboard config check`; until then the last good policy stays in force"))
    }

    /// Tells what is wrong with the file, and what that means.
    pub(crate) fn tell(&self, home: &Home, ui: &Ui) {
        if let Some(note) = &self.note {
            ui.note(format!("warning: {note}"));
        }
        let name = home.short(&home.dirs.policy());
        for problem in &self.problems {
            ui.problem(&name, problem);
        }
        if self.last_good {
            ui.note("the last good policy stays in force until the file is mended");
        }
    }

    /// Remembers what the file says, for when it is wrong one day, once servers are called in it as they are now.
    ///
    /// # Errors
    /// The file or the state folder cannot be written.
    pub(crate) fn remember(&mut self, home: &Home) -> Done {
        let now = Names::of(&home.catalogue.catalogue);
        let renamed = self.record.names.renamed(&now);
        if !self.last_good
            && self.file.is_some()
            && let Err(failure) = self.rename(home, &renamed)
        {
            // Nothing else has to wait for that; it is tried again whenever the home is held.
            self.note = Some(format!(
                "what is said of a server that has another name stays under the old one: {}",
                failure.sentence()
            ));
            return Ok(());
        }
        let is_new = !self.last_good && self.record.good != self.hash();
        let names = self.record.names.with(&now);
        let are_new = !self.last_good && self.file.is_some() && self.record.names != names;
        if !is_new && !are_new && !self.unsaved {
            return Ok(());
        }
        if is_new {
            if let Some(file) = &self.file {
                keep(home, &[(&file.bytes, "a good policy")])?;
            }
            self.record.good = self.hash();
        }
        if are_new {
            self.record.names = names;
        }
        self.unsaved = false;
        save(&home.dirs.policy_record(), &self.record)
    }

    /// Calls servers otherwise in the file: what a person denies must not be open again under another name.
    fn rename(&mut self, home: &Home, renamed: &[(String, String)]) -> Done {
        let mut text = self.text().unwrap_or_default().to_owned();
        let mut base = self.record.base.clone();
        let mut done = Vec::new();
        for (from, to) in renamed {
            // Where that cannot be, what is said under the old name stays there.
            if let Ok((now, now_base)) = merge::renamed(&text, &base, from, to) {
                done.extend((now != text).then(|| format!("`{from}` is called `{to}`")));
                (text, base) = (now, now_base);
            }
        }
        if done.is_empty() {
            return self.rebase(home, base);
        }
        self.put(home, Change { text: Some(text.into_bytes()), base, act: Act::Sync, done })
    }

    /// Takes what is generated into our memory where the file stays as it is.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn rebase(&mut self, home: &Home, base: Base) -> Done {
        if self.record.base == base {
            return Ok(());
        }
        self.record.base = base;
        save(&home.dirs.policy_record(), &self.record)
    }

    /// Writes the file: what it was is in the backups, and how to get back is noted, before anything is touched.
    ///
    /// # Errors
    /// It would be wrong afterwards, it changed meanwhile, or it cannot be written; then it is as it was.
    pub(crate) fn put(&mut self, home: &Home, change: Change) -> Done {
        let path = home.dirs.policy();
        let Change { text, base, act, done } = change;
        let before = self.record.clone();
        let base_before = serde_json::to_vec(&self.record.base).unwrap_or_default();
        let mut kept: Vec<(&[u8], &str)> = vec![(&base_before, "what was generated in the policy")];
        kept.push(match (&text, &self.file) {
            (Some(text), _) => (text, "a good policy"),
            (None, file) => (file.as_ref().map_or(&[], |file| &file.bytes), "before it was removed"),
        });
        keep(home, &kept)?;
        let write = Write {
            id: self.record.next_id(),
            at: now(),
            act,
            done,
            before: self.hash(),
            after: text.as_deref().map(Hash::of),
            base: Hash::of(&base_before),
        };
        self.record.begin(write, base);
        save(&home.dirs.policy_record(), &self.record)?;
        match self.replace(home, &path, text.as_deref()) {
            Ok(file) => self.file = file,
            Err(failure) => {
                // A note of what never was must not look like somebody's hand.
                self.record = before;
                save(&home.dirs.policy_record(), &self.record)?;
                return Err(failure);
            }
        }
        self.record.settle(self.hash());
        let parsed = understood(home, self.text().unwrap_or_default(), &self.record);
        self.last_good = !parsed.is_good();
        if parsed.is_good() {
            self.record.good = self.hash();
            self.policy = parsed.value;
        }
        self.problems = parsed.problems;
        save(&home.dirs.policy_record(), &self.record)
    }

    fn replace(&self, home: &Home, path: &Path, text: Option<&[u8]>) -> Result<Option<Snapshot>, Failure> {
        match (text, &self.file) {
            (Some(bytes), file) => {
                if file.is_none() {
                    schema::write(home)?;
                }
                write_own(home, path, file.as_ref(), bytes).map(Some)
            }
            (None, Some(file)) => {
                let failed = Failure::failed(format!("remove `{}`", home.short(path)));
                file::remove(file).map_err(|error| failed.caused_by(&error))?;
                Ok(None)
            }
            (None, None) => Ok(None),
        }
    }
}

/// Reads the file; one that cannot be read is one that is wrong.
fn read(path: &Path) -> (Option<Snapshot>, Option<Problem>) {
    match file::read(path) {
        Ok(file) => (Some(file), None),
        Err(ReadError::Missing { .. }) => (None, None),
        Err(_) if !path.parent().is_some_and(Path::exists) => (None, None),
        Err(error) => (None, Some(Problem::error(whole(&error)).help(error.help()))),
    }
}

/// Reads the text of the file, with what we remember of it: lines that were taken out, and those without effect.
fn understood(home: &Home, text: &str, record: &Record) -> Parsed<ToolPolicy> {
    let Parsed { value, mut problems } = policy::parse(text);
    let value = value.knowing(&record.base);
    problems.extend(policy::inert(&value, &record.base, home.settings.value.policy.usual()));
    problems.sort_by_key(|problem| problem.place);
    Parsed { value, problems }
}

/// Whether nothing at all stands in a text.
fn is_blank(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

/// What the last good file said.
fn last_good(home: &Home, record: &Record) -> ToolPolicy {
    let bytes = record.good.and_then(|good| home.backups().load(good).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|text| policy::parse(&text).value.knowing(&record.base)).unwrap_or_default()
}

/// Loads a record; a damaged one is set aside, and what that means is told.
pub(crate) fn load<T: Default + Serialize + for<'de> Deserialize<'de>>(
    path: &Path,
    means: &str,
) -> Result<(T, Option<String>), Failure> {
    match records::load(path) {
        Ok(Loaded::Found(value)) => Ok((value, None)),
        Ok(Loaded::Missing) => Ok((T::default(), None)),
        Ok(Loaded::Damaged { set_aside, .. }) => {
            let note = format!("a damaged record was set aside as `{}`; {means}", set_aside.display());
            Ok((T::default(), Some(note)))
        }
        Err(error) => Err(Failure::failed("read the state").caused_by(&error).hint(error.help())),
    }
}

/// Puts what belongs to the policy into the backups.
fn keep(home: &Home, contents: &[(&[u8], &str)]) -> Done {
    let path = home.dirs.policy();
    let contents: Vec<(&[u8], Label)> =
        contents.iter().map(|(bytes, why)| (*bytes, Label::now(None, &path, why))).collect();
    home.backups()
        .keep_all(&contents)
        .map(drop)
        .map_err(|error| Failure::failed("keep the policy").caused_by(&error).hint(error.help()))
}

/// Returns the backups that going back relies on.
pub(crate) fn pinned(home: &Home) -> Vec<Hash> {
    match records::load::<Record>(&home.dirs.policy_record()) {
        Ok(Loaded::Found(record)) => record.pinned().collect(),
        _ => Vec::new(),
    }
}
