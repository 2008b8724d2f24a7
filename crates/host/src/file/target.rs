//! Where a path really leads: every hop of a chain of links.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::{Kind, Refusal};
use crate::system;

/// As many as Linux itself follows.
const MAX_HOPS: usize = 40;

/// A path and the file it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    asked: PathBuf,
    links: Vec<PathBuf>,
    real: PathBuf,
}

impl Target {
    /// Follows every link from `path` to the file itself, which need not exist if no link promises it.
    ///
    /// # Errors
    ///
    /// The way ends nowhere, in a circle, or at something that is not a file.
    pub fn resolve(path: &Path) -> Result<Self, Refusal> {
        let asked = std::path::absolute(path)
            .map_err(|source| Refusal::Unreachable { path: path.to_owned(), source })?;
        let mut walk = Walk::from(&asked);
        walk.walk(&asked)?;
        let Walk { real, links, .. } = walk;
        match real.symlink_metadata() {
            Ok(meta) => refuse_what_is_no_file(&real, &meta)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Refusal::Unreachable { path: real, source }),
        }
        Ok(Self { asked, links, real })
    }

    /// The path that was asked for, made absolute.
    pub fn asked(&self) -> &Path {
        &self.asked
    }

    /// The file itself: no part of this path is a link.
    pub fn real(&self) -> &Path {
        &self.real
    }

    /// The folder that holds the file itself.
    pub fn folder(&self) -> &Path {
        self.real.parent().unwrap_or(&self.real)
    }

    /// Everything whose change can change what the path means: each link on the way, also of folders, and last the
    /// file itself. Whoever watches the path watches the folder of each.
    pub fn hops(&self) -> impl Iterator<Item = &Path> {
        self.links.iter().chain([&self.real]).map(PathBuf::as_path)
    }
}

/// Returns what [`Target::hops`] does, also for a path that leads nowhere: then the last is the name that is missing,
/// or stands in the way.
pub(crate) fn hops(path: &Path) -> Vec<PathBuf> {
    let Ok(asked) = std::path::absolute(path) else { return Vec::new() };
    let mut walk = Walk::from(&asked);
    let end = match walk.walk(&asked) {
        Ok(()) => Some(walk.real),
        Err(
            Refusal::Dangling { missing: path, .. }
            | Refusal::MissingFolder { folder: path }
            | Refusal::NotAFolder { path }
            | Refusal::NotAFile { path, .. }
            | Refusal::Unreachable { path, .. },
        ) => Some(path),
        Err(_) => None,
    };
    walk.links.into_iter().chain(end).collect()
}

/// Refuses what is neither a file nor a link; `path` is where it stands.
pub(super) fn refuse_what_is_no_file(path: &Path, meta: &Metadata) -> Result<(), Refusal> {
    if meta.is_file() {
        return Ok(());
    }
    Err(Refusal::NotAFile { path: path.to_owned(), kind: system::kind(meta.file_type()) })
}

/// One part of a path that is still to be walked.
struct Step {
    part: Part,
    /// The link whose text named this part.
    from: Option<PathBuf>,
}

enum Part {
    Root(OsString),
    Up,
    Name(OsString),
}

struct Walk {
    real: PathBuf,
    links: Vec<PathBuf>,
    /// The parts ahead; the next one is the last.
    ahead: Vec<Step>,
}

impl Walk {
    fn from(asked: &Path) -> Self {
        let mut walk = Self { real: PathBuf::new(), links: Vec::new(), ahead: Vec::new() };
        walk.put_ahead(asked, None);
        walk
    }

    fn walk(&mut self, asked: &Path) -> Result<(), Refusal> {
        while let Some(step) = self.ahead.pop() {
            self.take(step, asked)?;
        }
        Ok(())
    }

    fn put_ahead(&mut self, path: &Path, from: Option<&Path>) {
        for component in path.components().rev() {
            let part = match component {
                Component::Prefix(_) | Component::RootDir => Part::Root(component.as_os_str().to_owned()),
                Component::CurDir => continue,
                Component::ParentDir => Part::Up,
                Component::Normal(name) => Part::Name(name.to_owned()),
            };
            self.ahead.push(Step { part, from: from.map(Path::to_owned) });
        }
    }

    fn take(&mut self, step: Step, asked: &Path) -> Result<(), Refusal> {
        let name = match step.part {
            Part::Root(root) => {
                self.real.push(root);
                return Ok(());
            }
            Part::Up => {
                // What was walked holds no link any more, so the parent is the one above.
                self.real.pop();
                return Ok(());
            }
            Part::Name(name) => name,
        };
        let next = self.real.join(name);
        match next.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => self.follow(next, asked),
            Ok(_) => {
                self.real = next;
                Ok(())
            }
            Err(error) => self.step_into_nothing(next, step.from, error),
        }
    }

    fn follow(&mut self, link: PathBuf, asked: &Path) -> Result<(), Refusal> {
        if self.links.len() >= MAX_HOPS {
            return Err(Refusal::Loop { path: asked.to_owned() });
        }
        match link.read_link() {
            Ok(text) => self.put_ahead(&text, Some(&link)),
            Err(source) => return Err(Refusal::Unreachable { path: link, source }),
        }
        self.links.push(link);
        Ok(())
    }

    fn step_into_nothing(
        &mut self,
        missing: PathBuf,
        from: Option<PathBuf>,
        error: io::Error,
    ) -> Result<(), Refusal> {
        match (error.kind(), from) {
            (ErrorKind::NotFound, Some(link)) => Err(Refusal::Dangling { link, missing }),
            (ErrorKind::NotFound, None) if self.ahead.is_empty() => {
                self.real = missing;
                Ok(())
            }
            (ErrorKind::NotFound, None) => Err(Refusal::MissingFolder { folder: missing }),
            (ErrorKind::NotADirectory, _) => Err(self.not_a_folder()),
            (_, _) => Err(Refusal::Unreachable { path: missing, source: error }),
        }
    }

    fn not_a_folder(&self) -> Refusal {
        match self.real.symlink_metadata() {
            Ok(meta) if !meta.is_file() => {
                Refusal::NotAFile { path: self.real.clone(), kind: system::kind(meta.file_type()) }
            }
            _ => Refusal::NotAFolder { path: self.real.clone() },
        }
    }
}

/// Returns what keeps a path from being the name of a file, whatever is there.
pub(super) fn kind_of(path: &Path) -> Option<Kind> {
    let meta = path.symlink_metadata().ok()?;
    (!meta.is_file()).then(|| system::kind(meta.file_type()))
}
