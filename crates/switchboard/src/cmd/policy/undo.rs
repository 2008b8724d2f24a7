//! `policy history` and `policy undo`: what was written into the policy file, and the way back.

use serde_json::json;
use switchboard_core::policy::merge::Base;
use switchboard_host::hash::Hash;

use crate::cli::PolicyUndo;
use crate::cmd::policy::judged::Judged;
use crate::cmd::policy::sync;
use crate::cmd::tool::Known;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::policy::{Act, Change, PolicyFile};
use crate::ui::{Mark, Ui, plain};
use crate::when;

/// Lists what was written, the newest first.
///
/// # Errors
/// Our own state cannot be read.
pub(super) fn history(home: &Home, ui: &Ui) -> Done {
    let policy = PolicyFile::look(home)?;
    let writes = || policy.record.writes.iter().rev();
    ui.json(
        &writes()
            .map(|write| {
                let mut value = json!(write);
                value["at"] = when::stamp(write.at).into();
                value["stands"] = policy.record.stands(write.id).into();
                value
            })
            .collect::<Vec<_>>(),
    );
    if policy.record.writes.is_empty() {
        ui.line("nothing was written into the policy file yet");
        return Ok(());
    }
    ui.table(
        ["ID", "WHEN", "WHAT"],
        writes().map(|write| {
            let undone = if policy.record.stands(write.id) { "" } else { " (undone)" };
            [
                write.id.to_string(),
                when::local(write.at),
                format!("{}{undone}", plain(&write.done.join("; "))),
            ]
        }),
    );
    if policy.record.writes.back().is_some_and(|last| last.after != policy.hash()) {
        ui.marked(Mark::Warn, "the file was changed by hand since");
    }
    Ok(())
}

/// Puts the file back to what it was before a write.
///
/// # Errors
/// There is no such write, somebody changed the file since, or it cannot be written.
pub(super) fn undo(home: &Home, ui: &Ui, args: &PolicyUndo) -> Done {
    let mut policy = PolicyFile::look(home)?;
    if args.id.is_none() && policy.last_good {
        return mend(home, ui, args, policy);
    }
    let name = home.short(&home.dirs.policy());
    let found = match args.id {
        Some(id) => policy.record.write(id),
        None => policy.record.last(),
    };
    let Some(write) = found.cloned() else {
        let what = match args.id {
            Some(id) => format!("undo write {id} of the policy: there is none of that number"),
            None => "undo: nothing of ours stands in the policy file".to_owned(),
        };
        return Err(Failure::usage(what).hint("see `switchboard policy history`"));
    };
    if !args.force && !policy.record.is_ours_since(write.id, policy.hash()) {
        let id = args.id.map(|id| format!(" {id}")).unwrap_or_default();
        return Err(Failure::conflict(format!("undo write {} of the policy", write.id))
            .because("that would lose what somebody wrote into the file since")
            .hint(format!(
                "`switchboard policy undo{id} --force` undoes it all the same; their version stays in the backups"
            )));
    }
    let failed = || Failure::failed(format!("undo write {} of the policy", write.id));
    let load =
        |hash: Hash| home.backups().load(hash).map_err(|error| failed().caused_by(&error).hint(error.help()));
    let text = write.before.map(load).transpose()?;
    let said = format!("{name} is what it was before write {}, {}", write.id, when::local(write.at));
    let is_so = policy.hash() == write.before;
    ui.json(&json!({
        "undone": write.id, "file": home.dirs.policy(), "removed": text.is_none(),
        "written": !ui.dry_run && !is_so,
    }));
    if ui.dry_run {
        let after = text.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        crate::change::show_difference(ui, &name, policy.text().unwrap_or_default(), &after);
        return Ok(());
    }
    // Where it is lost, lines that we wrote count as a person's, and stay as they are.
    let base: Base = serde_json::from_slice(&load(write.base)?).unwrap_or_default();
    if is_so {
        ui.line(format!("{name} is already what it was before write {}", write.id));
        return Ok(());
    }
    let done = vec![format!("undo {}", write.id)];
    policy.put(home, Change { text, base, act: Act::Undo { of: write.id }, done })?;
    ui.marked(Mark::Good, said);
    for problem in &policy.problems {
        ui.problem(&name, problem);
    }
    export(home, ui, &policy)
}

/// Puts a file that is wrong back to the last good one.
fn mend(home: &Home, ui: &Ui, args: &PolicyUndo, mut policy: PolicyFile) -> Done {
    let what = "put the policy back to the last good one";
    let name = home.short(&home.dirs.policy());
    if !args.force {
        return Err(Failure::conflict(what)
            .because("that would lose what somebody wrote into the file since")
            .with_problems(&name, policy.problems)
            .hint("mend the file, or let go of it with `switchboard policy undo --force`; their version stays in the backups"));
    }
    let good = policy.record.good.map(|good| home.backups().load(good)).transpose();
    let text = good.map_err(|error| Failure::failed(what).caused_by(&error).hint(error.help()))?;
    ui.json(&json!({ "file": home.dirs.policy(), "removed": text.is_none(), "written": !ui.dry_run }));
    if ui.dry_run {
        let after = text.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        crate::change::show_difference(ui, &name, policy.text().unwrap_or_default(), &after);
        return Ok(());
    }
    let (base, done) = (policy.record.base.clone(), vec!["put back the last good one".to_owned()]);
    policy.put(home, Change { text, base, act: Act::Mend, done })?;
    ui.marked(Mark::Good, format!("{name} is the last good one again"));
    export(home, ui, &policy)
}

/// Other applications follow what is in force.
fn export(home: &Home, ui: &Ui, policy: &PolicyFile) -> Done {
    if policy.last_good || home.settings.value.policy.export.is_empty() {
        return Ok(());
    }
    let mut known = Known::as_it_is(home)?;
    let judged = Judged::all(&mut known);
    let exported = sync::export(&known, home, policy, &judged, false)?;
    sync::tell_exports(home, ui, exported)
}
