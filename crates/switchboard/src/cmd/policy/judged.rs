//! What is proposed for the tools that are known.

use switchboard_core::policy::export::ExportedTool;
use switchboard_core::policy::merge::Offered;
use switchboard_core::policy::{Proposal, Tool, ToolPolicy, infer_raw};
use switchboard_core::registry::Kind;
use switchboard_host::registry::Item;

use crate::cmd::tool::Known;

/// One server of the catalogue, with what is proposed for its tools.
pub(super) struct Judged {
    pub(super) server: String,
    /// What is proposed; `None` while nobody knows what it offers.
    pub(super) tools: Option<Vec<Proposal>>,
    /// What the server says that each is for, in the same order.
    descriptions: Vec<String>,
}

impl Judged {
    /// Judges all tools that are known, in the order of the catalogue.
    pub(super) fn all(known: &mut Known) -> Vec<Self> {
        let servers: Vec<_> = known.home.catalogue.catalogue.servers().to_vec();
        servers
            .iter()
            .map(|server| {
                let name = server.name.as_str();
                let is_seen = known.servers.get(name).is_some_and(|server| server.seen.is_some());
                // What a disabled server offers is not known, and comes back as it was with it.
                if !server.enabled || !is_seen {
                    return Self { server: name.to_owned(), tools: None, descriptions: Vec::new() };
                }
                let items = known.registry.items(name, Kind::Tool);
                let items: Vec<Item> =
                    items.into_iter().filter(|item| known.is_offered(&item.line)).collect();
                let setting = known.home.settings.value.policy.setting(server);
                let tools = items.iter().map(|item| infer_raw(&item.line.name, &item.raw, &setting));
                let (tools, descriptions) = (tools.collect(), items.iter().map(description).collect());
                Self { server: name.to_owned(), tools: Some(tools), descriptions }
            })
            .collect()
    }

    /// Returns it as a merge wants it.
    pub(super) fn offered(&self) -> Offered<'_> {
        Offered { server: &self.server, tools: self.tools.as_deref() }
    }

    /// Returns its tools with what is in force for each, for another application; `None` while they are not known.
    pub(super) fn exported(&self, known: &Known, policy: &ToolPolicy) -> Option<Vec<ExportedTool>> {
        let usual = known.home.settings.value.policy.usual();
        let tools = self.tools.as_ref()?.iter().zip(&self.descriptions);
        Some(
            tools
                .map(|(proposal, text)| ExportedTool::of(policy, &self.server, proposal, text, usual))
                .collect(),
        )
    }
}

/// Returns what is proposed for one tool.
pub(super) fn of(known: &Known, item: &Item) -> Option<Proposal> {
    let server = known.home.catalogue.catalogue.server(&item.line.server)?;
    let setting = known.home.settings.value.policy.setting(server);
    Some(infer_raw(&item.line.name, &item.raw, &setting))
}

fn description(item: &Item) -> String {
    let tool = std::str::from_utf8(&item.raw).ok().and_then(|raw| Tool::parse(raw).ok());
    tool.and_then(|tool| tool.description().map(str::to_owned)).unwrap_or_default()
}
