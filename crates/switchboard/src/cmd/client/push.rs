//! `client push`, `restore` and `undo`: what writes client files.

use serde_json::json;
use switchboard_core::client::relation::{Relation, Standing};
use switchboard_core::name::ServerName;
use switchboard_core::plan::{FileState, sentence};
use switchboard_core::problem::Problem;
use switchboard_core::settings::Mode;

use super::show::rendered;
use crate::cli::{Entry, Which};
use crate::cmd::server::known;
use crate::cmd::status::{self, client_json, reload_hint};
use crate::diff::discreet;
use crate::execute::{self, Choice, Push, Pushed, Undo};
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, Look, Observer, chosen, named};
use crate::ui::{Mark, Ui};

/// Writes what is pending into clients' files. One that cannot be written does not keep the others from it.
///
/// # Errors
/// Exit code 5 for conflicts, 3 for files that cannot be read, 1 for those that cannot be written.
pub(crate) fn push(home: &mut Home, ui: &Ui, which: &Which, servers: &[String]) -> Done {
    let clients = chosen(home, &which.ids, which.all)?;
    let only = servers
        .iter()
        .map(|name| known(home, name).map(|server| server.name.clone()))
        .collect::<Result<Vec<ServerName>, Failure>>()?;
    push_all(home, ui, &clients, &Choice { only, ..Choice::default() })
}

/// Makes a client's file say again what the catalogue wants.
///
/// # Errors
/// As for a push.
pub(crate) fn restore(home: &mut Home, ui: &Ui, entry: &Entry) -> Done {
    let clients = chosen(home, std::slice::from_ref(&entry.id), false)?;
    let server =
        entry.server.as_ref().map(|name| known(home, name).map(|own| own.name.clone())).transpose()?;
    // A decision to let the file's version stand is taken back.
    if unkeep(home, &clients[0], server.as_ref())? && !ui.dry_run {
        home.save_relations()?;
    }
    push_all(home, ui, &clients, &Choice { restore: Some(server), ..Choice::default() })
}

/// Makes entries ours again that a person had let stand; tells whether there were any.
fn unkeep(home: &mut Home, client: &Linked, server: Option<&ServerName>) -> Result<bool, Failure> {
    let look = Observer::new(home)?.plan(std::slice::from_ref(client)).remove(0);
    let id = client.id().as_str();
    let kept: Vec<Relation> = look
        .record
        .relations
        .iter()
        .filter(|own| own.standing == Standing::Kept && server.is_none_or(|server| own.server == *server))
        .cloned()
        .collect();
    let mut record = look.record;
    let backups = home.backups();
    for own in &kept {
        let section = own.section.as_deref();
        let there =
            look.plan.found.iter().find(|found| found.section == own.section && found.alias == own.alias);
        let Some((found, launch)) = there.and_then(|found| Some((found, found.launch.clone()?))) else {
            record.forget(section, own.alias.as_str());
            continue;
        };
        // What stood there before our first write is in the notes of our writes.
        let origin = home.journal.of(id).find_map(|write| {
            match &write.remembered(&backups)?.relation(section, own.alias.as_str())?.standing {
                Standing::Managed { origin, .. } => origin.clone(),
                _ => None,
            }
        });
        let origin = Some(origin.unwrap_or_else(|| found.value.clone()));
        record.put(Relation { standing: Standing::Managed { base: launch, origin }, ..own.clone() });
    }
    if !kept.is_empty() {
        home.relations.clients.insert(client.id().clone(), record);
    }
    Ok(!kept.is_empty())
}

