//! How other gateways get here: at one version each, into a folder of their own.
#![expect(clippy::disallowed_methods, reason = "the cache is the project's own folder, not a user's")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::super::output;
use crate::npm::Folder;
use crate::steps::root;

/// Packages of npm. Those of PyPI have their versions where they are named.
const NPM: Folder = Folder {
    name: "peers-npm",
    packages: &[
        ("mcp-hub", "4.2.1", "a gateway to be compared with"),
        ("supergateway", "4.0.0", "a gateway to be compared with"),
    ],
};

/// Where one comes from.
pub(super) enum Source {
    /// A package of npm, and the script in it that is run.
    Npm(&'static str, &'static str),
    /// A package of PyPI, whose program has its name, and its version.
    PyPi(&'static str, &'static str),
}

impl Source {
    /// Installs it, if it is not there, and returns the words that start it.
    pub(super) fn install(&self) -> Result<Vec<PathBuf>, String> {
        match self {
            Self::Npm(package, script) => {
                NPM.install()?;
                Ok(vec!["node".into(), NPM.modules().join(package).join(script)])
            }
            Self::PyPi(package, version) => {
                let folder = root().join(".cache/peers").join(package);
                once(&folder, version, || {
                    output(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
                    let mut command = Command::new(folder.join("bin/pip"));
                    output(command.args(["install", "--quiet", &format!("{package}=={version}")])).map(drop)
                })?;
                Ok(vec![folder.join("bin").join(package)])
            }
        }
    }
}

/// Does something unless it was done for the same before.
fn once(folder: &Path, wanted: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    work()?;
    // Only now: what was broken off half-way is done again.
    fs::write(&stamp, wanted).map_err(failed)
}
