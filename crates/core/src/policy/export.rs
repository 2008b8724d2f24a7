//! Another application's `mcp_config.json`, kept in step with the tools of one server.
//!
//! ```json
//! {
//!   "servers": [{"name": "k8s", "tools": ["get_pods"]}],
//!   "tools": [{"name": "get_pods", "risk_level": "safe", "timeout": 30, "server": "k8s"}]
//! }
//! ```
//!
//! Ours are the tools that say our server's name, and the list of their names beside that server; everything else is
//! somebody else's, to the last byte. Within a tool of ours, ours are the keys that we write and that nobody has
//! changed since: whatever a person wrote stays.

mod repair;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use repair::Repair;

use super::decide::Entry;
use super::{Decision, Permission, Proposal, Risk, ToolPolicy, Usual};
use crate::document::{Document, Format, Node, Refusal, Step, Unreadable};
use crate::problem::Problem;
use crate::text::SpliceError;
use crate::value::Value;

/// Where such applications keep their file, below the folder that they run in; the first that is there counts.
pub const PLACES: [&str; 3] =
    ["backend/config/mcp_config.json", "config/mcp_config.json", "../backend/config/mcp_config.json"];

/// Returns where a file may be that the settings call `path`: that path, but for one of the usual ones, which stands
/// for all of them.
pub fn places(path: &str) -> Vec<&str> {
    let usual = PLACES.contains(&path) || path == "mcp_config.json";
    if usual { PLACES.to_vec() } else { vec![path] }
}

/// A tool with what the policy says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedTool {
    /// What it is called.
    pub name: String,
    /// What it is for, in its server's words.
    pub description: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// How long a call may take.
    pub timeout: Duration,
    /// How long a result may be given again; `None` for never.
    pub cache_ttl: Option<Duration>,
    /// What a caller must hold.
    pub permissions: Vec<Permission>,
    /// Whether it may be called at all.
    pub enabled: bool,
}

impl ExportedTool {
    /// Returns a tool as what is in force for it says; `description` is its server's.
    ///
    /// Whether results are kept is the other application's to decide, so it is told for how long they may be.
    pub fn of(
        policy: &ToolPolicy,
        server: &str,
        proposal: &Proposal,
        description: &str,
        usual: Usual,
    ) -> Self {
        let rule = policy.rule(server, &proposal.tool);
        let Entry { enabled, decision, permissions, terms } =
            Entry::of(rule, proposal, Usual { cache: true, ..usual });
        Self {
            name: proposal.tool.clone(),
            description: description.to_owned(),
            risk: terms.risk,
            timeout: terms.timeout,
            cache_ttl: terms.cache_ttl,
            permissions,
            enabled: enabled && decision != Decision::Deny,
        }
    }

    /// What we write for it: each key in order.
    fn members(&self, server: &str) -> Vec<(&'static str, Value)> {
        let seconds = |duration: Duration| Value::Number(duration.as_millis().div_ceil(1_000).to_string());
        let mut members = vec![
            ("name", Value::text(&self.name)),
            ("description", Value::text(&self.description)),
            ("risk_level", Value::text(self.risk.word())),
            ("timeout", seconds(self.timeout)),
            ("cache_enabled", Value::Bool(self.cache_ttl.is_some())),
        ];
        members.extend(self.cache_ttl.map(|ttl| ("cache_ttl", seconds(ttl))));
        members.push(("required_permissions", Value::texts(self.permissions.iter().map(Permission::as_str))));
        members.push(("enabled", Value::Bool(self.enabled)));
        members.push(("server", Value::text(server)));
        members
    }
}

/// What was last written into one file, to be kept until the next time: tool by tool, key by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExportBase(BTreeMap<String, BTreeMap<String, Value>>);

/// What an export gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The new text; `None` when the file is as it should be.
    pub text: Option<String>,
    /// What is written now.
    pub base: ExportBase,
    /// What was broken and is mended: the file is to be kept first.
    pub repairs: Vec<Repair>,
    /// How many of our tools the file had, and has.
    pub tools: (usize, usize),
}

/// Why the file is left alone.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be read, and how it is to be mended is not certain.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It cannot be changed without touching something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Our own edits contradict each other: a defect of ours, caught before it reached the file.
    #[error("the edits do not fit together ({0}); nothing was written")]
    Splice(#[from] SpliceError),
    /// Two tools of ours have one name in it.
    #[error("`{0}` stands twice among the tools of this server")]
    Twice(String),
}

impl ExportError {
    /// Returns it as a problem of the file.
    pub fn problem(&self) -> Problem {
        let problem = Problem::error(self.to_string());
        match self {
            // The place stands by itself in a problem.
            Self::Unreadable(error) => {
                Problem::error(error.reason.to_string()).at(error.place).help(error.help())
            }
            Self::Refused(refusal) => problem.help(refusal.help()),
            Self::Splice(_) => problem.help("please report this with the file"),
            Self::Twice(_) => problem.help("remove one of the two"),
        }
    }
}

