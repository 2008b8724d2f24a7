//! Calls that wait for somebody to agree, as the daemon tells of them and takes a word for them.

use serde::{Deserialize, Serialize};
use switchboard_gateway::policy::Waiting;
use switchboard_host::dirs::Env;
use utoipa::ToSchema;

use crate::fail::Failure;
use crate::remote;

/// The route that tells of them; behind it and a `/` stands the number of one.
pub(crate) const PENDING: &str = "/api/v1/policy/pending";

/// A call that waits for somebody to agree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The number by which one speaks of it.
    pub(crate) number: u64,
    /// Who calls.
    pub(crate) who: String,
    /// The server of the tool.
    pub(crate) server: String,
    /// The tool.
    pub(crate) tool: String,
    /// How much harm it can do.
    pub(crate) risk: String,
    /// What it is called with, as far as it is shown.
    pub(crate) arguments: String,
    /// For how many seconds it has waited.
    pub(crate) seconds: u64,
}

impl From<Waiting> for Pending {
    fn from(waiting: Waiting) -> Self {
        let Waiting { number, who, server, tool, risk, arguments, since } = waiting;
        Self { number, who, server, tool, risk: risk.to_string(), arguments, seconds: since.as_secs() }
    }
}

/// A word for a call that waits.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WordBody {
    /// Whether the call may be passed on, once.
    pub(crate) agree: bool,
}

/// Returns the calls that wait, the oldest first; none where there is no daemon.
pub(crate) fn all(env: &Env) -> Vec<Pending> {
    let told = remote::get(env, PENDING);
    told.and_then(|told| serde_json::from_str(&told).ok()).unwrap_or_default()
}

/// Says whether somebody agrees to a call, and returns which it is.
///
/// # Errors
/// There is no daemon, or no call of this number waits.
pub(crate) fn decide(env: &Env, number: u64, agree: bool) -> Result<Pending, Failure> {
    let word = serde_json::to_vec(&WordBody { agree }).unwrap_or_default();
    let told = remote::post(env, &format!("{PENDING}/{number}"), word)?;
    match told.and_then(|told| serde_json::from_slice(&told).ok()) {
        Some(call) => Ok(call),
        None => Err(Failure::usage(format!("say a word to call {number}: there is none of that number"))
            .hint("see which wait: `switchboard policy pending`")),
    }
}
