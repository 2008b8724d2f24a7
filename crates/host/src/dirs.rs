//! Where everything of Switchboard's lies: every path in one struct, and the environment they come from.

mod env;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::{show, system};

pub use env::Env;

/// Why it is not known where Switchboard's files lie, or why they cannot be there.
#[derive(Debug, thiserror::Error)]
pub enum DirsError {
    /// Neither a home folder nor the variables that stand in for it.
    #[error("there is no home folder: `HOME` is not set")]
    NoHome,
    /// A folder could not be made.
    #[error("the folder `{}` cannot be made", show::path(path))]
    Make {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder could not be removed.
    #[error("the folder `{}` cannot be removed", show::path(path))]
    Remove {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirsError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoHome => "set `HOME`, or `SWITCHBOARD_HOME` to a folder for everything",
            Self::Remove { .. } => "remove it by hand",
            Self::Make { .. } => {
                "make the folder writable for you, or set `SWITCHBOARD_HOME` to another folder"
            }
        }
    }
}

/// The folders of one Switchboard home, and every file in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    config: PathBuf,
    state: PathBuf,
    run: PathBuf,
}

impl Dirs {
    /// Returns the folders that `env` asks for: below `SWITCHBOARD_HOME` if that is set, else where the XDG rules (on
    /// Windows: the application data folders) put them. Nothing is made.
    ///
    /// # Errors
    ///
    /// There is no home folder and nothing that stands in for it.
    pub fn from_env(env: &Env) -> Result<Self, DirsError> {
        if let Some(home) = env.var("SWITCHBOARD_HOME") {
            let home = std::path::absolute(home).map_err(|_| DirsError::NoHome)?;
            return Ok(Self::below(&home));
        }
        let config = native(env.app_data()).or_else(|| env.xdg_config()).ok_or(DirsError::NoHome)?;
        let state = native(env.local_app_data()).or_else(|| env.xdg_state()).ok_or(DirsError::NoHome)?;
        let (config, state) = (config.join("switchboard"), state.join("switchboard"));
        let run =
            env.folder("XDG_RUNTIME_DIR").map_or_else(|| state.join("run"), |run| run.join("switchboard"));
        Ok(Self { config, state, run })
    }

    /// Returns the folders of a home that lies wholly below `home`.
    pub fn below(home: &Path) -> Self {
        Self { config: home.join("config"), state: home.join("state"), run: home.join("run") }
    }

    /// Makes the folders that are missing, open to their owner only.
    ///
    /// # Errors
    ///
    /// A folder cannot be made; the error names it.
    pub fn create(&self) -> Result<(), DirsError> {
        for path in [&self.config, &self.state, &self.run] {
            system::make_folder(path).map_err(|source| DirsError::Make { path: path.clone(), source })?;
        }
        Ok(())
    }

