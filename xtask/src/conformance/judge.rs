//! The suite itself: how it gets here, how it is run, and where it writes what it found.

#![expect(clippy::disallowed_methods, reason = "the build folder is the project's own")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::checks::{Checks, scenario};
use crate::npm::Folder;

/// The suite, and the Node that it needs: the one of the system may be older.
const JUDGES: Folder = Folder {
    name: "npm-judges",
    packages: &[
        ("@modelcontextprotocol/conformance", "0.2.0-alpha.12", "the official conformance suite"),
        ("node", "22.23.3", "what the suite runs on"),
    ],
};

/// Installs what is missing, and says so.
///
/// # Errors
/// npm could not install it.
pub(crate) fn install() -> Result<(), String> {
    JUDGES.install()
}

/// Returns the Node that the suite runs on, once it is installed.
pub(crate) fn node() -> Option<PathBuf> {
    JUDGES.programs().map(|programs| programs.join("node"))
}

/// Has a server judged for a revision; the results stay in `folder`.
///
/// # Errors
/// The suite did not run, or left nothing that is understood. What it found is no error.
pub(crate) fn judge(url: &str, revision: &str, folder: &Path) -> Result<Checks, String> {
    let programs = JUDGES.programs().ok_or("the suite is not installed")?;
    let suite = JUDGES.modules().join("@modelcontextprotocol/conformance/dist/index.js");
    let results = folder.join("results");
    if results.exists() {
        fs::remove_dir_all(&results).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&results).map_err(|error| error.to_string())?;
    let log = || File::create(folder.join("suite.log")).map_err(|error| error.to_string());
    let output = log()?;
    let mut command = Command::new(programs.join("node"));
    command.arg(suite).args(["server", "--url", url, "--requirements", revision, "-o"]).arg(&results);
    command
        .stdin(Stdio::null())
        .stderr(output.try_clone().map_err(|error| error.to_string())?)
        .stdout(output);
    // It fails where a check fails; what failed is read from what it wrote.
    let status = command.status().map_err(|error| format!("the suite could not be started: {error}"))?;
    let mut checks = Checks::default();
    for entry in fs::read_dir(&results).map_err(|error| error.to_string())?.filter_map(Result::ok) {
        if let Some(scenario) = scenario(&entry.path()) {
            match fs::read_to_string(entry.path().join("checks.json")) {
                Ok(text) => checks.add(&scenario, &text)?,
                // The suite breaks off where an answer surprises it.
                Err(_) => checks.broke_off(&scenario),
            }
        }
    }
    let log = folder.join("suite.log");
    if checks.0.is_empty() {
        return Err(format!("the suite ended with {status} and no results; see {}", log.display()));
    }
    Ok(checks)
}
