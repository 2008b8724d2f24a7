//! The user's service manager, asked by its own program.

use std::process::{Command, Stdio};

/// What `systemctl --user` can be asked, once it has answered.
pub(super) struct Manager {
    program: &'static str,
}

impl Manager {
    /// Returns the manager, if there is one that answers.
    pub(super) fn reach() -> Option<Self> {
        let manager = Self { program: "systemctl" };
        let said = manager.ask(&["is-system-running"])?;
        // Without a manager it says `offline`, or nothing at all.
        matches!(&*said, "running" | "degraded" | "starting" | "initializing" | "maintenance" | "stopping")
            .then_some(manager)
    }

    /// Has something done.
    ///
    /// # Errors
    /// What the manager said.
    pub(super) fn order(&self, words: &[&str]) -> Result<(), String> {
        let shown = || format!("`systemctl --user {}`", words.join(" "));
        let output = self.command(words).output().map_err(|error| format!("{}: {error}", shown()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it failed without a word");
        Err(format!("{}: {}", shown(), last.escape_debug()))
    }

    /// Returns whether a unit is `enabled` and whether it is `active`, in the manager's own words.
    pub(super) fn state(&self, unit: &str) -> (String, String) {
        let word = |verb| self.ask(&[verb, unit]).unwrap_or_else(|| "unknown".to_owned());
        (word("is-enabled"), word("is-active"))
    }

    /// Returns the first word of an answer.
    fn ask(&self, words: &[&str]) -> Option<String> {
        let output = self.command(words).stderr(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&output.stdout).split_whitespace().next().map(str::to_owned)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(["--user", "--no-pager"]).args(words).stdin(Stdio::null());
        command
    }
}
