//! `policy sync`: the policy file brought up to date with the tools, and other applications' files with it.

use std::collections::BTreeMap;

use serde_json::json;
use switchboard_core::policy::export::Repair;
use switchboard_core::policy::merge::{MergeError, Merged, News, What, merge};
use switchboard_core::policy::unheard_of;
use switchboard_core::problem::Problem;

use super::judged::Judged;
use crate::change::show_difference;
use crate::cmd::tool::Known;
use crate::fail::{Code, Done, Failure};
use crate::home::{Home, now};
use crate::policy::export::{Came, Exported, Exports};
use crate::policy::{Act, Change, PolicyFile};
use crate::ui::{Mark, Ui, counted, plain};

/// So many tools are named one by one.
const FEW: usize = 3;

/// Brings the policy file up to date.
///
/// # Errors
/// The catalogue, the settings or the policy is wrong, or something cannot be written.
pub(super) fn sync(known: &mut Known, home: &Home, ui: &Ui) -> Done {
    if known.home.catalogue.last_good {
        // What the person means is not known, so no tool is gone for their sake.
        let name = home.short(&home.dirs.catalogue());
        return Err(Failure::new(Code::BadFile, "sync the policy: the catalogue is wrong")
            .with_problems(&name, known.home.catalogue.problems.clone())
            .hint("mend it, then run `switchboard config check`"));
    }
    home.check_settings()?;
    let mut policy = PolicyFile::look(home)?;
    for note in home.notes.iter().chain(&policy.note) {
        ui.note(format!("warning: {note}"));
    }
    policy.check(home, "sync the policy")?;
    for problem in &policy.problems {
        ui.problem(&home.short(&home.dirs.policy()), problem);
    }
    known.tell_stale(ui, |_| true);
    let judged = Judged::all(known);
    let offered: Vec<_> = judged.iter().map(Judged::offered).collect();
    for problem in unheard_of(&policy.policy, &policy.record.base, &offered) {
        ui.problem(&home.short(&home.dirs.policy()), &problem);
    }
    let Merged { text, base, news } =
        merge(policy.text(), &policy.record.base, &offered, now()).map_err(|error| refused(home, &error))?;
    let name = home.short(&home.dirs.policy());
    let written = text.is_some();
    let before = policy.text().unwrap_or_default().to_owned();
    if ui.dry_run {
        if let Some(text) = &text {
            policy.policy = switchboard_core::policy::parse(text).value.knowing(&base);
        }
    } else if let Some(text) = &text {
        let done = lines(&news, false);
        let text = Some(text.clone().into_bytes());
        policy.put(home, Change { text, base, act: Act::Sync, done })?;
    } else {
        policy.rebase(home, base)?;
    }
    let exported = export(known, home, &policy, &judged, ui.dry_run)?;
    ui.json(&json!({
        "file": home.dirs.policy(),
        "written": written && !ui.dry_run,
        "tools": policy.policy.rules().len(),
        "news": news,
        "exports": exported.0.iter().map(as_json).collect::<Vec<_>>(),
    }));
    if ui.dry_run
        && let Some(text) = &text
    {
        // Programs have their document already.
        show_difference(ui, &name, &before, text);
    }
    let mark = if ui.dry_run { Mark::Plan } else { Mark::Good };
    lines(&news, ui.dry_run).iter().for_each(|line| ui.marked(mark, line));
    match (written, ui.dry_run) {
        (false, _) if policy.file.is_none() => ui.line("no tools are known, so there is no policy yet"),
        (false, _) => ui.line(format!("{name} is as it should be: {}", rules(&policy))),
        (true, true) => {}
        (true, false) => ui.line(format!("{name} is up to date: {}", rules(&policy))),
    }
    tell_exports(home, ui, exported)
}

fn rules(policy: &PolicyFile) -> String {
    counted(policy.policy.rules().len(), "tool")
}

fn refused(home: &Home, error: &MergeError) -> Failure {
    let name = home.short(&home.dirs.policy());
    let failure = Failure::new(Code::BadFile, "sync the policy");
    match error {
        MergeError::Unreadable(error) => {
            let problem = Problem::error(error.reason.to_string()).at(error.place).help(error.help());
            failure.because("the policy file is wrong").with_problems(&name, [problem])
        }
        MergeError::Refused(refusal) => failure.because(refusal).hint(refusal.help()),
        MergeError::Splice(error) => failure.because(error).hint("please report this with the file"),
    }
}

