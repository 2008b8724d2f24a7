//! The text of `tool-policy.toml`, read: every problem at once, each with its place.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use schemars::JsonSchema;

use super::merge::Base;
use super::{Decision, Permission, Rate, Risk};
use crate::fields::{Fields, read};
use crate::problem::{Parsed, Problem};

/// The keys of a tool's table, in the order in which they are written.
pub(super) mod key {
    pub(in crate::policy) const ENABLED: &str = "enabled";
    pub(in crate::policy) const RISK: &str = "risk";
    pub(in crate::policy) const DECISION: &str = "decision";
    pub(in crate::policy) const TIMEOUT: &str = "timeout";
    pub(in crate::policy) const HARD_TIMEOUT: &str = "hard_timeout";
    pub(in crate::policy) const CACHE_TTL: &str = "cache_ttl";
    pub(in crate::policy) const PERMISSION: &str = "permission";
    pub(in crate::policy) const PERMISSIONS: &str = "permissions";
    pub(in crate::policy) const RATE: &str = "rate";

    /// Those that are generated, in that order.
    pub(in crate::policy) const GENERATED: [&str; 5] = [RISK, DECISION, TIMEOUT, CACHE_TTL, PERMISSION];
}

/// Something that stands in the file, and the line in which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What it says.
    pub value: T,
    /// Its line, from 1.
    pub line: usize,
}

/// What the file says of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The server that offers it.
    pub server: String,
    /// The name of the tool.
    pub tool: String,
    /// The line in which its table begins, from 1.
    pub line: usize,
    /// `false`: it is not offered.
    pub enabled: Option<Said<bool>>,
    /// How much harm it can do.
    pub risk: Option<Said<Risk>>,
    /// What becomes of a call.
    pub decision: Option<Said<Decision>>,
    /// How long a call may be silent.
    pub timeout: Option<Said<Duration>>,
    /// No call takes longer, whatever progress it makes.
    pub hard_timeout: Option<Said<Duration>>,
    /// How long a result may be given again; zero for never.
    pub cache_ttl: Option<Said<Duration>>,
    /// What a caller must hold, all of it.
    pub permissions: Option<Said<Vec<Permission>>>,
    /// How often it may be called.
    pub rate: Option<Said<Rate>>,
    /// The keys that a person took out of the table: nothing is to hold there. Only [`ToolPolicy::knowing`] finds them.
    pub taken_out: Vec<&'static str>,
}

impl Rule {
    /// Whether a person took the line of `key` out of the table.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.taken_out.contains(&key)
    }

    /// Whether the table has a line for a key that is generated.
    fn says(&self, key: &str) -> bool {
        match key {
            key::RISK => self.risk.is_some(),
            key::DECISION => self.decision.is_some(),
            key::TIMEOUT => self.timeout.is_some(),
            key::CACHE_TTL => self.cache_ttl.is_some(),
            _ => self.permissions.is_some(),
        }
    }
}

/// What `tool-policy.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolPolicy {
    rules: Vec<Rule>,
    by_name: HashMap<String, HashMap<String, usize>>,
}

impl ToolPolicy {
    /// Returns the rules in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the rule of a tool, if a table of the file is about it.
    pub fn rule(&self, server: &str, tool: &str) -> Option<&Rule> {
        self.by_name.get(server)?.get(tool).map(|&at| &self.rules[at])
    }

    /// Returns it with what is known of lines that are not there: one that was generated was taken out by a person, any
    /// other was never written, so that what is proposed holds.
    #[must_use]
    pub fn knowing(mut self, base: &Base) -> Self {
        for rule in &mut self.rules {
            let was_generated = |key: &str| base.generated(&rule.server, &rule.tool, key).is_some();
            rule.taken_out =
                key::GENERATED.into_iter().filter(|key| !rule.says(key) && was_generated(key)).collect();
        }
        self
    }

    fn add(&mut self, rule: Rule) {
        let tools = self.by_name.entry(rule.server.clone()).or_default();
        tools.insert(rule.tool.clone(), self.rules.len());
        self.rules.push(rule);
    }
}

/// Reads the policy of the tools.
///
/// The value holds every rule that could be understood; only a [`Parsed::is_good`] one may go into service.
pub fn parse(text: &str) -> Parsed<ToolPolicy> {
    let mut problems = Vec::new();
    let table = read(text, &mut problems);
    for damage in &mut problems {
        damage.help = Some("mend the file there; until then the last good policy counts".to_owned());
    }
    let mut policy = ToolPolicy::default();
    let lines = Lines::of(text);
    let mut fields = Fields::of(text, "the policy", table.span(), table.get_ref(), &mut problems);
    // A slip of the pen must not leave a tool more open than was meant.
    fields.refuse_unknown();
    fields.text("$schema");
    fields.named_tables("tools", "server", |server, _, fields| {
        fields.names("tool", |tool, start, fields| {
            let rule = Rule {
                server: server.to_owned(),
                tool: tool.to_owned(),
                line: lines.at(start),
                ..rule(&lines, fields)
            };
            policy.add(rule);
        });
    });
    fields.finish();
    problems.sort_by_key(|problem| problem.place);
    Parsed { value: policy, problems }
}