/// Returns the text of another application's file, in which the tools of `server` are `tools`, in this order.
///
/// `text` is the file, or `None` where there is none; `base` is what was last written into it.
///
/// # Errors
/// The file is left alone when it cannot be read, or not be changed without touching what is not ours.
pub fn export(
    text: Option<&str>,
    base: &ExportBase,
    server: &str,
    tools: &[ExportedTool],
) -> Result<Exported, ExportError> {
    let before = text.unwrap_or_default();
    let mended = repair::mended(before)?;
    let document = Document::parse(&mended.text, Format::Json)?;
    let ours = ours(&document, server)?;
    // A person takes out one tool or another. A file in which none of them is left is begun anew, or was put back by its
    // application to what it was before us.
    let nothing = ExportBase::default();
    let base = if ours.is_empty() { &nothing } else { base };
    let is_first = base.0.is_empty();
    let had = ours.len();
    let wanted: HashMap<&str, &ExportedTool> = tools.iter().map(|tool| (tool.name.as_str(), tool)).collect();
    let mut new_base = ExportBase::default();
    let mut plan = write::Plan::default();
    for (name, (at, node)) in &ours {
        let last = base.0.get(*name);
        if let Some(tool) = wanted.get(name) {
            let (keys, now) = followed(node, last, &tool.members(server));
            plan.changed.extend((!keys.is_empty()).then_some((*at, keys)));
            new_base.0.insert((*name).to_owned(), now);
        } else if is_first || last.is_some() {
            plan.removed.push(*at);
        }
    }
    for tool in tools.iter().filter(|tool| !ours.contains_key(tool.name.as_str())) {
        if let Some(last) = base.0.get(&tool.name) {
            // A person took it out.
            new_base.0.insert(tool.name.clone(), last.clone());
            continue;
        }
        let members = tool.members(server);
        let now = members.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        if new_base.0.insert(tool.name.clone(), now.collect()).is_some() {
            return Err(ExportError::Twice(tool.name.clone()));
        }
        plan.added.push(members);
    }
    let has = had + plan.added.len() - plan.removed.len();
    plan.names = names(write::names(&document, server), base, &wanted, tools);
    let after = write::carry_out(&document, server, plan)?;
    Ok(Exported {
        text: (after != before).then_some(after),
        base: new_base,
        repairs: mended.repairs,
        tools: (had, has),
    })
}

/// What our server's own list of names should be; `None` where it is so.
///
/// It keeps its order and what a person put into it; what a person took out stays out.
fn names(
    there: Option<Vec<String>>,
    base: &ExportBase,
    wanted: &HashMap<&str, &ExportedTool>,
    tools: &[ExportedTool],
) -> Option<Vec<String>> {
    let Some(there) = there else { return Some(tools.iter().map(|tool| tool.name.clone()).collect()) };
    let goes = |name: &String| {
        !wanted.contains_key(name.as_str()) && (base.0.is_empty() || base.0.contains_key(name))
    };
    let mut names: Vec<String> = there.iter().filter(|name| !goes(name)).cloned().collect();
    let new = tools.iter().map(|tool| &tool.name).filter(|name| !base.0.contains_key(*name));
    let new: Vec<String> = new.filter(|name| !there.contains(name)).cloned().collect();
    names.extend(new);
    (names != there).then_some(names)
}

/// Our tools in the file, by name, with their places in the list.
fn ours<'d, 't>(
    document: &'d Document<'t>,
    server: &str,
) -> Result<BTreeMap<&'d str, (usize, &'d Node<'t>)>, ExportError> {
    let mut ours = BTreeMap::new();
    let list = document.at(&[Step::key("tools")]).and_then(Node::as_list);
    for (at, node) in list.into_iter().flat_map(|list| &list.items).enumerate() {
        let says = |key| node.get(key).and_then(Node::as_text);
        if let (Some(name), true) = (says("name"), says("server") == Some(server))
            && ours.insert(name, (at, node)).is_some()
        {
            return Err(ExportError::Twice(name.to_owned()));
        }
    }
    Ok(ours)
}

/// Which keys of a tool change, and what is ours in it from now on.
fn followed(
    node: &Node<'_>,
    last: Option<&BTreeMap<String, Value>>,
    wanted: &[(&'static str, Value)],
) -> (write::Keys, BTreeMap<String, Value>) {
    let mut changes = Vec::new();
    let mut now: BTreeMap<String, Value> = last.cloned().unwrap_or_default();
    for (key, value) in wanted {
        let there = node.get(key);
        match (last, last.and_then(|last| last.get(*key)), there) {
            (None, _, Some(there)) if there.says(value) => drop(now.insert((*key).to_owned(), value.clone())),
            (None, _, None) | (Some(_), None, None) => {
                changes.push(((*key).to_owned(), Some(value.clone())));
                now.insert((*key).to_owned(), value.clone());
            }
            (Some(_), Some(last), Some(there)) if there.says(last) => {
                if !there.says(value) {
                    changes.push(((*key).to_owned(), Some(value.clone())));
                }
                now.insert((*key).to_owned(), value.clone());
            }
            // A person wrote another value, or took the key out; or nobody remembers who wrote what stands there.
            _ => {}
        }
    }
    for (key, last) in last.into_iter().flatten() {
        let is_wanted = wanted.iter().any(|(wanted, _)| wanted == key);
        if !is_wanted && node.get(key).is_some_and(|there| there.says(last)) {
            changes.push((key.clone(), None));
            now.remove(key);
        }
    }
    (changes, now)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
