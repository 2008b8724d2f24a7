//! Other applications' files kept in step with the tools of one server.
//!
//! Such a file belongs to a program that may write it at any moment. So it is read, worked out and exchanged like a
//! client's: what another program wrote in between is never lost, and ours is worked out again upon it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use switchboard_core::document::Document;
use switchboard_core::policy::export::{ExportBase, ExportedTool, Repair, export, places};
use switchboard_core::problem::Problem;
use switchboard_core::settings::ExportSettings;
use switchboard_host::backup::Backups;
use switchboard_host::dirs::make_folder;
use switchboard_host::file::{self, Options, Outcome, ReadError, Snapshot, Target, replace};
use switchboard_host::hash::Hash;

use super::load;
use crate::fail::{Failure, whole};
use crate::home::{Home, save};

/// So often ours is worked out anew where another program writes at the same time.
const TRIES: usize = 8;

/// What is remembered of the files of other applications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Exports(Vec<Kept>);

/// What is remembered of one file, for one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// What the settings call it.
    said: String,
    server: String,
    /// Where it is.
    path: PathBuf,
    /// What was last written into it.
    base: ExportBase,
    /// A write that may not have come to be: the content tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coming: Option<(Hash, ExportBase)>,
}

/// What became of one file.
pub(crate) struct Exported {
    pub(crate) server: String,
    /// Where it is; as the settings say it where that is not known.
    pub(crate) path: PathBuf,
    pub(crate) came: Came,
}

/// What became of one file.
pub(crate) enum Came {
    /// It is as it should be.
    InStep,
    /// It was written, or would be: how many tools of ours it had and has, and what was mended.
    Written { tools: (usize, usize), repairs: Vec<Repair>, created: bool },
    /// The file itself is wrong.
    Wrong(Problem),
    /// It was left alone; why, as a fragment, and what to do.
    NotWritten { why: String, hint: Option<String> },
}

impl Exports {
    /// Loads what is remembered.
    ///
    /// # Errors
    /// The state folder cannot be read.
    pub(crate) fn load(home: &Home) -> Result<(Self, Option<String>), Failure> {
        load(&home.dirs.exports(), "values in the files of other applications count as theirs now")
    }

    /// Returns where a file is: where it is found or can be made, below the folder that we stand in, else where it was
    /// the last time.
    fn place(&self, home: &Home, settings: &ExportSettings) -> Result<PathBuf, Came> {
        let here = std::env::current_dir().unwrap_or_default();
        let all: Vec<PathBuf> =
            places(&settings.path).into_iter().map(|place| here.join(home.expand(place))).collect();
        // One file has one name, whatever folder it is looked at from.
        let real = |path: &Path| {
            Target::resolve(path).map_or_else(|_| path.to_owned(), |target| target.real().to_owned())
        };
        if let Some(there) = all.iter().find(|path| path.exists()) {
            return Ok(real(there));
        }
        let of = |kept: &&Kept| kept.said == settings.path && kept.server == settings.server;
        if let Some(last) = self.0.iter().find(of).filter(|last| last.path.exists()) {
            return Ok(last.path.clone());
        }
        let is_whole = home.expand(&settings.path).is_absolute();
        match all.into_iter().find(|path| is_whole || path.parent().is_some_and(Path::is_dir)) {
            Some(path) => Ok(real(&path)),
            // A folder that nobody has made is hardly where the application looks.
            None => Err(Came::NotWritten {
                why: format!("there is no folder for it below `{}`", home.short(&here)),
                hint: Some("run the command in the folder of the application, or write the whole path into the settings".to_owned()),
            }),
        }
    }

    fn at(&mut self, settings: &ExportSettings, path: &Path) -> usize {
        let is = |kept: &Kept| kept.path == path && kept.server == settings.server;
        if let Some(at) = self.0.iter().position(is) {
            return at;
        }
        self.0.push(Kept {
            said: settings.path.clone(),
            server: settings.server.clone(),
            path: path.to_owned(),
            base: ExportBase::default(),
            coming: None,
        });
        self.0.len() - 1
    }

    /// Brings one file in step with `tools`; in a dry run nothing is written.
    ///
    /// # Errors
    /// Our own state cannot be kept.
    pub(crate) fn keep(
        &mut self,
        home: &Home,
        settings: &ExportSettings,
        tools: &[ExportedTool],
        dry_run: bool,
    ) -> Result<Exported, Failure> {
        let said = |came, path| Exported { server: settings.server.clone(), path, came };
        let path = match self.place(home, settings) {
            Ok(path) => path,
            Err(came) => return Ok(said(came, PathBuf::from(&settings.path))),
        };
        let at = self.at(settings, &path);
        let mut upon: Option<(Vec<u8>, Snapshot)> = None;
        for _ in 0..TRIES {
            let round = Round { home, server: &settings.server, tools, path: &path, dry_run };
            match round.run(&mut *self, at, upon.take())? {
                Turn::Over(came) => return Ok(said(came, path)),
                Turn::Again(theirs) => upon = theirs,
            }
        }
        let why = "another program goes on writing it".to_owned();
        Ok(said(Came::NotWritten { why, hint: Some("run the command again".to_owned()) }, path))
    }