/// Returns what has changed, or would: tool by tool where they are few, else how many.
fn lines(news: &[News], would: bool) -> Vec<String> {
    let mut groups: BTreeMap<(&str, usize), Vec<&News>> = BTreeMap::new();
    for one in news {
        groups.entry((&one.server, order(one.what))).or_default().push(one);
    }
    let line = |((server, _), group): ((&str, usize), Vec<&News>)| {
        let what = match (group.first()?.what, would) {
            (What::Added, false) => "added",
            (What::Added, true) => "would be added",
            (What::Changed, false) => "changed",
            (What::Changed, true) => "would change",
            (What::Gone, false) => "gone, kept as a comment",
            (What::Gone, true) => "would go, kept as a comment",
            (What::Back, false) => "back, as it was",
            (What::Back, true) => "would come back, as it was",
            (What::Dropped, false) => "dropped, gone for long",
            (What::Dropped, true) => "would be dropped, gone for long",
        };
        let who = if group.len() > FEW {
            counted(group.len(), "tool")
        } else {
            group.iter().map(|one| format!("`{}`", plain(&one.tool))).collect::<Vec<_>>().join(", ")
        };
        Some(format!("{}: {who} {what}", plain(server)))
    };
    groups.into_iter().filter_map(line).collect()
}

fn order(what: What) -> usize {
    match what {
        What::Added => 0,
        What::Changed => 1,
        What::Back => 2,
        What::Gone => 3,
        What::Dropped => 4,
    }
}

/// Brings other applications' files in step with what is in force; what is the matter with our memory of them is told.
///
/// # Errors
/// Our own state cannot be kept.
pub(super) fn export(
    known: &Known,
    home: &Home,
    policy: &PolicyFile,
    judged: &[Judged],
    dry_run: bool,
) -> Result<(Vec<Exported>, Option<String>), Failure> {
    let settings = &home.settings.value.policy.export;
    if settings.is_empty() || !home.settings.is_good() {
        return Ok((Vec::new(), None));
    }
    let (mut exports, note) = Exports::load(home)?;
    let mut all = Vec::new();
    for settings in settings {
        let not_written = |why: &str, hint: String| Exported {
            server: settings.server.clone(),
            path: settings.path.clone().into(),
            came: Came::NotWritten { why: why.to_owned(), hint: Some(hint) },
        };
        let Some(one) = judged.iter().find(|one| one.server == settings.server) else {
            let hint = "name another under `[[policy.export]]` in the settings, or add it with `switchboard server add`";
            all.push(not_written("there is no server of that name", hint.to_owned()));
            continue;
        };
        all.push(if let Some(tools) = one.exported(known, &policy.policy) {
            exports.keep(home, settings, &tools, dry_run)?
        } else {
            let server = crate::approval::quoted(&settings.server);
            let hint = format!("see `switchboard server show {server}`");
            not_written("it is not known yet what the server offers", hint)
        });
    }
    Ok((all, note))
}

fn as_json(exported: &Exported) -> serde_json::Value {
    let Exported { server, path, came } = exported;
    let mut value = json!({ "server": server, "path": path });
    match came {
        Came::InStep => value["state"] = "in step".into(),
        Came::Written { tools: (had, has), repairs, created } => {
            value["state"] = "written".into();
            value["tools"] = json!({ "before": had, "after": has });
            value["repairs"] = json!(repairs);
            value["created"] = json!(created);
        }
        Came::Wrong(problem) => {
            value["state"] = "wrong".into();
            value["problem"] = json!(problem);
        }
        Came::NotWritten { why, hint } => {
            value["state"] = "not written".into();
            value["why"] = why.as_str().into();
            value["hint"] = json!(hint);
        }
    }
    value
}

/// Tells what became of other applications' files; each that is not as it should be is told, and the worst is how it ends.
///
/// # Errors
/// One of them is wrong, or could not be written.
pub(super) fn tell_exports(home: &Home, ui: &Ui, (exported, note): (Vec<Exported>, Option<String>)) -> Done {
    if let Some(note) = note {
        ui.note(format!("warning: {note}"));
    }
    let mut failure: Option<Failure> = None;
    for Exported { server, path, came } in exported {
        let name = home.short(&path);
        match came {
            Came::InStep => {}
            Came::Written { tools: (had, has), repairs, created } => {
                let (mark, would) = if ui.dry_run { (Mark::Plan, "would be ") } else { (Mark::Good, "") };
                let made = if created { format!(", the file {would}made") } else { String::new() };
                ui.marked(mark, format!("{name}: tools of {}: {had} → {has}{made}", plain(&server)));
                for repair in repairs {
                    let what = match repair {
                        Repair::ByteOrderMark => "a byte-order mark at its start".to_owned(),
                        Repair::TrailingComma { line } => format!("a comma too many in line {line}"),
                    };
                    ui.marked(mark, format!("{name}: {would}mended: {what}"));
                }
            }
            Came::Wrong(problem) => {
                let failed = failure.get_or_insert_with(|| Failure::new(Code::BadFile, "write every export"));
                failed.code = Code::BadFile;
                failed.problems.push((name, problem));
            }
            Came::NotWritten { why, hint } => {
                failure.get_or_insert_with(|| Failure::failed("write every export"));
                ui.note(format!("{name} with the tools of {} is not written: {why}", plain(&server)));
                if let Some(hint) = hint {
                    ui.hint(hint);
                }
            }
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}
