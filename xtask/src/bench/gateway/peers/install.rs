//! How other gateways get here: at one version each, into a folder of their own.
#![expect(clippy::disallowed_methods, reason = "the cache is the project's own folder, not a user's")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::super::super::output;
use crate::steps::root;

/// Packages of npm, each with its one version. Those of PyPI have theirs where they are named.
const NPM: [&str; 2] = ["supergateway@4.0.0", "mcp-hub@4.2.1"];

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
        let folder = root().join(".cache/peers");
        match self {
            Self::Npm(package, script) => {
                let folder = folder.join("npm");
                let wanted = NPM.join(" ");
                once(&folder, &wanted, || {
                    fs::write(folder.join("package.json"), "{ \"private\": true }\n")
                        .map_err(|error| error.to_string())?;
                    let mut command = Command::new("npm");
                    command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(NPM);
                    output(command.current_dir(&folder)).map(drop)
                })?;
                Ok(vec!["node".into(), folder.join("node_modules").join(package).join(script)])
            }
            Self::PyPi(package, version) => {
                let folder = folder.join(package);
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
fn once(folder: &PathBuf, wanted: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
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
