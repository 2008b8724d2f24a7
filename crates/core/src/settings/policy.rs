//! The `[policy]` table: what tools may do, as far as it is not said of one tool in `tool-policy.toml`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::Server;
use crate::fields::Fields;
use crate::policy::{Decision, Decisions, Risk, Setting, Usual, Verbs, words};
use crate::problem::Problem;

/// What tools may do.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether the gateway holds callers to the policy.
    pub enforce: bool,
    /// Whether results of safe tools are kept for their `cache_ttl`.
    pub cache: bool,
    /// What becomes of a tool whose definition has changed.
    pub on_change: OnChange,
    /// What is decided on the tools of each risk.
    pub decisions: Decisions,
    /// No call takes longer, whatever progress it makes, unless its tool says otherwise.
    pub hard_timeout: Duration,
    /// The verbs that tools are judged by.
    pub verbs: Verbs,
    /// Files of other applications that are kept in step.
    pub export: Vec<ExportSettings>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            enforce: true,
            cache: false,
            on_change: OnChange::Flag,
            decisions: Decisions::default(),
            hard_timeout: Duration::from_secs(3_600),
            verbs: Verbs::default(),
            export: Vec::new(),
        }
    }
}

impl Policy {
    /// Returns what holds where nobody has said anything of a tool.
    pub fn usual(&self) -> Usual {
        Usual { hard_timeout: self.hard_timeout, cache: self.cache }
    }

    /// Returns what counts for the tools of a server, besides what they are.
    pub fn setting<'s>(&'s self, server: &'s Server) -> Setting<'s> {
        Setting {
            server: server.name.as_str(),
            trust: server.trust,
            timeout: server.timeout,
            verbs: &self.verbs,
            decisions: self.decisions,
        }
    }
}

/// What becomes of a tool whose definition has changed since it was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnChange {
    /// It is shown, and calls go on.
    #[default]
    Flag,
    /// It is not called until somebody has looked at it.
    Quarantine,
}

/// Another application's file that is kept in step.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ExportSettings {
    /// Its path. One that is not absolute is looked for where such applications keep it.
    pub path: String,
    /// The server whose tools it lists.
    pub server: String,
}

/// The `[policy]` table, for the JSON Schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PolicyFile {
    /// Whether the gateway holds callers to the policy.
    enforce: Option<bool>,
    /// Whether results of safe tools are kept for their `cache_ttl`.
    cache: Option<bool>,
    /// What becomes of a tool whose definition has changed since it was first seen.
    on_change: Option<OnChange>,
    /// What is decided on the tools of each risk, where nobody has decided on the tool itself.
    decisions: Option<Decisions>,
    /// No call takes longer, whatever progress it makes, such as "1h".
    hard_timeout: Option<String>,
    /// Words that say what a tool does, beside the known ones.
    verbs: Option<VerbsFile>,
    /// Files of other applications that are kept in step.
    #[schemars(default)]
    export: Vec<ExportSettings>,
}

/// Words that say what a tool does.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct VerbsFile {
    /// Words of tools that make, end or run something.
    high: Option<Vec<String>>,
    /// Words of tools that change something.
    medium: Option<Vec<String>>,
    /// Words of tools that only look.
    safe: Option<Vec<String>>,
}

pub(super) fn read(fields: &mut Fields<'_, '_>) -> Policy {
    fields.refuse_unknown();
    let default = Policy::default();
    Policy {
        enforce: fields.bool("enforce").unwrap_or(default.enforce),
        cache: fields.bool("cache").unwrap_or(default.cache),
        on_change: fields
            .word("on_change", &[("flag", OnChange::Flag), ("quarantine", OnChange::Quarantine)])
            .unwrap_or(default.on_change),
        decisions: fields.table("decisions", decisions).unwrap_or(default.decisions),
        hard_timeout: hard_timeout(fields).unwrap_or(default.hard_timeout),
        verbs: fields.table("verbs", verbs).unwrap_or(default.verbs),
        export: fields.tables("export", export).into_iter().flatten().collect(),
    }
}

/// A limit never cuts what a tool may be silent for, so that a short one ends nothing.
fn hard_timeout(fields: &mut Fields<'_, '_>) -> Option<Duration> {
    let limit = fields.duration("hard_timeout")?;
    let silent = Risk::High.timeout();
    if limit < silent {
        let silent = silent.as_secs();
        let what = format!(
            "`hard_timeout` is shorter than the {silent}s that a call may be silent, and ends none of these"
        );
        let problem = Problem::warning(what);
        fields.problem_of(
            "hard_timeout",
            problem.help("write a shorter `timeout` for the server in the catalogue"),
        );
    }
    Some(limit)
}

fn decisions(fields: &mut Fields<'_, '_>) -> Decisions {
    let mut on = |key| fields.word(key, &Decision::WORDS).unwrap_or_default();
    Decisions { high: on("high"), medium: on("medium"), safe: on("safe") }
}

fn verbs(fields: &mut Fields<'_, '_>) -> Verbs {
    let mut added: Vec<(Risk, String)> = Vec::new();
    for (key, risk) in Risk::WORDS {
        for (offset, word) in fields.placed_texts(key).unwrap_or_default() {
            if words(&word) != [word.to_lowercase()] {
                let problem = Problem::error(format!("{word:?} is not one word of a tool's name"));
                fields
                    .problem_at(offset, problem.help("write letters and digits alone, such as \"publish\""));
                continue;
            }
            let is_same = |(_, other): &&(Risk, String)| other.to_lowercase() == word.to_lowercase();
            if let Some((other, _)) = added.iter().find(is_same) {
                let what = format!("{word:?} has no effect here: it stands under `{other}` already");
                fields.problem_at(offset, Problem::warning(what).help("remove one of the two"));
            }
            added.push((risk, word));
        }
    }
    Verbs::with(added.iter().map(|(risk, word)| (*risk, word.as_str())))
}

fn export(fields: &mut Fields<'_, '_>) -> Option<ExportSettings> {
    let (path, server) = (fields.text("path"), fields.text("server"));
    for (key, example) in [("path", "config/mcp_config.json"), ("server", "k8s")] {
        if !fields.has(key) {
            let problem = Problem::error(format!("an export needs a `{key}`"));
            fields.problem(problem.help(format!("add {key} = \"{example}\"")));
        }
    }
    Some(ExportSettings { path: path?, server: server? })
}