    /// Removes everything that Switchboard remembers, and what lives as long as the daemon, but for the paths of `keep`
    /// right below the state; what a person edits stays.
    ///
    /// # Errors
    ///
    /// Something cannot be removed; the error names it.
    pub fn remove_state(&self, keep: &[PathBuf]) -> Result<(), DirsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DirsError::Remove { path, source }
        };
        for folder in [&self.state, &self.run] {
            let entries = match std::fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(failed(folder))?,
            };
            let mut left = false;
            for entry in entries {
                let path = entry.map_err(failed(folder))?.path();
                if keep.contains(&path) {
                    left = true;
                } else if path.is_dir() && !path.is_symlink() {
                    std::fs::remove_dir_all(&path).map_err(failed(&path))?;
                } else {
                    system::remove(&path).map_err(failed(&path))?;
                }
            }
            if !left {
                std::fs::remove_dir(folder).map_err(failed(folder))?;
            }
        }
        Ok(())
    }

    /// Opens the file for what a daemon in the background says, to be written at its end. One that has grown beyond a
    /// mebibyte begins anew.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be made.
    pub fn open_log(&self) -> io::Result<File> {
        const LONGEST: u64 = 1024 * 1024;
        system::make_folder(&self.state)?;
        let log = system::open_to_append(&self.log())?;
        if log.metadata()?.len() > LONGEST {
            log.set_len(0)?;
        }
        Ok(log)
    }

    /// The folder of what a person edits.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The folder of what Switchboard remembers.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The folder of what lives as long as the daemon.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// `mcp-servers.toml`: the catalogue.
    pub fn catalogue(&self) -> PathBuf {
        self.config.join("mcp-servers.toml")
    }

    /// `switchboard.toml`: the settings.
    pub fn settings(&self) -> PathBuf {
        self.config.join("switchboard.toml")
    }

    /// `tool-policy.toml`: the policy per tool.
    pub fn policy(&self) -> PathBuf {
        self.config.join("tool-policy.toml")
    }

    /// What was written into the policy per tool, and what is generated in it.
    pub fn policy_record(&self) -> PathBuf {
        self.state.join("policy.json")
    }

    /// What was written of tools into the files of other applications.
    pub fn exports(&self) -> PathBuf {
        self.state.join("exports.json")
    }

    /// What tools were when they were first seen.
    pub fn pins(&self) -> PathBuf {
        self.state.join("pins.json")
    }

    /// What tools were called.
    pub fn audit(&self) -> PathBuf {
        self.state.join("audit.jsonl")
    }

    /// The relations between clients and servers.
    pub fn relations(&self) -> PathBuf {
        self.state.join("relations.json")
    }

    /// What the servers were last seen to offer: a database.
    pub fn registry(&self) -> PathBuf {
        self.state.join("registry.db")
    }

    /// What each server was last seen to offer, one file for each.
    pub fn offers(&self) -> PathBuf {
        self.state.join("offers")
    }

    /// From which catalogue the registry was filled last.
    pub fn sync_stamp(&self) -> PathBuf {
        self.state.join("sync-stamp.json")
    }

    /// The revisions of the catalogue.
    pub fn history(&self) -> PathBuf {
        self.state.join("history.json")
    }

    /// What was written into client files.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.json")
    }

    /// What may be started, bound to the hash of exactly that.
    pub fn approvals(&self) -> PathBuf {
        self.state.join("approvals.json")
    }

    /// The bearer tokens.
    pub fn tokens(&self) -> PathBuf {
        self.state.join("tokens.json")
    }

    /// What the ids of tasks are marked with that belong to one holder of a token.
    pub fn task_key(&self) -> PathBuf {
        self.state.join("task-key.json")
    }

    /// The folder of what was last written into client files.
    pub fn bases(&self) -> PathBuf {
        self.state.join("bases")
    }

    /// The folder of the catalogues that layers brought, for when they are away.
    pub fn layers(&self) -> PathBuf {
        self.state.join("layers")
    }

    /// The folder of how far other switchboards were followed.
    pub fn following(&self) -> PathBuf {
        self.state.join("following")
    }

    /// The folder of the secrets that `${keyring:NAME}` names.
    pub fn secrets(&self) -> PathBuf {
        self.state.join("secrets")
    }

    /// The folder of the logins at remote servers, and of the tokens that came of them.
    pub fn logins(&self) -> PathBuf {
        self.state.join("logins")
    }

    /// The folder of the backups.
    pub fn backups(&self) -> PathBuf {
        self.state.join("backups")
    }

    /// The file that one process at a time holds.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The file that the one daemon of this home holds.
    pub fn daemon_lock(&self) -> PathBuf {
        self.state.join("daemon.lock")
    }

    /// The file that one of those who start a daemon holds.
    pub fn wake_lock(&self) -> PathBuf {
        self.state.join("wake.lock")
    }

    /// What a daemon in the background says.
    pub fn log(&self) -> PathBuf {
        self.state.join("switchboard.log")
    }

    /// The socket by which the command line speaks to the daemon.
    pub fn control_socket(&self) -> PathBuf {
        self.run.join("control.sock")
    }
}

/// Makes a folder for files of ours that another program looks for there, with those above it; open to the owner only
/// where it is new.
///
/// # Errors
///
/// It cannot be made; the error names it.
pub fn make_folder(path: &Path) -> Result<(), DirsError> {
    system::make_folder(path).map_err(|source| DirsError::Make { path: path.to_owned(), source })
}

/// Returns the folder that only Windows uses.
fn native(folder: Option<&Path>) -> Option<PathBuf> {
    folder.filter(|_| cfg!(windows)).map(Path::to_owned)
}

#[cfg(test)]
mod tests;
