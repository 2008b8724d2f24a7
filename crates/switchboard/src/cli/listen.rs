//! The arguments of `listen`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Listen {
    /// Its address, or that of one of its routes
    pub(crate) url: String,
    /// Write its servers into this client's file
    #[arg(long, conflicts_with = "exec", add = ArgValueCandidates::new(complete::known_clients))]
    pub(crate) client: Option<String>,
    /// The client's file, when it is not at the usual place
    #[arg(long, requires = "client")]
    pub(crate) path: Option<PathBuf>,
    /// What an entry says; from another machine `direct`, when not named
    #[arg(long, value_enum, requires = "client")]
    pub(crate) via: Option<ListenVia>,
    /// Run this program at each revision, with the event on its standard input
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) exec: Option<String>,
    /// How long one run of the program may take
    #[arg(long, default_value = "60s", value_name = "DURATION", requires = "exec")]
    pub(crate) exec_timeout: String,
    /// Bring the newest revision, and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Where the token for it is: `${env:NAME}`, `${file:PATH}` or `${keyring:NAME}`
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) token: Option<String>,
    /// How often its version is asked for, where its events cannot be had
    #[arg(long, default_value = "30s", value_name = "DURATION")]
    pub(crate) interval: String,
    /// The program's arguments
    #[arg(last = true, requires = "exec")]
    pub(crate) args: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ListenVia {
    Bridge,
    Direct,
}
