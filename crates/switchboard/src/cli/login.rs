//! The command line of `server login`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ServerLogin {
    /// The server
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) name: String,
    /// Forget the login, and ask for its tokens to be taken back
    #[arg(long, conflicts_with_all = ["client_id", "client_metadata", "scopes", "machine", "no_browser", "port"])]
    pub(crate) forget: bool,
    /// Print the address to open, and open nothing
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Ask for this scope instead of those that the server names
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// The client that was registered for you; it is remembered
    #[arg(long, value_name = "ID", conflicts_with = "client_metadata")]
    pub(crate) client_id: Option<String>,
    /// The variable that holds the client's secret
    #[arg(long, value_name = "VAR", requires = "client_id")]
    pub(crate) client_secret_env: Option<String>,
    /// The web address of a document that describes the client; it is remembered
    #[arg(long, value_name = "URL")]
    pub(crate) client_metadata: Option<String>,
    /// Log in as the client itself, without a person
    #[arg(long, requires = "client_secret_env")]
    pub(crate) machine: bool,
    /// The port of this machine that the browser comes back to; any that is free when not named
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
}
