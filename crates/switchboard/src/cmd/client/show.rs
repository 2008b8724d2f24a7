//! What a client's file holds, and what a push would make of it.

use serde_json::json;
use switchboard_core::client::known::{self, Status};
use switchboard_core::client::reconcile::Verdict;
use switchboard_core::client::scan::Found;
use switchboard_core::plan::{render_client, sentence};

use crate::approval::in_full;
use crate::cli::Which;
use crate::cmd::server::brief;
use crate::cmd::status::{self, client_json, reload_hint};
use crate::diff::discreet;
use crate::discover;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Look, Observer, chosen, linked, named};
use crate::ui::{Mark, Ui};

/// Lists the linked clients, those found on the machine, and with `all` every known one.
///
/// # Errors
/// A file of ours cannot be read.
pub(crate) fn list(home: &Home, ui: &Ui, all: bool) -> Done {
    let clients = linked(home)?;
    let looks = Observer::new(home)?.plan(&clients);
    let around = home.surroundings();
    let here: Vec<discover::Found> = discover::all(around)
        .into_iter()
        .filter(|found| !clients.iter().any(|linked| linked.path == found.path))
        .collect();
    let known: Vec<_> = if all { known::all().collect() } else { Vec::new() };
    ui.json(&json!({
        "linked": looks.iter().map(client_json).collect::<Vec<_>>(),
        "unlinked": here.iter().map(|found| json!({
            "id": found.known.id, "name": found.known.name, "path": found.path,
        })).collect::<Vec<_>>(),
        "known": known.iter().map(|known| json!({
            "id": known.id, "name": known.name, "aliases": known.aliases, "note": known.note,
            "status": match known.status {
                Status::Active => "active", Status::Retired(_) => "retired", Status::ImportOnly(_) => "import only",
            },
        })).collect::<Vec<_>>(),
    }));
    if !looks.is_empty() {
        status::table(home, ui, &looks);
    }
    if !here.is_empty() {
        ui.line("");
        ui.heading("found on this machine, not linked");
        ui.table(
            ["CLIENT", "NAME", "FILE"],
            here.iter().map(|found| {
                [found.known.id.to_owned(), found.known.name.to_owned(), home.short(&found.path)]
            }),
        );
        ui.hint("link all of them with `switchboard up`, or one with `switchboard client link ID`");
    }
    if all {
        ui.line("");
        ui.heading("known");
        ui.table(
            ["CLIENT", "NAME", "ALSO", "NOTE"],
            known.iter().map(|known| {
                let note = match known.status {
                    Status::Active => known.note.to_owned(),
                    Status::Retired(note) | Status::ImportOnly(note) => note.to_owned(),
                };
                [known.id.to_owned(), known.name.to_owned(), known.aliases.join(" "), note]
            }),
        );
    } else if looks.is_empty() && here.is_empty() {
        ui.line("no client is linked, and none was found on this machine");
        ui.hint("see `switchboard client list --all` for those that are known");
    }
    Ok(())
}

/// Shows one client and every entry of its file.
///
/// # Errors
/// The client is not linked.
pub(crate) fn show(home: &Home, ui: &Ui, id: &str) -> Done {
    let clients = chosen(home, &[id.to_owned()], false)?;
    for look in Observer::new(home)?.plan(&clients) {
        let mut value = client_json(&look);
        value["entries"] = look.plan.found.iter().map(|found| entry_json(&look, found)).collect();
        ui.json(&value);
        let known = look.linked.settings.known;
        ui.heading(format!("{} ({})", known.name, look.linked.id()));
        ui.line(format!("file   {}", home.short(&look.linked.path)));
        ui.line(format!("mode   {}", status::mode(look.linked.settings.mode)));
        ui.line(format!("state  {}", look.plan.summary()));
        if let Some(hint) = reload_hint(&look) {
            ui.line(format!("note   {hint}"));
        }
        if !look.plan.found.is_empty() {
            ui.line("");
            ui.table(
                ["ENTRY", "WHOSE", "LAUNCH", "KEEPS"],
                look.plan.found.iter().filter(|found| found.launch.is_some() || found.problem.is_some()).map(
                    |found| {
                        [
                            match &found.section {
                                Some(section) => format!("{} in {section}", found.alias),
                                None => found.alias.to_string(),
                            },
                            whose(&look, found),
                            found
                                .launch
                                .as_ref()
                                .map_or_else(|| found.problem.clone().unwrap_or_default(), brief),
                            found.foreign.join(" "),
                        ]
                    },
                ),
            );
        }
        status::problems(home, ui, std::slice::from_ref(&look));
        if look.plan.items.iter().any(|item| item.verdict == Verdict::Unmanaged) {
            ui.hint(format!("make its own entries managed with `switchboard client import {id}`"));
            ui.hint(format!("try one in place with `switchboard server test ENTRY --client {id}`"));
        }
    }
    Ok(())
}

