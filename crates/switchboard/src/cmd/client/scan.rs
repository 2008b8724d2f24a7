//! `client scan`: the recorded relation made to match what is found.

use switchboard_core::client::reconcile::{Item, Verdict};
use switchboard_core::client::relation::{ClientRecord, Relation, Standing};
use switchboard_core::plan::{FileState, scanned, sentence};

use crate::cli::Which;
use crate::cmd::status;
use crate::execute::remember;
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::observe::{Look, Observer, chosen};
use crate::ui::{Mark, Ui};

/// Scans clients' files.
///
/// Nothing is lost by a scan: pending changes are only dropped when that is asked for.
///
/// # Errors
/// Exit code 5 when pending changes would be dropped; 3 when a file cannot be read. The other clients are scanned all
/// the same.
pub(crate) fn scan(home: &mut Home, ui: &Ui, which: &Which, discard: bool) -> Done {
    let clients = chosen(home, &which.ids, which.all)?;
    let looks = Observer::new(home)?.plan(&clients);
    let mut results = Vec::new();
    let mut unreadable = Vec::new();
    let mut blocked = Vec::new();
    for look in looks {
        let id = look.linked.id().clone();
        let pending = look.plan.sentences();
        let mut value = status::client_json(&look);
        match &look.plan.state {
            FileState::Unreadable | FileState::CutOff | FileState::Wiped => {
                ui.marked(Mark::Bad, format!("{id}: {}", look.plan.summary()));
                unreadable.push(id.to_string());
                status::problems(home, ui, std::slice::from_ref(&look));
            }
            FileState::Shared(_) => ui.marked(Mark::Good, format!("{id}: {}", look.plan.summary())),
            _ if !pending.is_empty() && !discard && home.relations.clients.contains_key(&id) => {
                ui.marked(Mark::Warn, format!("{id}: a scan would drop what is pending"));
                for sentence in &pending {
                    ui.line(format!("    {sentence}"));
                }
                blocked.push(id.to_string());
            }
            _ => {
                let record = if discard { discarded(&look) } else { scanned(&look.plan, &look.record) };
                value["scanned"] = true.into();
                if !ui.dry_run {
                    remember(home, &look, record)?;
                }
                if discard && !pending.is_empty() {
                    // Told as it is from now on, behind what was dropped.
                    for sentence in &pending {
                        ui.marked(Mark::Warn, format!("{id}: dropped: {sentence}"));
                    }
                    let look = Observer::new(home)?.plan(std::slice::from_ref(&look.linked)).remove(0);
                    report(ui, &look);
                } else {
                    report(ui, &look);
                }
            }
        }
        results.push(value);
    }
    ui.json(&results);
    if !blocked.is_empty() {
        let names = blocked.join(" ");
        return Err(Failure::conflict(format!("scan {names}: pending changes would be lost"))
            .hint(format!("write them first with `switchboard client push {names}`"))
            .hint(format!("or drop them with `switchboard client scan {names} --discard-pending`")));
    }
    if !unreadable.is_empty() {
        return Err(Failure::new(Code::BadFile, format!("scan {}", unreadable.join(" ")))
            .because("the file cannot be read, so it was left alone"));
    }
    Ok(())
}

fn report(ui: &Ui, look: &Look) {
    let found = look.plan.found.iter().filter(|found| found.launch.is_some()).count();
    let own = look.plan.items.iter().filter(|item| item.verdict == Verdict::Unmanaged).count();
    ui.marked(
        Mark::Good,
        format!("{}: {found} entries, {own} of its own; {}", look.linked.id(), look.plan.summary()),
    );
    for item in look.plan.items.iter().filter(|item| item.verdict != Verdict::InStep) {
        ui.line(format!("    {}", sentence(item)));
    }
    for problem in &look.plan.problems {
        ui.problem(look.linked.id().as_str(), problem);
    }
}

/// The record after a scan that drops what is pending: what the file says now is what is wanted.
fn discarded(look: &Look) -> ClientRecord {
    let mut record = scanned(&look.plan, &look.record);
    for item in look.plan.pending() {
        record.put(kept(item));
    }
    record
}

/// The record that lets the file's version of an entry stand.
pub(crate) fn kept(item: &Item) -> Relation {
    let server =
        item.server.clone().unwrap_or_else(|| switchboard_core::name::ServerName::near(item.alias.as_str()));
    Relation { section: item.section.clone(), alias: item.alias.clone(), server, standing: Standing::Kept }
}
