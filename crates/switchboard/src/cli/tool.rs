//! The command line of `sync` and `tool`.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sync {
    /// Ask these and no others, whether or not they have changed; those that have, when none is named
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) servers: Vec<String>,
    /// Ask all servers, whether or not they have changed
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    /// List the tools
    List(ToolList),
    /// Find tools by words in their names and descriptions, the best first
    Search(ToolSearch),
    /// Show one tool: what it takes and gives, and where it comes from
    Show(ToolShow),
    /// Call one tool through the daemon, under the policy
    Call(ToolCall),
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ToolList {
    /// Those of these servers; of all when none is named
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) servers: Vec<String>,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ToolSearch {
    /// The words; the last one may be the beginning of one
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// How many are shown at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ToolCall {
    /// The tool: SERVER/TOOL, or its name behind the face for all servers
    #[arg(add = ArgValueCandidates::new(complete::tools))]
    pub(crate) tool: String,
    /// What it is given: NAME=VALUE for each argument, or all of them as one JSON object
    #[arg(value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
    /// How long to wait for the answer, in seconds
    #[arg(long, default_value_t = 120)]
    pub(crate) timeout: u64,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ToolShow {
    /// The tool: SERVER TOOL, SERVER/TOOL, or its name behind the face for all servers
    #[arg(required = true, num_args = 1..=2, value_name = "TOOL", add = ArgValueCandidates::new(complete::tools))]
    pub(crate) tool: Vec<String>,
}
