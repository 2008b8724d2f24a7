//! Where a client's files are, and which file is whose.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::client::dialect::Dialect;

/// The variables that a template may begin with.
pub const VARIABLES: &[&str] =
    &["{home}", "{xdg_config}", "{appdata}", "{localappdata}", "{mac_support}", "{project}"];

/// A place where a client looks for servers.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// A word for it among the client's places.
    pub name: &'static str,
    /// Whom it is for.
    pub scope: Scope,
    /// Templates of the path on Linux, in the order in which they are probed; none where the client is not there.
    ///
    /// A template begins with one of [`VARIABLES`] or is absolute, and is written with slashes. A `*` inside a part
    /// stands for anything in it.
    pub linux: &'static [&'static str],
    /// The same on macOS.
    pub macos: &'static [&'static str],
    /// The same on Windows.
    pub windows: &'static [&'static str],
    /// Environment variables that move the file, the strongest first.
    pub env: &'static [EnvOverride],
    /// How servers are written there, where that differs from the client's other places.
    pub dialect: Option<&'static Dialect>,
    /// Ours to read only.
    pub read_only: bool,
    /// Where it exists, it counts before the places in front of it.
    pub prefer: bool,
}

/// Whom a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A user, in all projects.
    User,
    /// Everybody in a project.
    Project,
    /// One user in a project.
    Local,
    /// Every user of the machine; administrators write it.
    System,
    /// Nobody any more: earlier versions of the client looked there.
    Legacy,
}

/// An environment variable that moves a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvOverride {
    /// The variable.
    pub variable: &'static str,
    /// What follows its value in the path; empty where the variable names the file itself.
    pub suffix: &'static str,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Linux, and other systems like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// What a machine and its user are like, as far as paths depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The operating system.
    pub system: System,
    /// The user's home.
    pub home: PathBuf,
    /// Where programs that follow the XDG rules keep settings (`~/.config`).
    pub xdg_config: PathBuf,
    /// `%APPDATA%`.
    pub appdata: Option<PathBuf>,
    /// `%LOCALAPPDATA%`.
    pub localappdata: Option<PathBuf>,
    /// `~/Library/Application Support`.
    pub mac_support: Option<PathBuf>,
    /// The variables that move files, where they are set.
    pub env: BTreeMap<String, String>,
}

/// A path at which a client's file may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The path.
    pub path: PathBuf,
    /// The path has a `*` in it: it stands for every path that fits.
    pub glob: bool,
}

/// How well a path fits a place: exactly, or by as many parts at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Suffix(usize),
    Exact,
}

