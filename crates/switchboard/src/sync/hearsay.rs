//! What somebody else says of a server's tools, joined with what the server said itself before.

use switchboard_core::catalogue::Server;
use switchboard_core::registry::Kind;
use switchboard_gateway::offer::{Offer, Sort};
use switchboard_host::hash::Hash;
use switchboard_host::registry::{self, Item, Line, Registry, Seen, SeenItem, State};

use super::seen;

/// What is in the registry of a server that is launched as it was then.
pub(super) struct Before {
    server: registry::Server,
    tools: Vec<Line>,
    /// Everything else that it offers.
    others: Vec<(Kind, Item)>,
}

impl Before {
    /// Returns what is known of a server; `None` where that is nothing, or of another launch.
    pub(super) fn of(registry: &mut Registry, server: &Server) -> Option<Self> {
        let name = server.name.as_str();
        let known = registry.servers().into_iter().find(|known| known.name == name)?;
        if known.fingerprint != server.launch.fingerprint() {
            return None;
        }
        let mut others = Vec::new();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Tool) {
            others.extend(registry.items(name, kind).into_iter().map(|item| (kind, item)));
        }
        Some(Self { server: known, tools: registry.list(Kind::Tool, Some(name)), others })
    }

    /// Returns whether these are its tools already.
    pub(super) fn has(&self, offer: &Offer) -> bool {
        let tools = offer.of(Sort::Tools);
        let same = tools
            .iter()
            .zip(&self.tools)
            .all(|(tool, line)| tool.key == line.name && Hash::of(&tool.raw) == line.hash);
        same && tools.len() == self.tools.len() && self.server.state == State::Fresh
    }

    /// Returns what is known from now on: other tools, and the rest as it was.
    pub(super) fn with<'s>(&'s self, offer: &'s Offer) -> Seen<'s> {
        let mut joined = seen(offer);
        let others = self.others.iter();
        joined.items.extend(others.map(|(kind, item)| SeenItem {
            kind: *kind,
            name: &item.line.name,
            raw: &item.raw,
        }));
        joined.revision = self.server.revision.as_deref().unwrap_or_default();
        joined.capabilities = self.server.capabilities.as_deref().unwrap_or(joined.capabilities);
        joined.info = self.server.info.as_deref();
        joined.instructions = self.server.instructions.as_deref();
        joined
    }
}

#[cfg(test)]
mod tests;