/// Writes these clients, tells what became of each, and asks before the very first write.
///
/// # Errors
/// As for a push.
pub(crate) fn push_all(home: &mut Home, ui: &Ui, clients: &[Linked], choice: &Choice) -> Done {
    let mut looks = Observer::new(home)?.plan(clients);
    for look in &mut looks {
        choice.apply(&mut look.plan, &look.record);
    }
    if ui.dry_run {
        return dry_run(home, ui, &looks);
    }
    ask_before_the_first_write(home, ui, &looks)?;
    let mut results = Vec::new();
    let mut hints = Vec::new();
    let mut worst: Option<Failure> = None;
    let pushed = {
        let clients: Vec<&Linked> = looks.iter().map(|look| &look.linked).collect();
        execute::push_all(home, &clients, choice, &mut |_, _| ())?
    };
    for (look, Pushed { push, .. }) in looks.iter().zip(pushed) {
        let id = look.linked.id();
        let mut value = json!({ "client": id, "path": look.linked.path });
        match &push {
            Push::InStep if look.plan.problems.iter().any(Problem::is_error) => {
                value["outcome"] = "nothing planned".into();
                ui.marked(Mark::Bad, format!("{id}: {}", look.plan.summary()));
                for problem in &look.plan.problems {
                    ui.problem(&home.short(&look.linked.path), problem);
                }
                let why = look.plan.problems.first().map(|problem| problem.what.clone()).unwrap_or_default();
                worse(&mut worst, not_written(look, &why));
            }
            Push::InStep => {
                value["outcome"] = "in step".into();
                let disputed = look.plan.drifted().chain(look.plan.conflicts()).next().is_some();
                let mark = if disputed { Mark::Warn } else { Mark::Good };
                ui.marked(mark, format!("{id}: {}", look.plan.summary()));
            }
            Push::Written { done, durable } => {
                value["outcome"] =
                    if durable.is_ok() { "written" } else { "published, not proven durable" }.into();
                value["done"] = json!(done);
                ui.marked(Mark::Good, format!("{id}: {}", crate::change::in_short(done)));
                if let Err(why) = durable {
                    ui.note(format!("warning: {id}: the disk has not confirmed the write: {why}"));
                }
                hints.extend(reload_hint(look));
            }
            Push::NotWritten { why, hint } => {
                value["outcome"] = "not written".into();
                value["why"] = why.as_str().into();
                ui.marked(Mark::Bad, format!("{id}: not written: {why}"));
                if let Some(hint) = hint {
                    ui.hint(hint);
                }
                worse(&mut worst, not_written(look, why));
            }
        }
        let disputed: Vec<String> = look.plan.conflicts().map(sentence).collect();
        for item in look.plan.conflicts().chain(look.plan.drifted()) {
            ui.marked(Mark::Warn, format!("{id}: {}", sentence(item)));
        }
        value["conflicts"] = json!(disputed);
        value["drift"] = json!(look.plan.drifted().map(sentence).collect::<Vec<_>>());
        results.push(value);
        if !disputed.is_empty() {
            let failure = Failure::conflict(format!("push everything to `{id}`: {}", disputed.join("; ")))
                .hint(format!("`switchboard client adopt {id}` takes the file's version over"))
                .hint(format!("`switchboard client restore {id}` puts the catalogue's version back"));
            worse(&mut worst, failure);
        } else if look.plan.drifted().next().is_some() {
            ui.hint(format!(
                "`switchboard client adopt {id}` takes the change over, `keep` lets it stand, `restore` undoes it"
            ));
        }
    }
    if home.catalogue.last_good {
        // What was pushed is not what the person wrote last.
        status::catalogue_problems(home, ui);
        worse(
            &mut worst,
            Failure::new(Code::BadFile, "push the newest catalogue: its file is wrong")
                .hint("mend it, then run `switchboard config check`"),
        );
    }
    ui.json(&results);
    for hint in &hints {
        ui.note(hint);
    }
    // A failure was told line by line above; for programs the results say it.
    worst.map_or(Ok(()), Err)
}

fn not_written(look: &Look, why: &str) -> Failure {
    let code = match look.plan.state {
        FileState::Unreadable | FileState::CutOff => Code::BadFile,
        FileState::Wiped => Code::Conflict,
        _ => Code::Failed,
    };
    Failure::new(code, format!("write `{}`", look.linked.id())).because(why)
}

