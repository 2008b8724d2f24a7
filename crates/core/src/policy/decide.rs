//! What becomes of a call.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::file::key;
use super::{Decision, Held, Permission, Proposal, Rate, Risk, Rule, Said, ToolPolicy};

/// How a call that is allowed is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How much harm it can do. One that is not safe ends what is kept of the server's results.
    pub risk: Risk,
    /// How long it may be silent; progress begins this time anew.
    pub timeout: Duration,
    /// It takes no longer, whatever progress it makes.
    pub hard_timeout: Duration,
    /// How long its result may be given again; `None` for never.
    pub cache_ttl: Option<Duration>,
    /// How often the tool may be called.
    pub rate: Option<Rate>,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is passed on.
    Allow(Terms),
    /// A person is asked; if they agree, it is passed on.
    Ask(Terms),
    /// It is refused.
    Deny(Denial),
}

/// Why a call is refused, as a sentence that a model can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The server of the tool.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// Why.
    pub why: Why,
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The tool is switched off.
    Off,
    /// The tool may not be called by anybody.
    Denied,
    /// The caller does not hold this.
    Lacks(Permission),
    /// It was called as often as it may be.
    TooOften {
        /// How often that is.
        rate: Rate,
        /// How long until the next call.
        wait: Duration,
    },
    /// The person who was asked said no.
    Refused,
    /// Somebody has to agree first, and knows the call by this number.
    Waits(u64),
    /// Its definition has changed, and nobody has looked at it yet.
    Changed,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, tool) = (&self.server, self.tool.escape_debug());
        write!(f, "`{tool}` of `{server}` was not called: ")?;
        match &self.why {
            Why::Off => f.write_str("it is switched off. Do without it."),
            Why::Denied => f.write_str("the policy does not allow it. Do without it, or ask the user to change the policy."),
            Why::Lacks(permission) => write!(
                f,
                "it needs the permission `{permission}`, which this client does not hold. Do without it, or ask the user."
            ),
            Why::TooOften { rate, wait } => write!(
                f,
                "it may be called {rate}. Try again in {} s.",
                wait.as_millis().div_ceil(1_000).max(1)
            ),
            Why::Refused => f.write_str("the user did not agree. Do not try again unless the user asks for it."),
            Why::Waits(number) => write!(
                f,
                "the user has to agree first. Ask them to run `switchboard policy approve {number}`, then call it again \
                 with the same arguments."
            ),
            Why::Changed => f.write_str(
                "its definition has changed since it was approved. Ask the user to look at the change, then try again.",
            ),
        }
    }
}

/// What holds where nobody has said anything of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    /// No call takes longer.
    pub hard_timeout: Duration,
    /// Whether results are kept at all.
    pub cache: bool,
}

/// What holds for every tool, to be looked up at each call.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    servers: HashMap<String, HashMap<String, Entry>>,
}

/// What holds for one tool, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) enabled: bool,
    pub(super) decision: Decision,
    pub(super) permissions: Vec<Permission>,
    pub(super) terms: Terms,
}

impl Rules {
    /// Returns what holds for the tools that are offered: what the file says, and what is proposed where it has no
    /// table for a tool. Each server comes with what is proposed for its tools.
    ///
    /// Within a table a line that is not there means what is proposed, so that a forgotten one opens nothing. Whoever
    /// takes out a `permission` or a `cache_ttl` that was generated wants none; [`ToolPolicy::knowing`] tells them apart.
    pub fn of<'o>(
        policy: &ToolPolicy,
        offered: impl IntoIterator<Item = (&'o str, &'o [Proposal])>,
        usual: Usual,
    ) -> Self {
        let mut servers: HashMap<String, HashMap<String, Entry>> = HashMap::new();
        for (server, proposals) in offered {
            let tools = servers.entry(server.to_owned()).or_default();
            for proposal in proposals {
                let entry = Entry::of(policy.rule(server, &proposal.tool), proposal, usual);
                tools.insert(proposal.tool.clone(), entry);
            }
        }
        Self { servers }
    }

    /// Returns what becomes of a call of `tool` by somebody who holds `held`; `None` for a tool that is not known.
    ///
    /// A tool that is not known is to be judged first, and the rules made anew.
    pub fn decide(&self, held: &Held, server: &str, tool: &str) -> Option<Verdict> {
        let entry = self.servers.get(server)?.get(tool)?;
        let deny = |why| Verdict::Deny(Denial { server: server.to_owned(), tool: tool.to_owned(), why });
        if !entry.enabled {
            return Some(deny(Why::Off));
        }
        if entry.decision == Decision::Deny {
            return Some(deny(Why::Denied));
        }
        if let Some(lacks) = entry.permissions.iter().find(|needed| !held.holds(needed)) {
            return Some(deny(Why::Lacks(lacks.clone())));
        }
        Some(match entry.decision {
            Decision::Ask => Verdict::Ask(entry.terms),
            _ => Verdict::Allow(entry.terms),
        })
    }
}

impl Entry {
    pub(super) fn of(rule: Option<&Rule>, proposal: &Proposal, usual: Usual) -> Self {
        let unsaid = Rule::default();
        let rule = rule.unwrap_or(&unsaid);
        let risk = said(rule.risk.as_ref()).unwrap_or(proposal.risk);
        let timeout = said(rule.timeout.as_ref()).unwrap_or(proposal.timeout);
        let proposed_ttl = proposal.cache_ttl.filter(|_| !rule.lacks(key::CACHE_TTL));
        let proposed_permission = proposal.permission.iter().filter(|_| !rule.lacks(key::PERMISSION));
        let terms = Terms {
            risk,
            timeout,
            // A person's limit counts; the usual one never cuts what a person allows to be silent for longer.
            hard_timeout: said(rule.hard_timeout.as_ref()).unwrap_or(usual.hard_timeout.max(timeout)),
            cache_ttl: said(rule.cache_ttl.as_ref())
                .or(proposed_ttl)
                .filter(|ttl| usual.cache && risk == Risk::Safe && !ttl.is_zero()),
            rate: said(rule.rate.as_ref()),
        };
        Self {
            enabled: said(rule.enabled.as_ref()).unwrap_or(true),
            decision: said(rule.decision.as_ref()).unwrap_or(proposal.decision),
            permissions: match &rule.permissions {
                Some(said) => said.value.clone(),
                None => proposed_permission.cloned().collect(),
            },
            terms,
        }
    }
}

fn said<T: Copy>(said: Option<&Said<T>>) -> Option<T> {
    said.map(|said| said.value)
}

#[cfg(test)]
mod tests;
