//! `status`: the revision, the servers, the clients, the problems.

use serde_json::json;
use switchboard_core::client::known::Reload;
use switchboard_core::plan::FileState;
use switchboard_core::settings::Mode;
use switchboard_host::dirs::Env;

use crate::daemon::facts::Facts;
use crate::fail::Done;
use crate::home::Home;
use crate::live::calls;
use crate::observe::{Look, Observer, linked};
use crate::pins;
use crate::policy::PolicyFile;
use crate::ui::{Mark, Ui, counted};

/// Shows everything that a person wants to know at a glance; `daemon` is how the daemon stands that tells it.
///
/// # Errors
/// A file of ours cannot be read.
pub(crate) fn run(env: Env, ui: &Ui, daemon: Option<&Facts>) -> Done {
    let home = Home::look(env)?;
    let clients = linked(&home)?;
    let looks = Observer::new(&home)?.plan(&clients);
    let policy = PolicyFile::look(&home)?;
    ui.json(&as_json(&home, &looks, &policy, daemon));
    let servers = home.catalogue.catalogue.servers();
    match home.history.last() {
        Some(entry) => ui.heading(format!("revision {}: {}", entry.revision.number, entry.reason)),
        None => ui.heading("no revision yet"),
    }
    if let Some(daemon) = daemon {
        let listen = daemon.listen.as_ref().map(|address| format!(", http://{address}")).unwrap_or_default();
        ui.line(format!(
            "served by process {} since {}{listen}",
            daemon.pid,
            crate::when::local(daemon.since)
        ));
    }
    let off = servers.iter().filter(|server| !server.enabled).count();
    let disabled = if off > 0 { format!(", {off} of them disabled") } else { String::new() };
    ui.line(counted(servers.len(), "server") + &disabled);
    if let Some(daemon) = daemon {
        at_work(ui, daemon);
    }
    if looks.is_empty() {
        ui.line("no clients are linked");
        ui.hint("find and link them with `switchboard up`");
    } else {
        ui.line("");
        table(&home, ui, &looks);
    }
    problems(&home, ui, &looks);
    policy.tell(&home, ui);
    for (place, problem) in pins::problems(&home, &pins::told(&home, ui)?) {
        ui.problem(&place, &problem);
    }
    for (place, problem) in daemon.iter().flat_map(|daemon| &daemon.problems) {
        ui.problem(place, problem);
    }
    Ok(())
}

/// Prints the servers that are more than a line of the catalogue at the moment.
fn at_work(ui: &Ui, daemon: &Facts) {
    let rows: Vec<_> = daemon
        .servers
        .iter()
        .filter(|server| server.state != "idle" || server.calls > 0)
        .map(|server| {
            let tools = server.tools.map(|tools| tools.to_string()).unwrap_or_default();
            [server.name.clone(), server.state.to_owned(), tools, calls(server.calls, server.failed)]
        })
        .collect();
    if !rows.is_empty() {
        ui.line("");
        ui.table(["SERVER", "STATE", "TOOLS", "CALLS"], rows);
    }
}

/// Prints the clients with the state of each.
pub(crate) fn table(home: &Home, ui: &Ui, looks: &[Look]) {
    ui.table(
        ["CLIENT", "MODE", "STATE", "ENTRIES", "FILE"],
        looks.iter().map(|look| {
            [
                look.linked.id().to_string(),
                mode(look.linked.settings.mode).to_owned(),
                look.plan.summary(),
                entries(look),
                home.short(&look.linked.path),
            ]
        }),
    );
}

fn entries(look: &Look) -> String {
    let ours = look.plan.found.iter().filter(|found| found.ours.is_some()).count();
    let own = look.plan.found.iter().filter(|found| found.ours.is_none() && found.launch.is_some()).count();
    match (ours, own) {
        (0, 0) => "none".to_owned(),
        (ours, 0) => format!("{ours} managed"),
        (0, own) => format!("{own} of its own"),
        (ours, own) => format!("{ours} managed, {own} of its own"),
    }
}

/// Returns the word for a mode.
pub(crate) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Manual => "manual",
        Mode::Auto => "auto",
    }
}