/// Of several failures the gravest is told: a plain one before a conflict before a wrong file.
fn worse(worst: &mut Option<Failure>, failure: Failure) {
    let rank = |failure: &Failure| match failure.code {
        Code::Failed => 3,
        Code::Conflict => 2,
        _ => 1,
    };
    if worst.as_ref().is_none_or(|worst| rank(worst) < rank(&failure)) {
        *worst = Some(failure);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn dry_run(home: &Home, ui: &Ui, looks: &[Look]) -> Done {
    ui.json(&looks.iter().map(client_json).collect::<Vec<_>>());
    for look in looks {
        let sentences = look.plan.sentences();
        if sentences.is_empty() {
            ui.marked(Mark::Good, format!("{}: {}", look.linked.id(), look.plan.summary()));
            continue;
        }
        ui.heading(format!("{} would get in {}:", look.linked.id(), home.short(&look.linked.path)));
        for sentence in sentences {
            ui.marked(Mark::Plan, sentence);
        }
        match rendered(look) {
            Ok(text) => {
                let format = look.linked.dialect.format;
                for line in discreet(&home.short(&look.linked.path), look.text(), &text, format) {
                    ui.line(format!("  {line}"));
                }
            }
            Err(failure) => ui.failure(&failure),
        }
    }
    Ok(())
}

/// Nobody's file is written for the first time without a yes.
fn ask_before_the_first_write(home: &Home, ui: &Ui, looks: &[Look]) -> Done {
    let first: Vec<&Look> = looks
        .iter()
        .filter(|look| look.plan.is_pending() && home.journal.of(look.linked.id().as_str()).next().is_none())
        .collect();
    if first.is_empty() || ui.yes {
        return Ok(());
    }
    for look in &first {
        ui.heading(format!("{}: {}", look.linked.id(), home.short(&look.linked.path)));
        for sentence in look.plan.sentences() {
            ui.marked(Mark::Plan, sentence);
        }
    }
    let names = first.iter().map(|look| look.linked.id().as_str()).collect::<Vec<_>>().join(", ");
    ui.consent(
        "Write this? Everything else in the files stays, and `client undo` takes it back.",
        &format!("write to {names} for the first time"),
    )
}

/// Puts clients' files back to what they were before the last push; what somebody else changed since stays.
///
/// # Errors
/// Exit code 5 when somebody changed the same entries since.
pub(crate) fn undo(home: &mut Home, ui: &Ui, which: &Which, force: bool) -> Done {
    let clients = named(home, &which.ids, which.all)?;
    let mut results = Vec::new();
    let mut changed = Vec::new();
    for client in &clients {
        let id = client.id();
        let file = home.short(&client.path);
        let outcome = match execute::undo(home, client, force, ui.dry_run)? {
            Undo::Nothing => {
                ui.line(format!("{id}: nothing to undo"));
                "nothing"
            }
            Undo::Done { removed, merged, done } => {
                let would = if ui.dry_run { "would be " } else { "" };
                let what = match (removed, merged) {
                    (true, _) => "removed again",
                    (false, false) => "as it was before the last push",
                    (false, true) => "without the last push; what was changed since stays",
                };
                ui.marked(
                    Mark::Good,
                    format!("{id}: {file} {would}{what} (undone: {})", crate::change::in_short(&done)),
                );
                if client.settings.mode == Mode::Auto {
                    ui.hint(format!(
                        "{id} is kept in step at once, so the next change writes it again; `switchboard client link {id} --manual` stops that"
                    ));
                }
                if removed { "removed" } else { "undone" }
            }
            Undo::Changed(why) => {
                ui.marked(
                    Mark::Warn,
                    format!("{id}: {file} was changed by somebody else since the last push: {why}"),
                );
                changed.push(id.to_string());
                "changed"
            }
        };
        results.push(json!({ "client": id, "outcome": outcome }));
    }
    ui.json(&results);
    if changed.is_empty() {
        return Ok(());
    }
    let names = changed.join(" ");
    Err(Failure::conflict(format!("undo the last push to {names}: that would lose somebody else's change"))
        .hint(format!("`switchboard client undo {names} --force` undoes it all the same; their version stays in the backups")))
}
