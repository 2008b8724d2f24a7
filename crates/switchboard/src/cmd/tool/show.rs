//! `tool show`: one tool, with what it takes and gives.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use serde_json::value::RawValue;
use switchboard_core::policy::odd::Odd;
use switchboard_core::policy::pins::Change;
use switchboard_host::registry::Item;

use super::{Known, find, odd, schema, stale};
use crate::approval::quoted;
use crate::fail::Done;
use crate::pins;
use crate::ui::{Mark, Ui, plain};
use crate::when;

/// What an annotation says where it is true, and where it is false.
const ANNOTATIONS: [(&str, &str, &str); 4] = [
    ("readOnlyHint", "changes nothing", "changes something"),
    ("destructiveHint", "may destroy something", "destroys nothing"),
    ("idempotentHint", "called again it does nothing more", "called again it does it again"),
    ("openWorldHint", "reaches beyond its server", "stays within its server"),
];

/// Shows the tool that these words mean.
pub(super) fn show(all: &mut Known, ui: &Ui, words: &[String]) -> Done {
    let item = find::find(all, words, "tool show")?;
    let tool: Value = serde_json::from_slice(&item.raw).unwrap_or_default();
    let pins = pins::told(&all.home, ui)?;
    let change = pins.get(&item.line.server, &item.line.name).and_then(|pinned| pinned.change.as_ref());
    let odd = odd::of(all, &item);
    ui.json(&as_json(all, &item, change, &odd));
    let line = &item.line;
    ui.heading(plain(&line.name));
    if let Some(title) = line.title.as_ref().filter(|title| **title != line.name) {
        ui.line(plain(title));
    }
    for text in tool["description"].as_str().unwrap_or_default().trim().lines() {
        ui.line(plain(text));
    }
    let server = all.servers.get(&line.server);
    let seen = server.and_then(|server| server.seen).map(|seen| format!(", seen {}", when::local(seen)));
    ui.line(format!("from   {}{}", plain(&line.server), seen.unwrap_or_default()));
    ui.line(format!("known  as `{}` behind the face for all servers", plain(&all.public(line))));
    let said: Vec<&str> = ANNOTATIONS
        .iter()
        .filter_map(|(name, yes, no)| Some(if tool["annotations"][name].as_bool()? { *yes } else { *no }))
        .collect();
    if !said.is_empty() {
        ui.line(format!("says   it {}", said.join(", ")));
    }
    for (what, member) in [("takes", "inputSchema"), ("gives", "outputSchema")] {
        if let Some(schema) = tool.get(member) {
            let lines = schema::lines(schema);
            ui.line(format!("{what}  {}", lines.first().map_or("nothing", String::as_str)));
            for line in lines.iter().skip(1) {
                ui.line(format!("  {line}"));
            }
        }
    }
    if let Some(text) = server.and_then(stale) {
        ui.marked(Mark::Warn, text);
    }
    for odd in odd {
        ui.marked(Mark::Warn, plain(&odd.to_string()));
    }
    if let Some(change) = change {
        let word = quoted(&format!("{}/{}", line.server, line.name));
        ui.marked(
            Mark::Warn,
            format!("it has changed since it was approved, as seen {}:", when::local(change.at)),
        );
        match change.diff() {
            Some(diff) => diff.lines().for_each(|line| ui.line(format!("  {}", plain(line)))),
            None => ui.line("  what it was is not known any more"),
        }
        ui.hint(format!("take it as it is now: `switchboard policy approve {word}`"));
    }
    Ok(())
}

/// A tool for programs: what is known of it, and what the server wrote, as it wrote it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    known: Value,
    definition: Option<Box<RawValue>>,
}

fn as_json(all: &Known, item: &Item, change: Option<&Change>, odd: &BTreeSet<Odd>) -> Shown {
    let mut known = all.as_json(&item.line);
    known["changed"] =
        change.map(|change| json!({ "at": when::stamp(change.at), "diff": change.diff() })).into();
    known["odd"] = json!(odd);
    known["trouble"] = all.servers.get(&item.line.server).and_then(stale).into();
    Shown { known, definition: serde_json::from_slice(&item.raw).ok() }
}
