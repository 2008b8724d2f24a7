//! The environment of this process, as a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde::{Deserialize, Serialize};

/// The environment of this process, read once at the edge; tests make their own.
///
/// It may hold secrets, so `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Env {
    home: Option<PathBuf>,
    vars: BTreeMap<OsString, OsString>,
}

/// An environment as it is told to another process of ours. Names need not be text, so they cannot be keys.
#[derive(Serialize, Deserialize)]
struct Wire {
    home: Option<PathBuf>,
    vars: Vec<(OsString, OsString)>,
}

impl From<Wire> for Env {
    fn from(wire: Wire) -> Self {
        Self { home: wire.home, vars: wire.vars.into_iter().collect() }
    }
}

impl From<Env> for Wire {
    fn from(env: Env) -> Self {
        Self { home: env.home, vars: env.vars.into_iter().collect() }
    }
}

impl Env {
    /// Returns the environment as it is now.
    pub fn read() -> Self {
        Self { home: std::env::home_dir(), vars: std::env::vars_os().collect() }
    }

    /// Returns an environment with this home and these variables.
    pub fn new<N: Into<OsString>, V: Into<OsString>>(
        home: impl Into<PathBuf>,
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { home: Some(home.into()), vars }
    }

    /// Returns the user's home folder, if there is one.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|home| home.is_absolute())
    }

    /// Returns a variable; an empty one counts as not set.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns a variable that names a folder; a relative path counts as not set, as the XDG rules have it.
    pub fn folder(&self, name: &str) -> Option<&Path> {
        self.var(name).map(Path::new).filter(|path| path.is_absolute())
    }

    /// Returns `$XDG_CONFIG_HOME`, or `~/.config`.
    pub fn xdg_config(&self) -> Option<PathBuf> {
        self.folder("XDG_CONFIG_HOME").map(Path::to_owned).or_else(|| Some(self.home()?.join(".config")))
    }

    /// Returns `$XDG_STATE_HOME`, or `~/.local/state`.
    pub fn xdg_state(&self) -> Option<PathBuf> {
        self.folder("XDG_STATE_HOME").map(Path::to_owned).or_else(|| Some(self.home()?.join(".local/state")))
    }

    /// Returns `%APPDATA%`, where programs on Windows keep what roams.
    pub fn app_data(&self) -> Option<&Path> {
        self.folder("APPDATA")
    }

    /// Returns `%LOCALAPPDATA%`, where programs on Windows keep what stays on the machine.
    pub fn local_app_data(&self) -> Option<&Path> {
        self.folder("LOCALAPPDATA")
    }

    /// Returns an environment with the same home, and of its variables only those of these names.
    #[must_use]
    pub fn only<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let kept = names.into_iter().filter_map(|name| self.vars.get_key_value(OsStr::new(name)));
        Self {
            home: self.home.clone(),
            vars: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// Returns the environment with paths in these variables that are relative put in full, as counted from where this
    /// process is: somebody else can then be given them.
    ///
    /// # Errors
    ///
    /// The system does not say where this process is.
    pub fn in_full<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> io::Result<Self> {
        for name in names {
            if let Some(value) = self.vars.get_mut(OsStr::new(name)).filter(|value| !value.is_empty()) {
                *value = std::path::absolute(&*value)?.into();
            }
        }
        Ok(self)
    }

    /// Returns every variable, for a child process that inherits some of them.
    pub fn vars(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.vars.keys().collect();
        f.debug_struct("Env").field("home", &self.home).field("vars", &names).finish()
    }
}
