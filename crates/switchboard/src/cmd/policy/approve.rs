//! `policy approve`: tools that have become others, taken as what they are now.

use serde_json::json;
use switchboard_core::policy::pins::{Change, Pins};

use crate::cli::PolicyApprove;
use crate::cmd::server::shown;
use crate::cmd::tool::{Known, find};
use crate::fail::{Done, Failure};
use crate::home::{Home, now, save};
use crate::pins;
use crate::ui::{Mark, Ui, plain};

/// Takes tools as what they have become.
///
/// # Errors
/// There is no such tool, it has not changed, or the state cannot be written.
pub(super) fn approve(known: &mut Known, home: &Home, ui: &Ui, args: &PolicyApprove) -> Done {
    let named: Vec<(String, String)> = args
        .tools
        .iter()
        .map(|word| {
            let item = find::find(known, std::slice::from_ref(word), "policy approve")?;
            Ok((item.line.server, item.line.name))
        })
        .collect::<Result<_, Failure>>()?;
    // Whoever asks servers meanwhile compares with the same record.
    let turn = known.registry.turn();
    let (mut pins, note) = pins::load(&home.dirs)?;
    if let Some(note) = note {
        ui.note(format!("warning: {note}"));
    }
    let meant = if args.all { all(&pins) } else { named };
    let mut approved = Vec::new();
    for (server, tool) in meant {
        let diff = pins.get(&server, &tool).and_then(|pinned| pinned.change.as_ref()).map(Change::diff);
        if !pins.approve(&server, &tool, now()) {
            let word = format!("{server}/{tool}");
            return Err(Failure::usage(format!("approve `{}`", shown(&word)))
                .because("it has not changed since it was approved")
                .hint("see which have: `switchboard status`"));
        }
        approved.push((server, tool, diff.flatten()));
    }
    if !ui.dry_run && !approved.is_empty() {
        save(&home.dirs.pins(), &pins)?;
    }
    drop(turn);
    let told = |(server, tool, diff): &(String, String, Option<String>)| json!({ "server": server, "tool": tool, "diff": diff });
    ui.json(&approved.iter().map(told).collect::<Vec<_>>());
    if approved.is_empty() {
        ui.line("no tool has changed since it was approved");
    }
    for (server, tool, diff) in approved {
        let (mark, is) = if ui.dry_run { (Mark::Plan, "would be") } else { (Mark::Good, "is") };
        ui.marked(mark, format!("{} of {} {is} approved as it is now", plain(&tool), plain(&server)));
        diff.unwrap_or_default().lines().for_each(|line| ui.line(format!("  {}", plain(line))));
    }
    Ok(())
}

/// Returns every tool that has become another.
fn all(pins: &Pins) -> Vec<(String, String)> {
    pins.changed().map(|(server, tool, _)| (server.to_owned(), tool.to_owned())).collect()
}
