//! The clients that we know, one row each.
//!
//! A row says where a client keeps its files, how it spells a server ([`Dialect`]) and how it behaves. New clients
//! are one row in the file of their family, built on the bases in [`super::dialect`].

/// A user's place in the folder that each system has for settings.
macro_rules! in_settings {
    ($($part:literal),+) => {
        Place::systems(
            &[concat!("{xdg_config}/", $($part),+)],
            &[concat!("{mac_support}/", $($part),+)],
            &[concat!("{appdata}/", $($part),+)],
        )
    };
}

mod agents;
mod desktops;
mod editors;
mod extensions;
mod place;
mod terminals;

pub use place::{Candidate, EnvOverride, Place, Scope, Surroundings, System, VARIABLES};

use std::path::Path;

use super::dialect::{Dialect, MAP_JSON, Support, Variables};

/// A client application.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The name by which it is told apart, in settings and on the command line.
    pub id: &'static str,
    /// Other names that people type.
    pub aliases: &'static [&'static str],
    /// The name it gives itself.
    pub name: &'static str,
    /// Whether it can be written to.
    pub status: Status,
    /// How it writes servers down, where a place does not say otherwise.
    pub dialect: Dialect,
    /// Where its files are, the most usual first.
    pub places: &'static [Place],
    /// What it takes for a changed file to be seen.
    pub reload: Reload,
    /// Whether it follows `notifications/tools/list_changed`; `None` where nobody knows.
    pub list_changed: Option<bool>,
    /// The longest tool name that it takes, in characters, with whatever it puts in front.
    pub tool_name_limit: Option<u16>,
    /// The greatest number of tools that it takes, over all servers.
    pub tool_count_limit: Option<u16>,
    /// The references that it expands by itself.
    pub variables: Variables,
    /// How well the row is founded.
    pub evidence: Evidence,
    /// What is worth knowing beside the fields; may be empty.
    pub note: &'static str,
}

/// Whether a client can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is in use.
    Active,
    /// It is no longer made: its file is read, never written unless asked.
    Retired(&'static str),
    /// It has no file of its own: what it exports is read.
    ImportOnly(&'static str),
}

/// What it takes for a changed file to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Nothing: the client watches its file.
    ByItself,
    /// What the user does, in words that follow "to load it,".
    OnAction(&'static str),
    /// The client is started again.
    Restart,
    /// Nobody knows.
    Unknown,
}

/// How a row is founded, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The client itself was run.
    Run,
    /// Its source was read.
    Source,
    /// Its documentation says so.
    Docs,
    /// Other programs that write its file do it so.
    Secondary,
    /// Recollection, unchecked.
    Memory,
}

/// What most rows have in common: active, one JSON map, little known about how it behaves.
const BASE: Known = Known {
    id: "",
    aliases: &[],
    name: "",
    status: Status::Active,
    dialect: MAP_JSON,
    places: &[],
    reload: Reload::Unknown,
    list_changed: None,
    tool_name_limit: None,
    tool_count_limit: None,
    variables: &[],
    evidence: Evidence::Secondary,
    note: "",
};

impl Known {
    /// Returns how the client writes servers down at this place.
    pub fn dialect_at(&self, place: &Place) -> Dialect {
        place.dialect.copied().unwrap_or(self.dialect)
    }

    /// Returns the place of this client that `path` is, as [`recognise`] would tell it.
    pub fn place_at(&'static self, path: &Path, around: &Surroundings) -> Option<&'static Place> {
        let exact = self.places.iter().find(|place| place.fit(path, around) == Some(place::Fit::Exact));
        exact.or_else(|| {
            let found = recognise(path, around).into_iter().find(|(known, _)| known.id == self.id);
            found.map(|(_, place)| place)
        })
    }

    /// Returns whether the client itself reaches Streamable HTTP addresses.
    pub fn http(&self) -> Support {
        self.dialect.spelling.http
    }

    /// Returns whether the client itself reaches HTTP+SSE addresses.
    pub fn sse(&self) -> Support {
        self.dialect.spelling.sse
    }
}

/// Returns every known client, the most usual first.
pub fn all() -> impl Iterator<Item = &'static Known> {
    [terminals::ROWS, editors::ROWS, extensions::ROWS, agents::ROWS, desktops::ROWS].into_iter().flatten()
}

/// Returns the names of all environment variables that move a file of some client.
pub fn variables() -> impl Iterator<Item = &'static str> {
    all().flat_map(|known| known.places).flat_map(|place| place.env).map(place::EnvOverride::variable)
}

/// Returns the client with this id or alias.
pub fn find(name: &str) -> Option<&'static Known> {
    all().find(|known| known.id == name).or_else(|| all().find(|known| known.aliases.contains(&name)))
}

/// Returns the id of the client that someone who typed `name` may have meant; `None` where nothing is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let allowed = 1 + name.chars().count() / 4;
    let names = all().flat_map(|known| known.aliases.iter().chain([&known.id]).map(|&word| (word, known.id)));
    let (distance, id) =
        names.map(|(word, id)| (distance(&name, word), id)).min_by_key(|&(distance, _)| distance)?;
    (distance <= allowed).then_some(id)
}

/// Returns how many characters must be put in, taken out or changed to make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, left) in a.chars().zip(1..) {
        let mut diagonal = std::mem::replace(&mut row[0], left);
        for (at, &right) in b.iter().enumerate() {
            let change = diagonal + usize::from(above != right);
            diagonal = row[at + 1];
            row[at + 1] = change.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Returns the clients whose file stands at `path`, the most usual first.
///
/// Places in a user's home are known exactly. Files in projects are told by the end of their path; the longest
/// agreement counts, and as `.mcp.json` and the like are shared, there may be several.
pub fn recognise(path: &Path, around: &Surroundings) -> Vec<(&'static Known, &'static Place)> {
    let found = all().flat_map(|known| known.places.iter().map(move |place| (known, place)));
    let found = found.filter_map(|(known, place)| Some((place.fit(path, around)?, known, place)));
    let found: Vec<_> = found.collect();
    let best = found.iter().map(|(fit, ..)| *fit).max();
    let mut found: Vec<_> = found.into_iter().filter(|(fit, ..)| Some(*fit) == best).collect();
    found.sort_by_key(|(_, known, _)| known.status != Status::Active);
    found.into_iter().map(|(_, known, place)| (known, place)).collect()
}

#[cfg(test)]
mod tests;
