//! A home that is thrown away: a client's files below `home`, those of Switchboard below `switchboard`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Two folders of one scratch folder, and the program that works in them.
#[derive(Clone, Debug)]
pub struct Scratch {
    root: PathBuf,
    program: PathBuf,
}

impl Scratch {
    /// Takes `root` for a scratch folder, and makes what is missing below it.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn new(root: &Path, program: &str) -> Self {
        let scratch = Self { root: root.to_owned(), program: program.into() };
        crate::make_folder(&scratch.home());
        crate::make_folder(&scratch.switchboard().join("config"));
        scratch
    }

    /// The home of the clients.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The home of Switchboard.
    pub fn switchboard(&self) -> PathBuf {
        self.root.join("switchboard")
    }

    /// The catalogue's file.
    pub fn catalogue(&self) -> PathBuf {
        self.switchboard().join("config/mcp-servers.toml")
    }

    /// The settings' file.
    pub fn settings(&self) -> PathBuf {
        self.switchboard().join("config/switchboard.toml")
    }

    /// Any program, with nothing in its environment but this home.
    pub fn other(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).current_dir(self.home());
        command.env("HOME", self.home()).env("SWITCHBOARD_HOME", self.switchboard());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command
    }

    /// `switchboard` with these words.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.other(&self.program);
        command.args(args);
        command
    }

    /// Runs `switchboard` with these words.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()))
    }

    /// Runs `switchboard` with these words, which must go well, and returns what it said.
    ///
    /// # Panics
    /// When it fails.
    pub fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "switchboard {}: {}", args.join(" "), told(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `switchboard` with these words and `--json`.
    ///
    /// # Panics
    /// When what it says is no JSON.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(&[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("switchboard {}: {error}: {}", args.join(" "), told(&output)))
    }

    /// Returns what `status` says of one client.
    ///
    /// # Panics
    /// When the client is not linked.
    pub fn status(&self, client: &str) -> serde_json::Value {
        let status = self.json(&["status"]);
        let clients = status["clients"].as_array().cloned().unwrap_or_default();
        let found = clients.into_iter().find(|found| found["id"] == client);
        found.unwrap_or_else(|| panic!("`{client}` is not in {status:#}"))
    }
}

/// Returns how a program ended and what it said, for people.
pub fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
