//! What is offered, to be looked up by server and tool.

use std::collections::{BTreeMap, HashMap};

use super::Offered;
use crate::policy::Proposal;

/// What is offered, to be looked up.
pub(super) struct Offer<'o> {
    /// In the order of the catalogue, and by name within a server.
    pub(super) servers: Vec<(&'o str, Option<BTreeMap<&'o str, &'o Proposal>>)>,
    by_name: HashMap<&'o str, usize>,
}

impl<'o> Offer<'o> {
    pub(super) fn of(offered: &[Offered<'o>]) -> Self {
        let servers: Vec<_> = offered
            .iter()
            .map(|one| {
                let tools =
                    one.tools.map(|tools| tools.iter().map(|tool| (tool.tool.as_str(), tool)).collect());
                (one.server, tools)
            })
            .collect();
        let by_name = servers.iter().enumerate().map(|(at, (server, _))| (*server, at)).collect();
        Self { servers, by_name }
    }

    pub(super) fn find(&self, server: &str, tool: &str) -> Option<&'o Proposal> {
        let (_, tools) = &self.servers[*self.by_name.get(server)?];
        tools.as_ref()?.get(tool).copied()
    }

    /// Returns the place of a server in the catalogue; the first for one that is not there.
    pub(super) fn place(&self, server: &str) -> usize {
        self.by_name.get(server).copied().unwrap_or(0)
    }

    /// Whether it is known that this tool is not offered.
    pub(super) fn is_gone(&self, server: &str, tool: &str) -> bool {
        match self.by_name.get(server) {
            Some(&at) => self.servers[at].1.as_ref().is_some_and(|tools| !tools.contains_key(tool)),
            None => true,
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'o str, &'o str, &'o Proposal)> {
        let known = self.servers.iter().filter_map(|(server, tools)| Some((*server, tools.as_ref()?)));
        known.flat_map(|(server, tools)| tools.iter().map(move |(tool, proposal)| (server, *tool, *proposal)))
    }
}
