//! What was last generated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::keys::wanted;
use super::spell;
use crate::policy::Proposal;

/// What was last generated, tool by tool. It is kept beside the file: without it, all of the file is a person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base {
    tools: BTreeMap<String, BTreeMap<String, Generated>>,
}

/// What was last generated for one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Generated {
    /// Each key with what we wrote there last; `None` where a person was there first.
    pub(super) keys: BTreeMap<String, Option<String>>,
    /// Since when the tool is not offered any more, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone: Option<u64>,
}

impl Base {
    /// Forgets what was generated for a tool: with its table taken out of the file, it comes as if for the first time.
    pub fn forget(&mut self, server: &str, tool: &str) {
        if let Some(tools) = self.tools.get_mut(server) {
            tools.remove(tool);
            if tools.is_empty() {
                self.tools.remove(server);
            }
        }
    }

    /// Returns it with the server `from` called `to`; what was generated for `to` itself stays.
    pub(super) fn renamed(&self, from: &str, to: &str) -> Self {
        let mut renamed = self.clone();
        if let Some(tools) = renamed.tools.remove(from) {
            let there = renamed.tools.entry(to.to_owned()).or_default();
            for (tool, generated) in tools {
                there.entry(tool).or_insert(generated);
            }
        }
        renamed
    }

    /// Notes that what stands under `key` for a tool is a person's word, also where it is what was generated.
    pub fn give(&mut self, server: &str, tool: &str, key: &str) {
        self.tool(server, tool).keys.insert(key.to_owned(), None);
    }

    /// Returns what was last written under `key` for a tool, if it was us who wrote it.
    pub fn generated(&self, server: &str, tool: &str, key: &str) -> Option<&str> {
        self.get(server, tool)?.keys.get(key)?.as_deref()
    }

    /// Returns since when a tool is not offered any more, in seconds since 1970.
    pub(super) fn gone(&self, server: &str, tool: &str) -> Option<u64> {
        self.get(server, tool)?.gone
    }

    /// Returns whether anything was ever generated for a tool.
    pub fn knows(&self, server: &str, tool: &str) -> bool {
        self.get(server, tool).is_some()
    }

    pub(super) fn get(&self, server: &str, tool: &str) -> Option<&Generated> {
        self.tools.get(server)?.get(tool)
    }

    pub(super) fn tool(&mut self, server: &str, tool: &str) -> &mut Generated {
        // Nearly always both are there, and looking is cheaper than a name of one's own.
        if self.get(server, tool).is_none() {
            let tools = self.tools.entry(server.to_owned()).or_default();
            tools.insert(tool.to_owned(), Generated::default());
        }
        self.tools.entry(server.to_owned()).or_default().entry(tool.to_owned()).or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, &Generated)> {
        self.tools.iter().flat_map(|(server, tools)| {
            tools.iter().map(move |(tool, generated)| (server.as_str(), tool.as_str(), generated))
        })
    }
}

impl Generated {
    pub(super) fn of(proposal: &Proposal) -> Self {
        let keys =
            wanted(proposal).into_iter().filter_map(|(key, value)| Some((key.to_owned(), Some(value?))));
        Self { keys: keys.collect(), gone: None }
    }

    /// Whether the lines of a table are what we have written, and nothing else.
    pub(super) fn is_all_of(&self, server: &str, tool: &str, body: &str) -> bool {
        if self.keys.values().any(Option::is_none) {
            return false;
        }
        let mut ours: Vec<String> =
            self.keys.iter().filter_map(|(key, value)| Some(spell::pair(key, value.as_ref()?))).collect();
        ours.push(spell::header(server, tool));
        let mut theirs: Vec<&str> = body.lines().collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        ours == theirs
    }
}
