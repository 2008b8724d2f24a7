//! `sync`: asks servers what they offer, where something has changed.

use std::collections::BTreeSet;

use switchboard_core::registry::{Choice, Step, Why};
use switchboard_host::dirs::Env;

use crate::approval::quoted;
use crate::cli::Sync as Args;
use crate::cmd::server::known;
use crate::cmd::status;
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::sync::{self, Look, Moment, Reason};
use crate::ui::{Mark, Ui, counted, plain};

/// How much of a reason stands in the summary, in characters.
const SHORT: usize = 80;

/// Brings the registry in step with the catalogue, and says what that came to.
///
/// # Errors
/// The catalogue is wrong, a server that was named is not in it, the registry cannot be written; or a server did not
/// answer, when everything else is done all the same.
pub(crate) fn run(args: &Args, env: Env, ui: &Ui) -> Done {
    let moment = Moment::now();
    let home = Home::look(env)?;
    if home.catalogue.last_good {
        // What the person means is not known, so nothing is forgotten and nobody asked for their sake.
        return Err(Failure::new(Code::BadFile, "sync: the catalogue is wrong")
            .with_problems(&home.short(&home.dirs.catalogue()), home.catalogue.problems.clone())
            .hint("mend it, then run `switchboard config check`"));
    }
    let choice = choice(args, &home)?;
    let look = Look::take(&home, &moment, &choice, ui.dry_run);
    status::catalogue_problems(&home, ui);
    if ui.dry_run {
        plan(&look, ui);
        return Ok(());
    }
    if let Some(note) = look.refused() {
        // Whatever was found could not be kept.
        let failure = Failure::failed("sync").caused_by(note);
        return Err(note.help().map_or_else(|| failure.clone(), |help| failure.clone().hint(help)));
    }
    let (registry, done) = look.carry_out(&home, ui)?;
    sync::tell_notes(&registry, ui);
    ui.json(&sync::as_json(Some(&done), done.counts));
    if home.catalogue.catalogue.is_empty() && done.sync.drop.is_empty() {
        ui.line("the catalogue is empty");
        ui.hint("add a server with `switchboard server add NAME -- COMMAND`, or take those of your clients over with `switchboard up`");
        return Ok(());
    }
    moves(&done.sync, ui);
    for (server, tool, odd) in &done.looked.odd {
        ui.marked(
            Mark::Warn,
            format!("{} of {} could deceive: {}", plain(tool), plain(server), plain(&odd.to_string())),
        );
    }
    for (server, tool) in &done.looked.changed {
        let what = "its definition has changed since it was approved";
        ui.marked(Mark::Warn, format!("{} of {}: {what}", plain(tool), plain(server)));
    }
    if let Some((server, tool)) = done.looked.changed.first() {
        let word = quoted(&format!("{server}/{tool}"));
        ui.hint(format!("see what has changed: `switchboard tool show {word}`"));
    }
    let nobody = done.sync.is_empty();
    ui.line(if nobody { sync::nothing_changed(done.counts) } else { summary(&done) });
    match failure(&done, ui) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn choice(args: &Args, home: &Home) -> Result<Choice, Failure> {
    for name in &args.servers {
        if !known(home, name)?.enabled {
            return Err(Failure::usage(format!("sync `{name}`: it is disabled"))
                .hint(format!("enable it with `switchboard server enable {}`", quoted(name))));
        }
    }
    Ok(match (args.servers.is_empty(), args.force) {
        (false, _) => Choice::Named(args.servers.iter().cloned().collect::<BTreeSet<_>>()),
        (true, true) => Choice::All,
        (true, false) => Choice::Due,
    })
}

/// Shows what would be done.
fn plan(look: &Look, ui: &Ui) {
    let sync = &look.sync;
    let why = |step: &Step| match step.due {
        Some(Why::New) => "new",
        Some(Why::Changed) => "changed",
        Some(Why::Failed) => "it did not answer last time",
        Some(Why::Forced) | None => "as you wish",
    };
    ui.json(&serde_json::json!({
        "ask": sync.asked().map(|step| step.name.as_str()).collect::<Vec<_>>(),
        "rename": sync
            .steps
            .iter()
            .filter_map(|step| Some(serde_json::json!({ "from": step.renamed()?, "to": step.name.as_str() })))
            .collect::<Vec<_>>(),
        "drop": sync.drop,
    }));
    if sync.is_empty() {
        ui.line("nothing would be asked: nothing has changed");
        return;
    }
    for step in &sync.steps {
        if let Some(from) = step.renamed() {
            ui.marked(
                Mark::Plan,
                format!("{}: it was called `{}`, and would keep its tools", step.name, plain(from)),
            );
        }
        if step.ask {
            ui.marked(Mark::Plan, format!("{}: would be asked ({})", step.name, why(step)));
        }
    }
    for name in &sync.drop {
        ui.marked(Mark::Plan, format!("{}: would go, with its tools", plain(name)));
    }
}

/// Tells what was done without asking anybody.
fn moves(sync: &switchboard_core::registry::Sync, ui: &Ui) {
    for step in &sync.steps {
        if let Some(from) = step.renamed() {
            ui.marked(
                Mark::Good,
                format!("{}: it was called `{}`, and keeps its tools", step.name, plain(from)),
            );
        }
    }
    for name in &sync.drop {
        ui.marked(Mark::Good, format!("{}: it is gone, and its tools with it", plain(name)));
    }
}

fn summary(done: &sync::Done) -> String {
    let failed = match done.failed.as_slice() {
        [] => String::new(),
        all => {
            let each = all.iter().map(|(name, reason)| format!("{name}: {}", short(reason)));
            format!(" ({} failed: {})", all.len(), each.collect::<Vec<_>>().join(", "))
        }
    };
    format!("synced {}{failed}", sync::in_numbers(done.counts))
}

fn short(reason: &Reason) -> String {
    let line = plain(reason.why.lines().next().unwrap_or_default().split("; ").next().unwrap_or_default());
    match line.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn failure(done: &sync::Done, ui: &Ui) -> Option<Failure> {
    let hint = |name: &str, reason: &Reason| match &reason.help {
        Some(help) => help.clone(),
        None => format!("try it by itself with `switchboard server test {}`", quoted(name)),
    };
    match done.failed.as_slice() {
        [] => None,
        [(name, reason)] => Some(
            Failure::failed(format!("sync `{name}`"))
                .because(plain(&reason.why))
                .hint(hint(name.as_str(), reason)),
        ),
        all => {
            for (name, reason) in all {
                ui.note(format!("{name}: {}", plain(&reason.why)));
                ui.hint(hint(name.as_str(), reason));
            }
            let asked = done.sync.asked().count();
            Some(
                Failure::failed(format!("sync {} of {}", all.len(), counted(asked, "server")))
                    .hint("what was known of them stays; `switchboard sync` asks them again"),
            )
        }
    }
}