fn whose(look: &Look, found: &Found) -> String {
    let item = look.plan.items.iter().find(|item| item.section == found.section && item.alias == found.alias);
    match item {
        Some(item) => match (&item.verdict, &item.server) {
            (Verdict::Unmanaged, _) | (_, None) => "its own".to_owned(),
            (Verdict::Kept, Some(server)) => format!("kept ({server})"),
            (verdict, Some(server)) => {
                let word = match verdict {
                    Verdict::InStep => "managed",
                    Verdict::Drift(_) => "drifted",
                    Verdict::Conflict(_) => "in conflict",
                    _ => "pending",
                };
                if server.as_str() == item.alias.as_str() {
                    word.to_owned()
                } else {
                    format!("{word} ({server})")
                }
            }
        },
        None => "its own".to_owned(),
    }
}

fn entry_json(look: &Look, found: &Found) -> serde_json::Value {
    json!({
        "alias": found.alias,
        "section": found.section,
        "place": found.place.to_string(),
        "managed": found.ours,
        "whose": whose(look, found),
        "launch": found.launch.as_ref().map(in_full),
        "enabled": found.enabled,
        "keeps": found.foreign,
        "problem": found.problem,
    })
}

/// Shows what a push would change, as a diff of each file.
///
/// # Errors
/// A client is not linked, or its file cannot be edited.
pub(crate) fn diff(home: &Home, ui: &Ui, which: &Which) -> Done {
    let clients = chosen(home, &which.ids, which.all)?;
    let mut all = Vec::new();
    for look in Observer::new(home)?.plan(&clients) {
        let text = rendered(&look)?;
        let lines = if text == look.text() {
            Vec::new()
        } else {
            discreet(&home.short(&look.linked.path), look.text(), &text, look.linked.dialect.format)
        };
        all.push(json!({
            "client": look.linked.id(), "pending": look.plan.sentences(),
            "diff": anstream::adapter::strip_str(&lines.join("\n")).to_string(),
        }));
        if look.plan.is_pending() {
            for line in lines {
                ui.line(line);
            }
        } else {
            ui.marked(Mark::Good, format!("{}: {}", look.linked.id(), look.plan.summary()));
        }
        for item in look.plan.drifted().chain(look.plan.conflicts()) {
            ui.marked(Mark::Warn, format!("{}: {}", look.linked.id(), sentence(item)));
        }
    }
    ui.json(&all);
    Ok(())
}

/// Returns the text that a push would write.
///
/// # Errors
/// The file cannot be edited, or cannot say an entry.
pub(crate) fn rendered(look: &Look) -> Result<String, Failure> {
    if !look.plan.is_pending() {
        return Ok(look.text().to_owned());
    }
    render_client(&look.plan, &look.linked.dialect, &look.record, look.text())
        .map(|rendered| rendered.text)
        .map_err(|error| Failure::failed(format!("plan for `{}`", look.linked.id())).because(error))
}

/// Lists what was written into a client's file.
///
/// # Errors
/// The client is not linked.
pub(crate) fn history(home: &Home, ui: &Ui, id: &str) -> Done {
    let client = named(home, &[id.to_owned()], false)?.remove(0);
    let writes: Vec<_> = home.journal.of(client.id().as_str()).collect();
    ui.json(&writes.iter().map(|write| json!({
        "at": write.at, "revision": write.revision, "done": write.done, "undone": write.undone,
        "before": write.before.map(|hash| hash.to_string()), "after": write.after.to_string(), "path": write.path,
    })).collect::<Vec<_>>());
    if writes.is_empty() {
        ui.line("nothing was written yet");
        return Ok(());
    }
    ui.table(
        ["WHEN", "REVISION", "WHAT", ""],
        writes.iter().map(|write| {
            [
                crate::when::local(write.at),
                write.revision.to_string(),
                crate::change::in_short(&write.done),
                if write.undone { "undone" } else { "" }.to_owned(),
            ]
        }),
    );
    Ok(())
}