    fn save(&self, home: &Home) -> Result<(), Failure> {
        save(&home.dirs.exports(), self)
    }
}

/// How one try ended.
enum Turn {
    Over(Came),
    /// Another program wrote at the same time. Where its content had to go for ours, here it is, and what stands there.
    Again(Option<(Vec<u8>, Snapshot)>),
}

/// One try at one file.
struct Round<'a> {
    home: &'a Home,
    server: &'a str,
    tools: &'a [ExportedTool],
    path: &'a Path,
    dry_run: bool,
}

impl Round<'_> {
    fn run(
        &self,
        exports: &mut Exports,
        at: usize,
        upon: Option<(Vec<u8>, Snapshot)>,
    ) -> Result<Turn, Failure> {
        let (theirs, there) = match upon {
            Some((theirs, there)) => (Some(theirs), Some(there)),
            None => match file::read(self.path) {
                Ok(there) => (None, Some(there)),
                Err(ReadError::Missing { .. }) => (None, None),
                Err(_) if !self.path.parent().is_some_and(Path::exists) => (None, None),
                Err(error) => return Ok(not_written(whole(&error), Some(error.help()))),
            },
        };
        let kept = &mut exports.0[at];
        if let Some((after, base)) = kept.coming.take()
            && there.as_ref().is_some_and(|there| there.hash == after)
        {
            kept.base = base;
        }
        let bytes = theirs.as_deref().or(there.as_ref().map(|there| there.bytes.as_slice()));
        let worked_out = match bytes.map(text).transpose() {
            Ok(text) => export(text, &kept.base, self.server, self.tools).map_err(|error| error.problem()),
            Err(problem) => Err(problem),
        };
        let done = match worked_out {
            Ok(done) => done,
            Err(problem) => {
                // Nothing of ours fits upon what the other program has just written, so that is what stands.
                if let (Some(theirs), Some(there)) = (theirs, there) {
                    let options = Options::new("before another program's content was put back");
                    let _ = replace(&there.target, Some(&there), &theirs, &self.backups(), &options);
                }
                return Ok(Turn::Over(Came::Wrong(problem)));
            }
        };
        let is_there = theirs.is_none();
        let Some(text) = done.text.or_else(|| theirs.and_then(|theirs| String::from_utf8(theirs).ok()))
        else {
            if !self.dry_run && exports.0[at].base != done.base {
                exports.0[at].base = done.base;
                exports.save(self.home)?;
            }
            return Ok(Turn::Over(Came::InStep));
        };
        let created = is_there && there.is_none();
        let written = Came::Written { tools: done.tools, repairs: done.repairs, created };
        if self.dry_run {
            return Ok(Turn::Over(written));
        }
        exports.0[at].coming = Some((Hash::of(text.as_bytes()), done.base.clone()));
        exports.save(self.home)?;
        if created
            && let Some(folder) = self.path.parent()
            && let Err(error) = make_folder(folder)
        {
            return Ok(not_written(whole(&error), Some(error.help())));
        }
        let target = match &there {
            Some(there) => there.target.clone(),
            None => match Target::resolve(self.path) {
                Ok(target) => target,
                Err(error) => return Ok(not_written(whole(&error), Some(error.help()))),
            },
        };
        let options = Options::new("before an export");
        let outcome = replace(&target, there.as_ref(), text.as_bytes(), &self.backups(), &options);
        match outcome {
            Ok(Outcome::Written(_) | Outcome::PublishedNotDurable { .. }) => {
                let kept = &mut exports.0[at];
                (kept.base, kept.coming) = (done.base, None);
                exports.save(self.home)?;
                Ok(Turn::Over(written))
            }
            Ok(Outcome::Conflict { .. }) => Ok(Turn::Again(None)),
            // Ours is worked out again upon theirs, from what was there before both.
            Ok(Outcome::Displaced { theirs, written }) => {
                exports.0[at].coming = None;
                Ok(Turn::Again(Some((theirs.bytes, written.now))))
            }
            Err(error) => Ok(not_written(whole(&error), Some(error.help()))),
        }
    }

    fn backups(&self) -> Backups {
        self.home.backups()
    }
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    Document::decode(bytes)
        .map_err(|error| Problem::error(error.reason.to_string()).at(error.place).help(error.help()))
}

fn not_written(why: String, hint: Option<impl Into<String>>) -> Turn {
    Turn::Over(Came::NotWritten { why, hint: hint.map(Into::into) })
}
