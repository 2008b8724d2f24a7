//! Which rule gave what for one tool.

use serde::Serialize;

use super::decide::{Entry, Usual};
use super::file::key;
use super::merge::{Base, spelt};
use super::{Permission, Proposal, Reason, Rule, Said, ToolPolicy};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Source {
    /// A person wrote it.
    Person {
        /// The line of the policy file, from 1.
        line: usize,
    },
    /// It was generated, and stands in the file as it was.
    Generated {
        /// The line of the policy file, from 1.
        line: usize,
    },
    /// A person took the line out of the tool's table.
    TakenOut {
        /// The line in which the table begins, from 1.
        line: usize,
    },
    /// The file says nothing of it.
    Proposal,
    /// The settings say it for all tools.
    Settings,
}

/// What holds for a tool under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The key, as in the policy file.
    pub key: &'static str,
    /// What holds, as in the policy file; `None` for nothing.
    pub value: Option<String>,
    /// What is proposed, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
}

/// What holds for one tool, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The server of the tool.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// The line of the policy file in which its table begins, if it has one.
    pub line: Option<usize>,
    /// What holds, key by key.
    pub parts: Vec<Part>,
    /// Why it is proposed as it is.
    pub reasons: Vec<Reason>,
}

/// Returns which rule gave what for a tool; `policy` [knows](ToolPolicy::knowing) `base`.
pub fn explain(
    policy: &ToolPolicy,
    base: &Base,
    server: &str,
    proposal: &Proposal,
    usual: Usual,
) -> Explanation {
    let tool = &proposal.tool;
    let rule = policy.rule(server, tool);
    let holds = Entry::of(rule, proposal, usual);
    let asks = Asks { base, server, tool, rule };
    let terms = holds.terms;
    let word = |flag: bool| flag.to_string();
    let says = |of: fn(&Rule) -> Option<(usize, String)>| rule.and_then(of);
    let parts = vec![
        asks.part(
            key::ENABLED,
            says(|rule| said(rule.enabled.as_ref(), ToString::to_string)),
            Some(word(holds.enabled)),
            Some(word(true)),
        ),
        asks.part(
            key::RISK,
            says(|rule| said(rule.risk.as_ref(), ToString::to_string)),
            Some(terms.risk.to_string()),
            Some(proposal.risk.to_string()),
        ),
        asks.part(
            key::DECISION,
            says(|rule| said(rule.decision.as_ref(), ToString::to_string)),
            Some(holds.decision.to_string()),
            Some(proposal.decision.to_string()),
        ),
        asks.part(
            key::TIMEOUT,
            says(|rule| said(rule.timeout.as_ref(), |limit| spelt(*limit))),
            Some(spelt(terms.timeout)),
            Some(spelt(proposal.timeout)),
        ),
        asks.part(
            key::HARD_TIMEOUT,
            says(|rule| said(rule.hard_timeout.as_ref(), |limit| spelt(*limit))),
            Some(spelt(terms.hard_timeout)),
            None,
        ),
        asks.part(
            key::CACHE_TTL,
            says(|rule| said(rule.cache_ttl.as_ref(), |ttl| spelt(*ttl))),
            terms.cache_ttl.map(spelt),
            proposal.cache_ttl.filter(|_| usual.cache).map(spelt),
        ),
        asks.part(
            key::PERMISSION,
            says(|rule| said(rule.permissions.as_ref(), |all| joined(all))),
            Some(joined(&holds.permissions)).filter(|all| !all.is_empty()),
            proposal.permission.as_ref().map(ToString::to_string),
        ),
        asks.part(
            key::RATE,
            says(|rule| said(rule.rate.as_ref(), ToString::to_string)),
            terms.rate.map(|rate| rate.to_string()),
            None,
        ),
    ];
    Explanation {
        server: server.to_owned(),
        tool: tool.clone(),
        line: rule.map(|rule| rule.line),
        parts,
        reasons: proposal.reasons.clone(),
    }
}

/// The line of what the file says, and what it says.
fn said<T>(said: Option<&Said<T>>, text: impl FnOnce(&T) -> String) -> Option<(usize, String)> {
    said.map(|said| (said.line, text(&said.value)))
}

fn joined(all: &[Permission]) -> String {
    all.iter().map(Permission::as_str).collect::<Vec<_>>().join(", ")
}

/// Whose each value is.
struct Asks<'a> {
    base: &'a Base,
    server: &'a str,
    tool: &'a str,
    rule: Option<&'a Rule>,
}

impl Asks<'_> {
    fn part(
        &self,
        key: &'static str,
        said: Option<(usize, String)>,
        value: Option<String>,
        proposed: Option<String>,
    ) -> Part {
        let last = self.base.generated(self.server, self.tool, key);
        let source = match (said, self.rule) {
            (Some((line, text)), _) if last == Some(text.as_str()) => Source::Generated { line },
            (Some((line, _)), _) => Source::Person { line },
            (None, Some(rule)) if rule.lacks(key) => Source::TakenOut { line: rule.line },
            (None, _) if key == key::HARD_TIMEOUT => Source::Settings,
            (None, _) => Source::Proposal,
        };
        let proposed = proposed.filter(|proposed| Some(proposed) != value.as_ref());
        Part { key, value, proposed, source }
    }
}

impl Explanation {
    /// Returns it as lines for people: what holds and whose word it is, then why it is proposed.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.parts.iter().filter_map(Part::sentence).collect();
        lines.extend(self.reasons.iter().map(ToString::to_string));
        lines
    }
}

impl Part {
    /// A line of its own, unless nothing is said and nothing was to be.
    fn sentence(&self) -> Option<String> {
        let value = self.value.as_deref().unwrap_or("none");
        let proposed = match &self.proposed {
            Some(proposed) => format!(" (proposed: {proposed})"),
            None => String::new(),
        };
        let key = self.key;
        Some(match self.source {
            Source::Person { line } => format!("{key} {value}: your own words in line {line}{proposed}"),
            Source::Generated { line } => {
                format!("{key} {value}: as it was generated, in line {line}{proposed}")
            }
            Source::TakenOut { line } => {
                format!("{key} {value}: you took it out of the table in line {line}{proposed}")
            }
            Source::Settings => format!("{key} {value}: as for all tools"),
            Source::Proposal if self.value.is_none() || key == key::ENABLED => return None,
            Source::Proposal => format!("{key} {value}: as it is proposed"),
        })
    }
}

#[cfg(test)]
mod tests;