fn as_json(home: &Home, looks: &[Look], policy: &PolicyFile, daemon: Option<&Facts>) -> serde_json::Value {
    let servers = home.catalogue.catalogue.servers();
    json!({
        "revision": home.history.last().map(|entry| json!({
            "number": entry.revision.number, "hash": entry.revision.hash, "version": entry.revision.version(),
            "reason": entry.reason, "at": entry.at,
        })),
        "catalogue": {
            "path": home.dirs.catalogue(), "last_good": home.catalogue.last_good,
            "problems": home.catalogue.problems,
        },
        "policy": {
            "path": home.dirs.policy(), "last_good": policy.last_good, "problems": policy.problems,
            "tools": policy.policy.rules().len(),
        },
        "servers": servers.iter().map(|server| json!({
            "name": server.name, "enabled": server.enabled,
        })).collect::<Vec<_>>(),
        "clients": looks.iter().map(client_json).collect::<Vec<_>>(),
        "problems": home.notes,
        "daemon": daemon,
    })
}

/// Returns the word for what a client's file is like.
pub(crate) fn file_word(state: &FileState) -> &'static str {
    match state {
        FileState::Missing => "missing",
        FileState::Read => "read",
        FileState::Unreadable => "unreadable",
        FileState::Wiped => "wiped",
        FileState::CutOff => "cut off",
        FileState::Shared(_) => "shared",
    }
}

/// Returns what is known of a client as JSON.
pub(crate) fn client_json(look: &Look) -> serde_json::Value {
    let plan = &look.plan;
    let state = file_word(&plan.state);
    json!({
        "id": look.linked.id(),
        "name": look.linked.settings.known.name,
        "path": look.linked.path,
        "mode": mode(look.linked.settings.mode),
        "file": state,
        "summary": plan.summary(),
        "in_step": plan.summary() == "in step",
        "pending": plan.sentences(),
        "drift": plan.drifted().map(switchboard_core::plan::sentence).collect::<Vec<_>>(),
        "conflicts": plan.conflicts().map(switchboard_core::plan::sentence).collect::<Vec<_>>(),
        "problems": plan.problems,
    })
}

/// Tells what is wrong with the catalogue's file.
pub(crate) fn catalogue_problems(home: &Home, ui: &Ui) {
    let name = home.short(&home.dirs.catalogue());
    for problem in &home.catalogue.problems {
        ui.problem(&name, problem);
    }
    if home.catalogue.last_good {
        let revision = home.history.last().map_or(0, |entry| entry.revision.number);
        ui.note(format!("revision {revision} stays in service until the file is mended"));
    }
}

/// Tells what is wrong, and what is to be done about it.
pub(crate) fn problems(home: &Home, ui: &Ui, looks: &[Look]) {
    for note in &home.notes {
        ui.note(format!("warning: {note}"));
    }
    catalogue_problems(home, ui);
    let settings = home.short(&home.dirs.settings());
    for problem in &home.settings.problems {
        ui.problem(&settings, problem);
    }
    for look in looks {
        let id = look.linked.id();
        let file = home.short(&look.linked.path);
        for problem in &look.plan.problems {
            ui.problem(&file, problem);
        }
        for item in look.plan.conflicts().chain(look.plan.drifted()) {
            ui.marked(Mark::Warn, format!("{id}: {}", switchboard_core::plan::sentence(item)));
        }
        if look.plan.state == FileState::Wiped {
            ui.marked(Mark::Warn, format!("{id}: our entries are gone, and the file with them or nearly so"));
            ui.hint(format!("bring them back with `switchboard client restore {id}`"));
        } else if look.plan.drifted().next().is_some() || look.plan.conflicts().next().is_some() {
            ui.hint(format!(
                "`switchboard client adopt {id}` takes the change over, `keep` lets it stand, `restore` undoes it"
            ));
        }
    }
    let pending: Vec<&str> =
        looks.iter().filter(|look| look.plan.is_pending()).map(|look| look.linked.id().as_str()).collect();
    match pending.as_slice() {
        [] => {}
        few if few.len() <= 3 => {
            ui.hint(format!("write what is pending with `switchboard client push {}`", few.join(" ")));
        }
        _ => ui.hint("write what is pending with `switchboard client push --all`"),
    }
}

/// Says how clients come to know, when some are kept in step by hand.
pub(crate) fn pending_hint(home: &Home, ui: &Ui) {
    let manual = home.settings.value.clients.iter().filter(|client| client.mode == Mode::Manual).count();
    if manual > 0 {
        ui.hint("clients in manual mode get it with `switchboard client push --all`");
    }
}

/// Returns what a person does so that the client sees its changed file; `None` where it does so by itself.
pub(crate) fn reload_hint(look: &Look) -> Option<String> {
    let known = look.linked.settings.known;
    match known.reload {
        Reload::ByItself => None,
        Reload::OnAction(action) => Some(format!("{}: to load it, {action}", known.name)),
        Reload::Restart => Some(format!("{}: restart needed", known.name)),
        Reload::Unknown => Some(format!("{}: restart it if it does not see the change", known.name)),
    }
}
