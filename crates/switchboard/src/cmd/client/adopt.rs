//! `client adopt` and `client keep`: what somebody else changed, taken over or let stand.

use serde_json::json;
use switchboard_core::catalogue::edit::ServerEdit;
use switchboard_core::client::bridge::HOME_VARIABLE;
use switchboard_core::client::reconcile::{Drift, Item, Verdict};
use switchboard_core::client::relation::{Relation, Standing};
use switchboard_core::launch::Launch;
use switchboard_core::plan::sentence;

use super::import::{Take, Then, import_looks};
use super::scan::kept;
use crate::approval::{Approvals, in_full};
use crate::change;
use crate::cli::Entry;
use crate::execute::{Choice, remember};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Look, Observer, chosen};
use crate::ui::{Mark, Ui};

/// The items of a client that somebody else changed: all, or those that a person named.
fn changed(home: &Home, entry: &Entry) -> Result<(Look, Vec<Item>), Failure> {
    let clients = chosen(home, std::slice::from_ref(&entry.id), false)?;
    let look = Observer::new(home)?.plan(&clients).remove(0);
    let named = |item: &&Item| {
        entry.server.as_ref().is_none_or(|name| {
            item.alias.as_str() == name || item.server.as_ref().is_some_and(|server| server.as_str() == name)
        })
    };
    let items = look.plan.drifted().chain(look.plan.conflicts()).filter(named).cloned().collect();
    Ok((look, items))
}

fn nothing(entry: &Entry, ui: &Ui) {
    let whose = entry.server.as_ref().map_or_else(String::new, |name| format!(" of `{name}`"));
    ui.line(format!("{}: nobody else changed anything{whose}", entry.id));
    ui.json(&json!([]));
}

/// Takes what somebody changed in the file into the catalogue.
///
/// An edited entry changes its server, and is then reached through us again; a removed one is not wanted there any
/// more; an entry that somebody added is imported.
///
/// # Errors
/// Nobody agreed to what would be run from then on.
pub(crate) fn adopt(home: &mut Home, ui: &Ui, entry: &Entry) -> Done {
    let (look, items) = changed(home, entry)?;
    let added: Vec<String> = look
        .plan
        .items
        .iter()
        .filter(|item| item.verdict == Verdict::Unmanaged)
        .filter(|item| entry.server.as_ref().is_some_and(|name| item.alias.as_str() == name))
        .map(|item| item.alias.to_string())
        .collect();
    if !added.is_empty() {
        return import_looks(
            home,
            ui,
            vec![look],
            &Take { aliases: added, keep_secrets: false, then: Then::Push },
        );
    }
    if items.is_empty() {
        nothing(entry, ui);
        return Ok(());
    }
    let bridge = home.bridge()?;
    let mut edits = Vec::new();
    let mut launches = Vec::new();
    let mut record = look.record.clone();
    for item in &items {
        let Some(server) = &item.server else { continue };
        match &item.verdict {
            Verdict::Drift(Drift::Removed) | Verdict::Conflict(Drift::Removed) => record.put(kept(item)),
            Verdict::Drift(Drift::Edited) | Verdict::Conflict(Drift::Edited) => {
                let found = look
                    .plan
                    .found
                    .iter()
                    .find(|found| found.section == item.section && found.alias == item.alias);
                let Some((found, launch)) = found.and_then(|found| Some((found, found.launch.as_ref()?)))
                else {
                    return Err(Failure::failed(format!("adopt {}", sentence(item)))
                        .because("what stands there now is no server"));
                };
                let (ours, notes) = switchboard_core::client::import::translated(
                    launch,
                    look.linked.settings.known.variables,
                );
                if bridge.leads_to_us(&ours) {
                    return Err(Failure::conflict(format!("adopt `{}`", item.alias))
                        .because("it still runs switchboard itself, with other words")
                        .hint(format!(
                            "put it back with `switchboard client restore {} {}`",
                            entry.id, server
                        ))
                        .hint(format!(
                            "or let it stand with `switchboard client keep {} {}`",
                            entry.id, server
                        )));
                }
                let ours = without_home(ours);
                for note in &notes {
                    ui.note(format!("note: `{}`: {note}", item.alias));
                }
                launches.push((server.to_string(), ours.clone()));
                edits.push(ServerEdit::Relaunch(server.clone(), ours));
                record.put(Relation {
                    section: item.section.clone(),
                    alias: item.alias.clone(),
                    server: server.clone(),
                    standing: Standing::Managed { base: launch.clone(), origin: Some(found.value.clone()) },
                });
            }
            _ => {
                return Err(Failure::conflict(format!("adopt {}", sentence(item)))
                    .hint("remove one of the two entries from the file"));
            }
        }
    }
    for (name, launch) in &launches {
        ui.heading(format!("{name} would be"));
        for line in in_full(launch) {
            ui.line(format!("  {line}"));
        }
    }
    if ui.dry_run {
        return change::catalogue(home, ui, &edits);
    }
    if !launches.is_empty() {
        ui.consent("Take this over into the catalogue?", "adopt the change")?;
    }
    let mut approvals = Approvals::load(&home.dirs);
    for (name, launch) in &launches {
        approvals.add(name, launch, &home.dirs)?;
    }
    remember(home, &look, record)?;
    if !edits.is_empty() {
        change::catalogue(home, ui, &edits)?;
    }
    ui.marked(Mark::Good, format!("{}: {} taken over", entry.id, items.len()));
    if edits.is_empty() {
        return Ok(());
    }
    super::push_all(home, &Ui { yes: true, ..ui.clone() }, &[look.linked], &Choice::default())
}

/// The variable that names our home is ours, not the server's.
fn without_home(mut launch: Launch) -> Launch {
    if let Launch::Stdio { env, .. } = &mut launch {
        env.remove(HOME_VARIABLE);
    }
    launch
}

/// Lets what somebody changed in the file stand: from then on we leave these entries alone.
///
/// # Errors
/// The client is not linked.
pub(crate) fn keep(home: &mut Home, ui: &Ui, entry: &Entry) -> Done {
    let (look, items) = changed(home, entry)?;
    if items.is_empty() {
        nothing(entry, ui);
        return Ok(());
    }
    let mut record = look.record.clone();
    for item in &items {
        record.put(kept(item));
        ui.marked(Mark::Good, format!("{}: `{}` is kept as the file has it", entry.id, item.alias));
    }
    ui.json(
        &items.iter().map(|item| json!({ "alias": item.alias, "server": item.server })).collect::<Vec<_>>(),
    );
    ui.hint(format!("take that back with `switchboard client restore {}`", entry.id));
    if ui.dry_run {
        return Ok(());
    }
    remember(home, &look, record)
}
