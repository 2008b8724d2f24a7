//! The command line of `policy`.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// Show what is in force for each tool, and whose word it is
    Show(PolicyShow),
    /// Explain one tool: which line, which rule and which setting gave what
    Explain(PolicyExplain),
    /// Say something of a tool; what you say stays, whatever is proposed
    Set(PolicySet),
    /// Bring the policy file up to date with the tools, and the files of other applications with it
    Sync,
    /// List the calls that wait for somebody to agree
    Pending,
    /// Agree to calls that wait, each once; or take tools whose definitions have changed as what they are now
    Approve(PolicyApprove),
    /// Refuse calls that wait, each once
    Refuse(PolicyRefuse),
    /// List what was written into the policy file
    History,
    /// List which tools were called: by whom, what was decided, and what came of it
    Log(PolicyLog),
    /// Put the policy file back to what it was before a write, byte for byte; the last when none is named
    Undo(PolicyUndo),
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyShow {
    /// A server, or a tool; all when none is named
    #[arg(value_name = "SERVER|TOOL", add = ArgValueCandidates::new(complete::servers_and_tools))]
    pub(crate) which: Option<String>,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct PolicyExplain {
    /// The tool: SERVER TOOL, SERVER/TOOL, or its name behind the face for all servers
    #[arg(required = true, num_args = 1..=2, value_name = "TOOL", add = ArgValueCandidates::new(complete::tools))]
    pub(crate) tool: Vec<String>,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct PolicySet {
    /// The tool: SERVER/TOOL, or its name behind the face for all servers
    #[arg(add = ArgValueCandidates::new(complete::tools))]
    pub(crate) tool: String,
    /// What is to hold: risk=high, decision=ask, timeout=90s, `hard_timeout=1h`, cache=off, `cache_ttl=10s`,
    /// permission=k8s:pod:delete (several with commas, or none), rate=10/min, enabled=false
    #[arg(required = true, value_name = "KEY=VALUE")]
    pub(crate) values: Vec<String>,
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyApprove {
    /// The numbers of calls, as `policy pending` has them; or tools: SERVER/TOOL, or their names behind the face for all
    /// servers
    #[arg(required_unless_present = "all", value_name = "NUMBER|TOOL", add = ArgValueCandidates::new(complete::tools))]
    pub(crate) tools: Vec<String>,
    /// Every tool that has changed
    #[arg(long, conflicts_with = "tools")]
    pub(crate) all: bool,
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyRefuse {
    /// The numbers of calls, as `policy pending` has them
    #[arg(required = true, value_name = "NUMBER")]
    pub(crate) numbers: Vec<u64>,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct PolicyLog {
    /// How many of the last calls are listed
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Those that were refused, and no others
    #[arg(long)]
    pub(crate) denied: bool,
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyUndo {
    /// The write, as `policy history` numbers them
    pub(crate) id: Option<u64>,
    /// Also when somebody changed the file since; that version goes to the backups
    #[arg(long)]
    pub(crate) force: bool,
}
