//! What tools were when they were first seen: the record of it, kept in step with what servers list.

use std::collections::{BTreeMap, HashSet};

use switchboard_core::policy::Tool;
use switchboard_core::policy::odd::{Odd, odd};
use switchboard_core::policy::pins::Pins;
use switchboard_core::problem::Problem;
use switchboard_core::registry::{Content, Kind, Row};
use switchboard_host::dirs::Dirs;
use switchboard_host::registry::{Registry, Seen};

use crate::approval::quoted;
use crate::fail::{Done, Failure};
use crate::home::{Home, now, save};
use crate::policy;
use crate::ui::Ui;

/// What a damaged record means.
const ANEW: &str = "every tool counts as seen for the first time";

/// What came of comparing what servers list with what their tools were.
#[derive(Default)]
pub(crate) struct Looked {
    /// Tools that have become others: the server of each, and its name.
    pub(crate) changed: Vec<(String, String)>,
    /// What could deceive about tools that are new or have become others: the server, the name, and what it is.
    pub(crate) odd: Vec<(String, String, Odd)>,
    /// That the record was damaged.
    pub(crate) note: Option<String>,
    /// What is to be kept, where that is something else than before.
    pins: Option<Pins>,
}

/// Loads the pins of a home, with a note where the record was damaged.
///
/// # Errors
/// The state cannot be read.
pub(crate) fn load(dirs: &Dirs) -> Result<(Pins, Option<String>), Failure> {
    policy::load(&dirs.pins(), ANEW)
}

/// Loads them for a command, which tells of a record that was damaged.
///
/// # Errors
/// The state cannot be read.
pub(crate) fn told(home: &Home, ui: &Ui) -> Result<Pins, Failure> {
    let (pins, note) = load(&home.dirs)?;
    if let Some(note) = note {
        ui.note(format!("warning: {note}"));
    }
    Ok(pins)
}

/// Returns how the servers of a home are called, each with how it is launched.
pub(crate) fn launches(home: &Home) -> BTreeMap<String, String> {
    let servers = home.catalogue.catalogue.servers().iter();
    servers.map(|server| (server.name.to_string(), server.launch.fingerprint().to_string())).collect()
}

/// Compares what servers have just told with what their tools were, and pins those that are new. `registry` is as it was
/// before. Nothing is kept before [`Looked::save`].
///
/// # Errors
/// The state cannot be read.
pub(crate) fn look(home: &Home, registry: &mut Registry, rows: &[Row<Seen<'_>>]) -> Result<Looked, Failure> {
    let (mut pins, note) = load(&home.dirs)?;
    let before = pins.clone();
    pins.follow(&launches(home));
    let mut found = Looked { note, ..Looked::default() };
    for row in rows {
        let (name, launch) = (row.name.as_str(), row.fingerprint.to_string());
        let looked = match &row.content {
            Content::Seen(seen) => {
                let tools: Vec<_> = seen
                    .items
                    .iter()
                    .filter(|item| item.kind == Kind::Tool)
                    .map(|item| (item.name, String::from_utf8_lossy(item.raw)))
                    .collect();
                let was = |tool: &str| text(registry.show(name, Kind::Tool, tool)?.raw);
                let looked =
                    pins.look((name, &launch), tools.iter().map(|(name, raw)| (*name, &**raw)), was, now());
                let news: HashSet<&str> =
                    looked.new.iter().chain(&looked.changed).map(String::as_str).collect();
                for (tool, raw) in tools.iter().filter(|(tool, _)| news.contains(tool)) {
                    let odd = Tool::parse(raw).map(|read| odd(&read)).unwrap_or_default();
                    found.odd.extend(odd.into_iter().map(|odd| (name.to_owned(), (*tool).to_owned(), odd)));
                }
                looked
            }
            // What is known since before there were pins is pinned as it is known.
            Content::Kept { from } if !pins.knows(name) => {
                let items = registry.items(from, Kind::Tool);
                let tools: Vec<_> =
                    items.iter().map(|item| (&*item.line.name, String::from_utf8_lossy(&item.raw))).collect();
                pins.look((name, &launch), tools.iter().map(|(name, raw)| (*name, &**raw)), |_| None, now())
            }
            Content::Kept { .. } | Content::Stale { .. } => continue,
        };
        found.changed.extend(looked.changed.into_iter().map(|tool| (name.to_owned(), tool)));
    }
    found.pins = (pins != before).then_some(pins);
    Ok(found)
}

impl Looked {
    /// Keeps what was found out, once what it was compared with is kept as well.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(crate) fn save(&mut self, home: &Home) -> Done {
        self.pins.take().map_or(Ok(()), |pins| save(&home.dirs.pins(), &pins))
    }
}

fn text(raw: Vec<u8>) -> Option<String> {
    String::from_utf8(raw).ok()
}

/// Returns what is to be known of tools of the catalogue that have become others: one problem for each, with its place.
pub(crate) fn problems(home: &Home, pins: &Pins) -> Vec<(String, Problem)> {
    let problem = |(server, tool, _): (&str, &str, _)| {
        let word = quoted(&format!("{server}/{tool}"));
        let what = "its definition has changed since it was approved";
        let help = format!(
            "see what has changed with `switchboard tool show {word}`, then `switchboard policy approve {word}`"
        );
        (format!("{} of {server}", tool.escape_debug()), Problem::warning(what).help(help))
    };
    let is_served = |(server, ..): &(&str, &str, _)| home.catalogue.catalogue.server(server).is_some();
    pins.changed().filter(is_served).map(problem).collect()
}
