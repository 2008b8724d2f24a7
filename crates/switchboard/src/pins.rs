//! What tools were when they were first seen: the record of it, kept in step with what servers list.

use switchboard_core::policy::Tool;
use switchboard_core::policy::odd::{Odd, odd};
use switchboard_core::policy::pins::Pins;
use switchboard_core::problem::Problem;
use switchboard_core::registry::{Content, Kind, Row};
use switchboard_host::dirs::Dirs;
use switchboard_host::registry::{Registry, Seen};

use crate::approval::quoted;
use crate::fail::Failure;
use crate::home::{Home, now, save};
use crate::policy;

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
}

/// Loads the pins of a home, with a note where the record was damaged.
///
/// # Errors
/// The state cannot be read.
pub(crate) fn load(dirs: &Dirs) -> Result<(Pins, Option<String>), Failure> {
    policy::load(&dirs.pins(), ANEW)
}

/// Compares what servers have just told with what their tools were, and pins those that are new. `registry` is as it was
/// before.
///
/// # Errors
/// The state cannot be read or written.
pub(crate) fn look(home: &Home, registry: &mut Registry, rows: &[Row<Seen<'_>>]) -> Result<Looked, Failure> {
    let (mut pins, note) = load(&home.dirs)?;
    let before = pins.clone();
    for row in rows {
        if let Some(from) = known_as(row).filter(|from| *from != row.name.as_str()) {
            pins.rename(from, row.name.as_str());
        }
    }
    let mut found = Looked { note, ..Looked::default() };
    for row in rows {
        let (name, launch) = (row.name.as_str(), row.fingerprint.to_string());
        let looked = match &row.content {
            Content::Seen(seen) => {
                let tools = seen.items.iter().filter(|item| item.kind == Kind::Tool);
                let tools: Vec<_> =
                    tools.map(|item| (item.name, String::from_utf8_lossy(item.raw))).collect();
                let was = |tool: &str| text(registry.show(name, Kind::Tool, tool)?.raw);
                let looked =
                    pins.look((name, &launch), tools.iter().map(|(name, raw)| (*name, &**raw)), was, now());
                for (tool, raw) in &tools {
                    let is_news =
                        [&looked.new, &looked.changed].iter().any(|news| news.iter().any(|one| one == tool));
                    let read = is_news.then(|| Tool::parse(raw).ok()).flatten();
                    let odd = read.map(|read| odd(&read)).unwrap_or_default();
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
    pins.keep(|server| home.catalogue.catalogue.server(server).is_some());
    if pins != before {
        save(&home.dirs.pins(), &pins)?;
    }
    Ok(found)
}

/// Returns what a server was called when it was last seen.
fn known_as<'r>(row: &'r Row<Seen<'_>>) -> Option<&'r str> {
    match &row.content {
        Content::Kept { from } | Content::Stale { from: Some(from), .. } => Some(from),
        Content::Seen(_) | Content::Stale { from: None, .. } => None,
    }
}

fn text(raw: Vec<u8>) -> Option<String> {
    String::from_utf8(raw).ok()
}

/// Returns what is to be known of tools that have become others: one problem for each, with its place.
pub(crate) fn problems(pins: &Pins) -> Vec<(String, Problem)> {
    let problem = |(server, tool, _): (&str, &str, _)| {
        let word = quoted(&format!("{server}/{tool}"));
        let what = "its definition has changed since it was approved";
        let help = format!(
            "see what has changed with `switchboard tool show {word}`, then `switchboard policy approve {word}`"
        );
        (format!("{} of {server}", tool.escape_debug()), Problem::warning(what).help(help))
    };
    pins.changed().map(problem).collect()
}
