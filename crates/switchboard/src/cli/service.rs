//! The arguments of `service`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    /// Have the daemon started whenever you log in; with --pull, a client's file brought in step every now and then
    Install(ServiceInstall),
    /// Stop what was installed, and take it away
    Uninstall {
        /// Only what pulls this client's file
        #[arg(long, add = ArgValueCandidates::new(complete::known_clients))]
        client: Option<String>,
    },
    /// Show what is installed, and whether it runs
    Status,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ServiceInstall {
    /// Let the system hold the daemon's sockets, so that it is started when somebody calls
    #[arg(long, conflicts_with = "pull")]
    pub(crate) socket: bool,
    /// Without a daemon: pull from this switchboard
    #[arg(long, value_name = "URL", requires = "client")]
    pub(crate) pull: Option<String>,
    /// The client whose file is brought in step
    #[arg(long, requires = "pull", add = ArgValueCandidates::new(complete::known_clients))]
    pub(crate) client: Option<String>,
    /// The client's file, when it is not at the usual place
    #[arg(long, requires = "pull")]
    pub(crate) path: Option<PathBuf>,
    /// How often
    #[arg(long, default_value = "15min", value_name = "DURATION", requires = "pull")]
    pub(crate) every: String,
    /// Where the token for it is: `${file:PATH}` or `${keyring:NAME}`
    #[arg(long, value_name = "REFERENCE", requires = "pull")]
    pub(crate) token: Option<String>,
}
