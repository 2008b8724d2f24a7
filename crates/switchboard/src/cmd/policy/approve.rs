//! `policy approve`: tools that have become others, taken as what they are now.

use serde_json::json;
use switchboard_core::policy::pins::Change;

use crate::cli::PolicyApprove;
use crate::cmd::server::shown;
use crate::cmd::tool::{Known, find};
use crate::fail::{Done, Failure};
use crate::home::{Home, now, save};
use crate::pins;
use crate::ui::{Mark, Ui, plain};

/// Shows what tools have become, and takes them as that where somebody agrees.
///
/// # Errors
/// There is no such tool, it has not changed, nobody agreed, or the state cannot be written.
pub(super) fn approve(home: &Home, ui: &Ui, args: &PolicyApprove) -> Done {
    // Nobody is asked: what they say now is nothing that was shown.
    let mut known = Known::as_it_is(home)?;
    // Whoever asks servers meanwhile compares with the same record.
    let turn = known.registry.turn();
    let mut pins = pins::told(home, ui)?;
    let mut meant = Vec::new();
    for word in &args.tools {
        let item = find::find(&mut known, std::slice::from_ref(word), "policy approve")?;
        meant.push((item.line.server, item.line.name));
    }
    if args.all {
        meant.extend(pins.changed().map(|(server, tool, _)| (server.to_owned(), tool.to_owned())));
    }
    let (mut told, mut names) = (Vec::new(), Vec::new());
    for (server, tool) in &meant {
        let change = pins.get(server, tool).and_then(|pinned| pinned.change.as_ref());
        let Some(change) = change else {
            let word = format!("{server}/{tool}");
            return Err(Failure::usage(format!("approve `{}`", shown(&word)))
                .because("it has not changed since it was approved")
                .hint("see which have: `switchboard status`"));
        };
        show(ui, server, tool, change);
        // What is agreed to is this definition, and none that comes later.
        names.push(format!("`{}` as {:.19}", shown(&format!("{server}/{tool}")), change.pin.as_str()));
        told.push(json!({ "server": server, "tool": tool, "diff": change.diff() }));
    }
    if meant.is_empty() {
        ui.json(&told);
        ui.line("no tool has changed since it was approved");
        return Ok(());
    }
    if !ui.dry_run {
        let question = if meant.len() == 1 { "Take it as it is now?" } else { "Take them as they are now?" };
        ui.consent(question, &format!("approve {}", names.join(", ")))?;
        for (server, tool) in &meant {
            pins.approve(server, tool, now());
        }
        save(&home.dirs.pins(), &pins)?;
    }
    drop(turn);
    ui.json(&told);
    for (server, tool) in meant {
        let (mark, is) = if ui.dry_run { (Mark::Plan, "would be") } else { (Mark::Good, "is") };
        ui.marked(mark, format!("{} of {} {is} approved as it is now", plain(&tool), plain(&server)));
    }
    Ok(())
}

/// Shows what a tool has become.
fn show(ui: &Ui, server: &str, tool: &str, change: &Change) {
    ui.heading(format!("{} of {}", plain(tool), plain(server)));
    match change.diff() {
        Some(diff) => diff.lines().for_each(|line| ui.line(format!("  {}", plain(line)))),
        None => ui.line("  what it was is not known any more"),
    }
}
