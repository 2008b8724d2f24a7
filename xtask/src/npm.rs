//! Packages of npm, in folders of the cache.

#![expect(clippy::disallowed_methods, reason = "the cache is the project's own folder, not a user's")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{root, run};

/// A folder of `.cache`, and what is installed in it.
pub(crate) struct Folder {
    pub(crate) name: &'static str,
    /// Each with its one version, and what it is for. A new version is a change of this list.
    pub(crate) packages: &'static [(&'static str, &'static str, &'static str)],
}

impl Folder {
    /// Installs the packages unless they are there already, and says so.
    ///
    /// # Errors
    /// npm could not install them.
    pub(crate) fn install(&self) -> Result<(), String> {
        for (name, version, why) in self.packages {
            println!("{name} {version}: {why}");
        }
        if self.programs().is_some() {
            println!("they are in `.cache/{}` already", self.name);
            return Ok(());
        }
        let failed = |error: std::io::Error| format!("`.cache/{}` cannot be written: {error}", self.name);
        fs::create_dir_all(self.path()).map_err(failed)?;
        fs::write(self.path().join("package.json"), self.manifest()).map_err(failed)?;
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(self.path());
        run(&mut command)?;
        // Only now: what was broken off half-way is done again.
        fs::write(self.stamp(), self.manifest()).map_err(failed)
    }

    /// Returns the folder with the programs of the packages, once they are installed.
    pub(crate) fn programs(&self) -> Option<PathBuf> {
        let bin = self.modules().join(".bin");
        let is_there = fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.manifest());
        (is_there && bin.is_dir()).then_some(bin)
    }

    /// Returns the folder with the packages.
    pub(crate) fn modules(&self) -> PathBuf {
        self.path().join("node_modules")
    }

    /// What npm is asked for: exactly the versions of the list.
    fn manifest(&self) -> String {
        let packages: Vec<String> =
            self.packages.iter().map(|(name, version, _)| format!("    \"{name}\": \"{version}\"")).collect();
        format!("{{\n  \"private\": true,\n  \"dependencies\": {{\n{}\n  }}\n}}\n", packages.join(",\n"))
    }

    fn path(&self) -> PathBuf {
        root().join(Path::new(".cache")).join(self.name)
    }

    fn stamp(&self) -> PathBuf {
        self.path().join("installed.json")
    }
}