fn rule(lines: &Lines, fields: &mut Fields<'_, '_>) -> Rule {
    let enabled = fields.bool(key::ENABLED);
    let risk = fields.word(key::RISK, &Risk::WORDS);
    let decision = fields.word(key::DECISION, &Decision::WORDS);
    let timeout = limit(key::TIMEOUT, fields);
    let hard_timeout = limit(key::HARD_TIMEOUT, fields);
    let cache_ttl = fields.duration(key::CACHE_TTL);
    let rate = rate(fields);
    let (permissions, permissions_key) = permissions(fields);
    let said = |key: &str, fields: &Fields<'_, '_>| fields.start_of(key).map_or(0, |start| lines.at(start));
    Rule {
        enabled: enabled.map(|value| Said { value, line: said(key::ENABLED, fields) }),
        risk: risk.map(|value| Said { value, line: said(key::RISK, fields) }),
        decision: decision.map(|value| Said { value, line: said(key::DECISION, fields) }),
        timeout: timeout.map(|value| Said { value, line: said(key::TIMEOUT, fields) }),
        hard_timeout: hard_timeout.map(|value| Said { value, line: said(key::HARD_TIMEOUT, fields) }),
        cache_ttl: cache_ttl.map(|value| Said { value, line: said(key::CACHE_TTL, fields) }),
        permissions: permissions.map(|value| Said { value, line: said(permissions_key, fields) }),
        rate: rate.map(|value| Said { value, line: said(key::RATE, fields) }),
        ..Rule::default()
    }
}

/// A call that may take no time at all could never be answered.
fn limit(key: &'static str, fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let limit = fields.duration(key)?;
    if limit.is_zero() {
        let problem = Problem::error(format!("`{key}` is no time at all"));
        fields.problem_of(key, problem.help("remove the line, or write decision = \"deny\""));
        return None;
    }
    Some(limit)
}

fn rate(fields: &mut Fields<'_, '_>) -> Option<Rate> {
    let text = fields.text(key::RATE)?;
    Rate::parse(&text)
        .map_err(|error| {
            let problem = Problem::error(format!("`rate` is not how often: {error}"));
            fields
                .problem_of(key::RATE, problem.help("write a number, `/` and s, min, h or day: \"10/min\""));
        })
        .ok()
}

/// One permission, or a list of them; which of the keys says it.
fn permissions(fields: &mut Fields<'_, '_>) -> (Option<Vec<Permission>>, &'static str) {
    let one = fields.text(key::PERMISSION);
    let many = fields.placed_texts(key::PERMISSIONS);
    let texts: Vec<(usize, String)> = match (one, many) {
        (Some(_), Some(_)) => {
            let problem = Problem::error("both `permission` and `permissions` say what a caller must hold");
            fields.problem_of(key::PERMISSION, problem.help("put all of it into `permissions`"));
            return (None, key::PERMISSION);
        }
        (None, None) => return (None, key::PERMISSION),
        (Some(one), None) => {
            let mut all = Vec::new();
            read_permission(&one, &mut all, |problem| fields.problem_of(key::PERMISSION, problem));
            return (Some(all), key::PERMISSION);
        }
        (None, Some(many)) => many,
    };
    let mut all = Vec::new();
    for (offset, text) in texts {
        read_permission(&text, &mut all, |problem| fields.problem_at(offset, problem));
    }
    (Some(all), key::PERMISSIONS)
}

fn read_permission(text: &str, all: &mut Vec<Permission>, wrong: impl FnOnce(Problem)) {
    match Permission::parse(text) {
        Ok(permission) => all.push(permission),
        Err(error) => {
            let problem = Problem::error(format!("{text:?} is no permission: {error}"));
            wrong(problem.help("write server:resource:action, such as \"k8s:pod:delete\""));
        }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The line of byte `offset`, from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) + 1
    }
}

/// The whole policy file, for the JSON Schema.
#[derive(JsonSchema)]
#[schemars(title = "Switchboard tool policy")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ToolPolicyFile {
    /// What each tool may do, by server and tool.
    #[schemars(default)]
    tools: BTreeMap<String, BTreeMap<String, RuleFile>>,
}

/// What one tool may do.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct RuleFile {
    /// `false`: it is not offered.
    enabled: Option<bool>,
    /// How much harm it can do.
    risk: Option<Risk>,
    /// What becomes of a call.
    decision: Option<Decision>,
    /// How long a call may be silent, such as "60s".
    timeout: Option<String>,
    /// No call takes longer, whatever progress it makes, such as "1h".
    hard_timeout: Option<String>,
    /// How long the result of a safe tool may be given again, such as "60s"; "0s" for never.
    cache_ttl: Option<String>,
    /// What a caller must hold: server:resource:action.
    permission: Option<String>,
    /// Several of them; a caller must hold all.
    permissions: Option<Vec<String>>,
    /// How often it may be called, such as "10/min".
    rate: Option<String>,
}

#[cfg(test)]
mod tests;