impl Place {
    /// Returns a user's place with the same templates on every system.
    pub(super) const fn user(templates: &'static [&'static str]) -> Self {
        Self::systems(templates, templates, templates)
    }

    /// Returns a user's place with templates for Linux, macOS and Windows.
    pub(super) const fn systems(
        linux: &'static [&'static str],
        macos: &'static [&'static str],
        windows: &'static [&'static str],
    ) -> Self {
        Self {
            name: "user",
            scope: Scope::User,
            linux,
            macos,
            windows,
            env: &[],
            dialect: None,
            read_only: false,
            prefer: false,
        }
    }

    /// Returns a project's place.
    pub(super) const fn project(templates: &'static [&'static str]) -> Self {
        Self::user(templates).named("project").of(Scope::Project)
    }

    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) const fn of(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Returns the place as one that earlier versions had.
    pub(super) const fn legacy(self, name: &'static str) -> Self {
        self.named(name).of(Scope::Legacy)
    }

    /// Returns the place as one that administrators write.
    pub(super) const fn system(self) -> Self {
        self.named("system").of(Scope::System).only_read()
    }

    pub(super) const fn only_read(self) -> Self {
        Self { read_only: true, ..self }
    }

    pub(super) const fn preferred(self) -> Self {
        Self { prefer: true, ..self }
    }

    pub(super) const fn moved_by(self, env: &'static [EnvOverride]) -> Self {
        Self { env, ..self }
    }

    pub(super) const fn in_dialect(self, dialect: &'static Dialect) -> Self {
        Self { dialect: Some(dialect), ..self }
    }

    /// Returns the templates for a system.
    pub fn templates(&self, system: System) -> &'static [&'static str] {
        match system {
            System::Linux => self.linux,
            System::MacOs => self.macos,
            System::Windows => self.windows,
        }
    }

    /// Returns where the file may be: moved by a variable, then the usual path, then its alternates.
    ///
    /// Places in a project give nothing without a `project`.
    pub fn candidates(&self, around: &Surroundings, project: Option<&Path>) -> Vec<Candidate> {
        let templates = self.templates(around.system);
        // A variable moves a file; it does not bring a client to a system where there is none.
        let moves = self.env.iter().filter(|_| !templates.is_empty());
        let moved = moves.filter_map(|moves| moves.path(around));
        let usual = templates.iter().filter_map(|template| fill(template, around, project));
        let mut candidates: Vec<Candidate> = Vec::new();
        for path in moved.chain(usual) {
            if candidates.iter().all(|known| known.path != path) {
                let glob = path.components().any(|part| part.as_os_str().to_string_lossy().contains('*'));
                candidates.push(Candidate { path, glob });
            }
        }
        candidates
    }

    /// Returns how well `path` fits this place.
    pub(super) fn fit(&self, path: &Path, around: &Surroundings) -> Option<Fit> {
        let parts = parts(path);
        let exact = self.candidates(around, None);
        let same = |candidate: &Candidate| {
            let wanted = self::parts(&candidate.path);
            wanted.len() == parts.len() && ends_with(&parts, &wanted, around.system)
        };
        if exact.iter().any(same) {
            return Some(Fit::Exact);
        }
        let suffixes = self.templates(around.system).iter().filter_map(|template| {
            Some(template.strip_prefix("{project}/")?.split('/').map(str::to_owned).collect::<Vec<_>>())
        });
        let fitting = suffixes.filter(|wanted| ends_with(&parts, wanted, around.system));
        fitting.map(|wanted| Fit::Suffix(wanted.len())).max()
    }
}

impl EnvOverride {
    /// Returns an override whose variable names the file itself.
    pub(super) const fn file(variable: &'static str) -> Self {
        Self { variable, suffix: "" }
    }

    /// Returns an override whose variable names a folder.
    pub(super) const fn folder(variable: &'static str, suffix: &'static str) -> Self {
        Self { variable, suffix }
    }

    /// Returns the name of the variable.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    fn path(&self, around: &Surroundings) -> Option<PathBuf> {
        let value = around.env.get(self.variable).filter(|value| !value.is_empty())?;
        // Joining an empty part would leave a slash behind the name of a file.
        if self.suffix.is_empty() { Some(value.into()) } else { Some(Path::new(value).join(self.suffix)) }
    }
}

/// Returns the path that a template means here; `None` where a variable of it has no value.
fn fill(template: &str, around: &Surroundings, project: Option<&Path>) -> Option<PathBuf> {
    let Some((variable, rest)) = template.split_once('/').filter(|_| template.starts_with('{')) else {
        return Some(template.into());
    };
    let base = match variable {
        "{home}" => Some(around.home.as_path()),
        "{xdg_config}" => Some(around.xdg_config.as_path()),
        "{appdata}" => around.appdata.as_deref(),
        "{localappdata}" => around.localappdata.as_deref(),
        "{mac_support}" => around.mac_support.as_deref(),
        "{project}" => project,
        _ => None,
    };
    Some(base?.join(rest))
}

fn parts(path: &Path) -> Vec<String> {
    let there = path.components().filter(|part| *part != Component::CurDir);
    there.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn ends_with(parts: &[String], wanted: &[String], system: System) -> bool {
    parts.len() >= wanted.len()
        && parts.iter().rev().zip(wanted.iter().rev()).all(|(part, wanted)| fits(part, wanted, system))
}

/// Returns whether a part of a path fits a pattern with at most one `*`.
fn fits(part: &str, pattern: &str, system: System) -> bool {
    let (part, pattern) = match system {
        System::Linux => (part.to_owned(), pattern.to_owned()),
        // Both usually keep case but do not tell by it.
        System::MacOs | System::Windows => (part.to_lowercase(), pattern.to_lowercase()),
    };
    match pattern.split_once('*') {
        None => part == pattern,
        Some((head, tail)) => {
            part.len() >= head.len() + tail.len() && part.starts_with(head) && part.ends_with(tail)
        }
    }
}
