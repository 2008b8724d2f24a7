//! The arguments of what concerns the daemon: serving, and who may ask it.

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
pub(crate) struct Serve {
    /// Where to listen, instead of what the settings say: ADDRESS:PORT
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// How callers over TCP show who they are; `none` is for loopback only
    #[arg(long, value_enum)]
    pub(crate) auth: Option<AuthArg>,
    /// What to log: a level (error, warn, info, debug, trace), or a list such as info,switchboard=debug
    #[arg(long, value_name = "FILTER", env = "SWITCHBOARD_LOG")]
    pub(crate) log: Option<String>,
    /// How to log
    #[arg(long, value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    /// End by itself when nobody has been there for this long, such as 15m
    #[arg(long, value_name = "TIME", hide = true)]
    pub(crate) idle_exit: Option<String>,
    /// Take the place of the daemon that runs, whatever its version: its doors are passed on, and calls end where they began
    #[arg(long)]
    #[serde(default)]
    pub(crate) replace: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuthArg {
    Token,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// With times and colours, for people
    Text,
    /// One JSON object a line
    Json,
    /// Without times, for a journal that has its own
    Journal,
}

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Token {
    /// Print the token for this machine's own use; it is made when it is first asked for
    Show,
    /// Make a token, and print it once
    Create(TokenCreate),
    /// List the tokens, without the tokens themselves
    List,
    /// Revoke a token
    Revoke {
        /// Its name, or its id
        name: String,
    },
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct TokenCreate {
    /// What it is called
    pub(crate) name: String,
    /// What it permits, as server:resource:action, where * stands for anything; reading when not named
    #[arg(long = "permission", value_name = "P")]
    pub(crate) permissions: Vec<String>,
}
