//! What every part needs: the programs, a folder, how often and how long.
#![expect(clippy::disallowed_methods, reason = "scratch files belong to nobody else")]

use std::cell::Cell;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::super::{cargo, output, target};
use super::load::{self, Measured};
use super::told::Told;

/// On which cores something runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    All,
    /// On one, the same for everything.
    One,
}

/// The programs, and how they are used.
pub(super) struct Stage {
    pub(super) switchboard: PathBuf,
    pub(super) echo: PathBuf,
    load: PathBuf,
    folder: PathBuf,
    pub(super) rounds: usize,
    pub(super) seconds: f64,
    made: Cell<usize>,
}

/// The fast upstream over HTTP; it ends when this is dropped.
pub(super) struct Upstream {
    child: Child,
    pub(super) url: String,
}

impl Stage {
    /// Builds everything.
    pub(super) fn build(told: &Told) -> Result<Self, String> {
        // Each for itself: together they would be built with the features of both.
        for package in ["testkit", "switchboard"] {
            if package == "testkit" || told.program.is_none() {
                output(cargo().args(["build", "--quiet", "--release", "--bins", "--package", package]))?;
            }
        }
        let target = target()?;
        Self::new(told, &target, target.join("release/switchboard"))
    }

    /// Takes programs that are built.
    pub(super) fn new(told: &Told, target: &Path, switchboard: PathBuf) -> Result<Self, String> {
        let switchboard = match &told.program {
            Some(program) => {
                program.canonicalize().map_err(|error| format!("{}: {error}", program.display()))?
            }
            None => switchboard,
        };
        let release = target.join("release");
        let folder = target.join("bench-homes").join(format!("g{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self {
            switchboard,
            echo: release.join("testkit-echo"),
            load: release.join("testkit-load"),
            folder,
            rounds: 3,
            seconds: if told.quick { 0.5 } else { 2.0 },
            made: Cell::new(0),
        })
    }

    /// Makes a folder that nobody has used.
    pub(super) fn folder(&self) -> Result<PathBuf, String> {
        self.made.set(self.made.get() + 1);
        let folder = self.folder.join(self.made.get().to_string());
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// Returns a command that runs on these cores.
    pub(super) fn command(cores: Cores, program: &Path) -> Command {
        if cores == Cores::All {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    }

    /// Returns a command of the load generator.
    pub(super) fn load(&self, cores: Cores, args: &str) -> Command {
        let mut command = Self::command(cores, &self.load);
        command.args(args.split_whitespace());
        command
    }

    /// Runs the load generator against a URL and returns what it measured, if all answers were right.
    pub(super) fn ask(&self, cores: Cores, url: &str, args: &str) -> Result<Measured, String> {
        load::measure(self.load(cores, &format!("--url {url} {args}")).env_clear())?.right()
    }

    /// Starts the fast upstream over HTTP.
    pub(super) fn upstream(&self, cores: Cores, args: &str) -> Result<Upstream, String> {
        let mut command = Self::command(cores, &self.echo);
        command.args(["--http", "127.0.0.1:0"]).args(args.split_whitespace());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the fast upstream: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let upstream = Upstream { child, url: url.clone().unwrap_or_default() };
        if url.is_some() { Ok(upstream) } else { Err("the fast upstream does not come up".to_owned()) }
    }
}

/// Writes a file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
