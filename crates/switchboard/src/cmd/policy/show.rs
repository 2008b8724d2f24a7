//! `policy show` and `policy explain`: what is in force, and why.

use std::collections::BTreeMap;

use serde_json::json;
use switchboard_core::policy::{Explanation, Part, Source, explain as explained};

use switchboard_core::settings::OnChange;

use super::judged::{self, Judged};
use crate::approval::quoted;
use crate::cmd::server::shown;
use crate::cmd::tool::{Known, find};
use crate::fail::{Done, Failure};
use crate::pins;
use crate::policy::PolicyFile;
use crate::ui::{Mark, Ui, plain};

/// Shows what is in force: of all tools, of those of one server, or of one.
///
/// # Errors
/// There is no such server or tool.
pub(super) fn show(known: &mut Known, ui: &Ui, which: Option<&str>) -> Done {
    let policy = PolicyFile::look(&known.home)?;
    policy.tell(&known.home, ui);
    let one = match which {
        Some(word) if known.home.catalogue.catalogue.server(word).is_none() => {
            let item = find::find(known, &[word.to_owned()], "policy show").map_err(|failure| Failure {
                what: format!("find server or tool `{}`", shown(word)),
                ..failure
            })?;
            Some((item.line.server, Some(item.line.name)))
        }
        which => which.map(|server| (server.to_owned(), None)),
    };
    let usual = known.home.settings.value.policy.usual();
    let mut all = Vec::new();
    for Judged { server, tools, .. } in Judged::all(known) {
        for proposal in tools.into_iter().flatten() {
            let is_meant = one.as_ref().is_none_or(|(of, tool)| {
                *of == server && tool.as_ref().is_none_or(|tool| *tool == proposal.tool)
            });
            if is_meant {
                all.push(explained(&policy.policy, &policy.record.base, &server, &proposal, usual));
            }
        }
    }
    ui.json(&all.iter().map(as_json).collect::<Vec<_>>());
    if all.is_empty() {
        ui.line("no tools are known");
        ui.hint("`switchboard sync` asks the servers what they offer");
    } else {
        ui.table(
            ["SERVER", "TOOL", "RISK", "DECISION", "TIMEOUT", "CACHE", "PERMISSION", "WHO SAYS IT"],
            all.iter().map(row),
        );
    }
    if !known.home.settings.value.policy.enforce {
        ui.hint("`enforce = false` stands under `[policy]` in the settings, so nobody is held to it");
    }
    known.tell_stale(ui, |name| one.as_ref().is_none_or(|(server, _)| server == name));
    Ok(())
}

/// Explains one tool.
///
/// # Errors
/// There is no such tool.
pub(super) fn explain(known: &mut Known, ui: &Ui, words: &[String]) -> Done {
    let item = find::find(known, words, "policy explain")?;
    let policy = PolicyFile::look(&known.home)?;
    policy.tell(&known.home, ui);
    let Some(proposal) = judged::of(known, &item) else { return Ok(()) };
    let usual = known.home.settings.value.policy.usual();
    let explanation = explained(&policy.policy, &policy.record.base, &item.line.server, &proposal, usual);
    ui.json(&as_json(&explanation));
    ui.heading(format!("{} of {}", plain(&explanation.tool), plain(&explanation.server)));
    let file = known.home.short(&known.home.dirs.policy());
    match explanation.line {
        Some(line) if !policy.last_good => ui.line(format!("its table is in {file}:{line}")),
        Some(_) => {}
        None => ui.line(format!("it has no table in {file}, so what is proposed holds")),
    }
    for sentence in explanation.sentences() {
        ui.line(plain(&sentence));
    }
    let pins = pins::told(&known.home, ui)?;
    let pinned = pins.get(&item.line.server, &item.line.name);
    if pinned.is_some_and(|pinned| pinned.change.is_some()) {
        let waits = known.home.settings.value.policy.on_change == OnChange::Quarantine;
        let what = if waits { ", and is not called until you approve it" } else { "" };
        ui.marked(Mark::Warn, format!("its definition has changed since it was approved{what}"));
        let word = quoted(&format!("{}/{}", item.line.server, item.line.name));
        ui.hint(format!("see what has changed with `switchboard tool show {word}`, then `switchboard policy approve {word}`"));
    }
    known.tell_stale(ui, |name| name == item.line.server);
    if explanation.line.is_none() && !policy.last_good {
        ui.hint("`switchboard policy sync` writes one");
    }
    Ok(())
}

/// Returns what holds for a tool, and why, for programs.
pub(super) fn as_json(explanation: &Explanation) -> serde_json::Value {
    let mut value = json!(explanation);
    value["values"] = explanation.parts.iter().map(|part| (part.key.to_owned(), json!(part.value))).collect();
    value["person"] = (!said_by_person(explanation).is_empty()).into();
    value["sentences"] = json!(explanation.sentences());
    value
}

fn row(explanation: &Explanation) -> [String; 8] {
    let values: BTreeMap<&str, &str> =
        explanation.parts.iter().map(|part| (part.key, part.value.as_deref().unwrap_or_default())).collect();
    let value = |key: &str| values.get(key).copied().unwrap_or_default();
    let off = value("enabled") == "false";
    let person = said_by_person(explanation);
    [
        plain(&explanation.server),
        plain(&explanation.tool),
        value("risk").to_owned(),
        if off { "off" } else { value("decision") }.to_owned(),
        value("timeout").to_owned(),
        value("cache_ttl").to_owned(),
        plain(value("permission")),
        if person.is_empty() { "proposed".to_owned() } else { format!("you: {}", person.join(", ")) },
    ]
}

/// Returns the keys that are a person's word.
fn said_by_person(explanation: &Explanation) -> Vec<&'static str> {
    let is_theirs = |part: &&Part| matches!(part.source, Source::Person { .. } | Source::TakenOut { .. });
    explanation.parts.iter().filter(is_theirs).map(|part| part.key).collect()
}

/// Says what holds for a tool now.
pub(super) fn tell(explanation: &Explanation, ui: &Ui) {
    let said: Vec<String> = explanation
        .parts
        .iter()
        .filter(|part| matches!(part.source, Source::Person { .. }))
        .map(|part| format!("{} {}", part.key, plain(part.value.as_deref().unwrap_or("none"))))
        .collect();
    let (tool, server) = (plain(&explanation.tool), plain(&explanation.server));
    ui.marked(Mark::Good, format!("{tool} of {server}: your words are {}", said.join(", ")));
}
