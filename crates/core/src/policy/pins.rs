//! What tools were when they were first seen, and which of them have become others since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Tool;
use super::pin::{Pin, canonical, diff};

/// So many tools are remembered of one server that does not list them any more: one that makes up names has no end.
const MOST_GONE: usize = 1_000;

/// So many servers are remembered that are not in the catalogue any more.
const MOST_SERVERS_GONE: usize = 100;

/// The pins of all tools that were ever seen, server by server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pins {
    servers: BTreeMap<String, Server>,
}

/// The pins of one server's tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Server {
    /// How it is launched. Whoever changes that has another server, whose tools are seen for the first time.
    launch: String,
    tools: BTreeMap<String, Pinned>,
}

/// A tool that is pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// What it was when it was first seen, or last approved.
    pub pin: Pin,
    /// When that was, in seconds since 1970.
    pub since: u64,
    /// What it is now, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What a tool has become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it is.
    pub pin: Pin,
    /// When that was seen, in seconds since 1970.
    pub at: u64,
    /// Its definition as it was pinned, as far as that is still known.
    before: Option<String>,
    /// Its definition as it is.
    after: String,
}

impl Change {
    /// Returns what has changed, as lines for people; `None` where it is not known any more what it was.
    pub fn diff(&self) -> Option<String> {
        let (before, after) = (Tool::parse(self.before.as_deref()?).ok()?, Tool::parse(&self.after).ok()?);
        Some(diff(&before, &after))
    }
}

/// What came of looking at one server's tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Tools that were not pinned before.
    pub new: Vec<String>,
    /// Tools that have become others, which was not known yet.
    pub changed: Vec<String>,
    /// Tools that are again what they were.
    pub back: Vec<String>,
}

/// Returns the pin of a definition, as a server writes it, and the text that stands for it.
pub fn read(raw: &str) -> (Pin, String) {
    match Tool::parse(raw) {
        Ok(tool) => (Pin::of(&tool), canonical(&tool)),
        Err(_) => (Pin::of_unread(raw), raw.to_owned()),
    }
}

impl Pins {
    /// Looks at what a server lists: a tool that was not seen before is pinned, one that is another than it was is noted.
    /// `before` returns the definition of a tool as it was known until now, as the server wrote it.
    pub fn look<'t>(
        &mut self,
        (server, launch): (&str, &str),
        tools: impl IntoIterator<Item = (&'t str, &'t str)>,
        mut before: impl FnMut(&str) -> Option<String>,
        now: u64,
    ) -> Looked {
        let pins = self.servers.entry(server.to_owned()).or_default();
        if pins.launch != launch {
            *pins = Server { launch: launch.to_owned(), tools: BTreeMap::new() };
        }
        let mut looked = Looked::default();
        let mut seen = BTreeSet::new();
        for (name, raw) in tools {
            // Of two with one name only the first can be called.
            if !seen.insert(name) {
                continue;
            }
            let (pin, after) = read(raw);
            let Some(pinned) = pins.tools.get_mut(name) else {
                pins.tools.insert(name.to_owned(), Pinned { pin, since: now, change: None });
                looked.new.push(name.to_owned());
                continue;
            };
            if pinned.pin == pin {
                if pinned.change.take().is_some() {
                    looked.back.push(name.to_owned());
                }
            } else if pinned.change.as_ref().is_none_or(|change| change.pin != pin) {
                let was = |raw: String| {
                    Some(read(&raw)).filter(|(was, _)| *was == pinned.pin).map(|(_, text)| text)
                };
                let known = pinned.change.take().and_then(|change| change.before);
                let before = known.or_else(|| before(name).and_then(was));
                pinned.change = Some(Change { pin, at: now, before, after });
                looked.changed.push(name.to_owned());
            }
        }
        let gone = pins.tools.len().saturating_sub(seen.len());
        if gone > MOST_GONE {
            let mut left = gone - MOST_GONE;
            pins.tools.retain(|name, _| {
                let goes = left > 0 && !seen.contains(name.as_str());
                left -= usize::from(goes);
                !goes
            });
        }
        looked
    }

    /// Returns whether anything of a server was seen.
    pub fn knows(&self, server: &str) -> bool {
        self.servers.contains_key(server)
    }

    /// Returns a tool that is pinned.
    pub fn get(&self, server: &str, tool: &str) -> Option<&Pinned> {
        self.servers.get(server)?.tools.get(tool)
    }

    /// Returns whether a tool whose definition is this has become another since it was pinned, and nobody has approved it.
    pub fn is_changed(&self, server: &str, tool: &str, raw: &str) -> bool {
        self.get(server, tool).is_some_and(|pinned| pinned.pin != read(raw).0)
    }

    /// Returns every tool that has become another, as far as that was seen.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &str, &Change)> {
        self.servers.iter().flat_map(|(server, pins)| {
            let changed = |(tool, pinned)| {
                let pinned: &Pinned = pinned;
                Some((server.as_str(), String::as_str(tool), pinned.change.as_ref()?))
            };
            pins.tools.iter().filter_map(changed)
        })
    }

    /// Takes a tool as what it has become. Returns whether it had become another.
    pub fn approve(&mut self, server: &str, tool: &str, now: u64) -> bool {
        let pinned = self.servers.get_mut(server).and_then(|server| server.tools.get_mut(tool));
        let Some(pinned) = pinned else { return false };
        let Some(change) = pinned.change.take() else { return false };
        *pinned = Pinned { pin: change.pin, since: now, change: None };
        true
    }

    /// Takes in how servers are called now, each with how it is launched: one that is not known, and is launched as one
    /// that is gone was, is that one under another name. Returns whether there was any.
    ///
    /// One that is gone may come back, so that it is kept; of more than a hundred, no more are.
    pub fn follow(&mut self, now: &BTreeMap<String, String>) -> bool {
        let mut moved = false;
        for (name, launch) in
            now.iter().filter(|(name, _)| !self.servers.contains_key(*name)).collect::<Vec<_>>()
        {
            let is_it =
                |(from, pins): &(&String, &Server)| pins.launch == *launch && !now.contains_key(*from);
            let from = self.servers.iter().find(is_it).map(|(from, _)| from.clone());
            if let Some(pins) = from.and_then(|from| self.servers.remove(&from)) {
                self.servers.insert(name.clone(), pins);
                moved = true;
            }
        }
        let mut gone = 0;
        self.servers.retain(|server, _| {
            gone += usize::from(!now.contains_key(server));
            now.contains_key(server) || gone <= MOST_SERVERS_GONE
        });
        moved
    }
}

#[cfg(test)]
mod tests;
