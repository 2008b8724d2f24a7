//! Packages of Python, in folders of the cache.

#![expect(clippy::disallowed_methods, reason = "the cache is the project's own folder, not a user's")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{root, run};

/// A folder of `.cache` with a Python of its own, and what is installed for it.
pub(crate) struct Venv {
    pub(crate) name: &'static str,
    /// Each with its one version, and what it is for. A new version is a change of this list.
    pub(crate) packages: &'static [(&'static str, &'static str, &'static str)],
}

impl Venv {
    /// Installs the packages unless they are there already, and says so.
    ///
    /// # Errors
    /// pip could not install them.
    pub(crate) fn install(&self) -> Result<(), String> {
        for (name, version, why) in self.packages {
            println!("{name} {version}: {why}");
        }
        if self.python().is_some() {
            println!("they are in `.cache/{}` already", self.name);
            return Ok(());
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(self.path()))?;
        let mut command = Command::new(self.program());
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        run(command.args(self.wanted()))?;
        // Only now: what was broken off half-way is done again.
        let stamped = fs::write(self.stamp(), self.wanted().join("\n"));
        stamped.map_err(|error| format!("`.cache/{}` cannot be written: {error}", self.name))
    }

    /// Returns the Python that finds the packages, once they are installed.
    pub(crate) fn python(&self) -> Option<PathBuf> {
        let is_there = fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.wanted().join("\n"));
        (is_there && self.program().exists()).then(|| self.program())
    }

    /// What pip is asked for: exactly the versions of the list.
    fn wanted(&self) -> Vec<String> {
        self.packages.iter().map(|(name, version, _)| format!("{name}=={version}")).collect()
    }

    fn program(&self) -> PathBuf {
        self.path().join("bin").join("python")
    }

    fn path(&self) -> PathBuf {
        root().join(Path::new(".cache")).join(self.name)
    }

    fn stamp(&self) -> PathBuf {
        self.path().join("installed.txt")
    }
}
