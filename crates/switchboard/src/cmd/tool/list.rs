//! `tool list` and `tool search`.

use switchboard_host::registry::Line;

use super::Known;
use crate::cmd::server::known;
use crate::fail::Done;
use crate::ui::{Ui, plain};

/// So many are looked at to find those that are offered.
const CANDIDATES: usize = 1_000;

/// Lists the tools of these servers; of all where none is named.
pub(super) fn list(all: &mut Known, ui: &Ui, servers: &[String]) -> Done {
    for name in servers {
        known(&all.home, name)?;
    }
    let lines = match servers {
        [] => all.tools(None),
        servers => servers.iter().flat_map(|server| all.tools(Some(server))).collect(),
    };
    table(all, ui, &lines);
    if lines.is_empty() {
        ui.line("no tools are known");
        match servers {
            [] if all.servers.is_empty() => {
                ui.hint("add a server with `switchboard server add NAME -- COMMAND`, or take those of your clients over with `switchboard up`");
            }
            _ => {}
        }
    }
    all.tell_stale(ui, |name| servers.is_empty() || servers.iter().any(|server| server == name));
    Ok(())
}

/// Lists the tools that fit these words best.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(super) fn search(all: &mut Known, ui: &Ui, words: &str, limit: usize) -> Done {
    let found = all.registry.search(words, CANDIDATES.max(limit)).into_iter().map(|found| found.line);
    let lines: Vec<Line> = found.filter(|line| all.is_offered(line)).take(limit).collect();
    table(all, ui, &lines);
    if lines.is_empty() {
        ui.line(format!("no tool has anything of `{}`", plain(words)));
        ui.hint("`switchboard tool list` lists all of them");
    }
    all.tell_stale(ui, |name| lines.iter().any(|line| line.server == name));
    Ok(())
}

fn table(all: &Known, ui: &Ui, lines: &[Line]) {
    ui.json(&lines.iter().map(|line| all.as_json(line)).collect::<Vec<_>>());
    if lines.is_empty() {
        return;
    }
    ui.table(
        ["SERVER", "TOOL", "WHAT IT DOES"],
        lines.iter().map(|line| {
            let what = line.brief.as_deref().or(line.title.as_deref()).unwrap_or_default();
            let mark = if line.stale { " (stale)" } else { "" };
            [format!("{}{mark}", plain(&line.server)), plain(&line.name), plain(what)]
        }),
    );
}
