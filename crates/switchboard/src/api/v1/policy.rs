//! The policy of the tools, as routes.

use axum::http::Method;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::call::{Call, parsed};
use super::Row;
use crate::cli::{Command, Policy, PolicyApprove, PolicyExplain, PolicySet, PolicyShow, PolicyUndo};

/// What is said of a tool; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyBody {
    /// `safe`, `medium` or `high`.
    risk: Option<String>,
    /// `allow`, `ask` or `deny`.
    decision: Option<String>,
    /// How long a call may be silent, such as `60s`.
    timeout: Option<String>,
    /// No call takes longer, such as `1h`; `none` for as long as for all tools.
    hard_timeout: Option<String>,
    /// How long the result of a safe tool may be given again; `0s` for never.
    cache_ttl: Option<String>,
    /// What a caller must hold, all of it; empty for nothing.
    permissions: Option<Vec<String>>,
    /// How often it may be called, such as `10/min`; `none` for as often as one likes.
    rate: Option<String>,
    /// `false`: it is not offered.
    enabled: Option<bool>,
}

impl PolicyBody {
    /// Returns it as the command line says it.
    fn values(self) -> Vec<String> {
        let permissions = self.permissions.map(|all| all.join(","));
        let said = [
            ("risk", self.risk),
            ("decision", self.decision),
            ("timeout", self.timeout),
            ("hard_timeout", self.hard_timeout),
            ("cache_ttl", self.cache_ttl),
            ("permission", permissions),
            ("rate", self.rate),
            ("enabled", self.enabled.map(|yes| yes.to_string())),
        ];
        said.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect()
    }
}

/// Which write is undone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyUndoBody {
    /// Its number; the last write when not named.
    id: Option<u64>,
    /// Also when somebody changed the file since; that version goes to the backups.
    #[serde(default)]
    force: bool,
}

/// Which tools are taken as what they are now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyApproveBody {
    /// Each as `SERVER/TOOL`.
    #[serde(default)]
    tools: Vec<String>,
    /// Every tool that has changed.
    #[serde(default)]
    all: bool,
}

/// Returns the rows of the table.
pub(super) fn rows(get: &Method, post: &Method, patch: &Method) -> Vec<Row> {
    let (get, post) = (|| get.clone(), || post.clone());
    let (read, write) = (("policy", "read"), ("policy", "write"));
    let of_tool = "/servers/{name}/tools/{tool}/policy";
    vec![
        (
            get(),
            "/policy",
            read,
            "Shows what is in force for each tool; with `server=NAME` for those of one server",
            "",
            |call, _| {
                let which = call.query("server").map(str::to_owned);
                Ok(Command::Policy(Policy::Show(PolicyShow { which })))
            },
        ),
        (get(), "/policy/history", read, "Lists what was written into the policy file", "", |_, _| {
            Ok(Command::Policy(Policy::History))
        }),
        (
            post(),
            "/policy/sync",
            write,
            "Brings the policy file up to date with the tools, and the files of other applications with it",
            "",
            |_, _| Ok(Command::Policy(Policy::Sync)),
        ),
        (
            post(),
            "/policy/approve",
            write,
            "Takes tools whose definitions have changed as what they are now",
            "PolicyApproveBody",
            |_, body| {
                let PolicyApproveBody { tools, all } = parsed(body)?;
                Ok(Command::Policy(Policy::Approve(PolicyApprove { tools, all })))
            },
        ),
        (
            post(),
            "/policy/undo",
            write,
            "Puts the policy file back to what it was before a write",
            "PolicyUndoBody",
            |_, body| {
                let PolicyUndoBody { id, force } = parsed(body)?;
                Ok(Command::Policy(Policy::Undo(PolicyUndo { id, force })))
            },
        ),
        (get(), of_tool, read, "Explains what is in force for a tool", "", |call, _| {
            let tool = ["name", "tool"].map(|part| call.param(part).to_owned()).to_vec();
            Ok(Command::Policy(Policy::Explain(PolicyExplain { tool })))
        }),
        (patch.clone(), of_tool, write, "Says something of a tool", "PolicyBody", |call, body| {
            let values = parsed::<PolicyBody>(body)?.values();
            Ok(Command::Policy(Policy::Set(PolicySet { tool: path(call), values })))
        }),
    ]
}

fn path(call: &Call) -> String {
    format!("{}/{}", call.param("name"), call.param("tool"))
}
