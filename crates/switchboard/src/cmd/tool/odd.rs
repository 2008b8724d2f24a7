//! What could deceive about a tool, and by whom it could be mistaken.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_core::policy::Tool;
use switchboard_core::policy::odd::{Odd, Side, mistakable, odd};
use switchboard_core::registry::Kind;
use switchboard_host::registry::Item;

use super::Known;

/// A tool: its server, and its name.
type Key = (String, String);

/// Returns what could deceive about one tool.
pub(super) fn of(all: &mut Known, item: &Item) -> BTreeSet<Odd> {
    let key = (item.line.server.clone(), item.line.name.clone());
    let mut found = mistaken(all).remove(&key).unwrap_or_default();
    found.extend(own(&item.raw));
    found
}

/// Returns what could deceive about any tool. That two servers have a tool of one name is no news: behind the face for
/// all of them each has a name of its own.
pub(crate) fn everywhere(all: &mut Known) -> BTreeMap<Key, BTreeSet<Odd>> {
    let mut found = mistaken(all);
    for server in all.servers.keys().cloned().collect::<Vec<_>>() {
        for item in all.registry.items(&server, Kind::Tool) {
            let odd = own(&item.raw);
            if !odd.is_empty() {
                found.entry((server.clone(), item.line.name)).or_default().extend(odd);
            }
        }
    }
    for odd in found.values_mut() {
        odd.retain(|odd| !matches!(odd, Odd::Shadow { .. }));
    }
    found.retain(|_, odd| !odd.is_empty());
    found
}

fn own(raw: &[u8]) -> Vec<Odd> {
    let tool = std::str::from_utf8(raw).ok().and_then(|raw| Tool::parse(raw).ok());
    tool.map(|tool| odd(&tool)).unwrap_or_default()
}

fn mistaken(all: &mut Known) -> BTreeMap<Key, BTreeSet<Odd>> {
    let lines = all.tools(None);
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &lines {
        names.entry(&line.server).or_default().push(&line.name);
    }
    let catalogue = &all.home.catalogue.catalogue;
    let sides: Vec<Side<'_>> = names
        .iter()
        .map(|(server, tools)| {
            let prefix = catalogue.server(server).and_then(|server| server.prefix.as_deref());
            Side { server, prefix, tools }
        })
        .collect();
    mistakable(&sides, all.home.settings.value.gateway.name_limit)
}
