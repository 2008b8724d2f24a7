//! `policy set`: a person's word about one tool, written into the policy file as they would write it.

use switchboard_core::document::{Change as Edit, Document, Format, Step};
use switchboard_core::nearest::nearest;
use switchboard_core::policy::explain;
use switchboard_core::policy::merge::HEAD;
use switchboard_core::problem::Problem;
use switchboard_core::value::Value;

use super::judged::{self, Judged};
use super::{show, sync};
use crate::change::show_difference;
use crate::cmd::server::shown;
use crate::cmd::tool::{Known, find};
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::policy::{Act, Change, PolicyFile};
use crate::ui::Ui;

/// What can be said of a tool.
const KEYS: [&str; 9] =
    ["risk", "decision", "timeout", "hard_timeout", "cache", "cache_ttl", "permission", "rate", "enabled"];

/// One thing that is said: the key of the file, and what stands there; `None` for nothing.
struct Word {
    key: &'static str,
    value: Option<Value>,
}

/// Writes what a person says of a tool.
///
/// # Errors
/// There is no such tool, the words say nothing that a policy could, or the file is wrong or cannot be written.
pub(super) fn set(known: &mut Known, home: &Home, ui: &Ui, tool: &str, values: &[String]) -> Done {
    let item = find::find(known, &[tool.to_owned()], "policy set")?;
    let words: Vec<Word> = values.iter().map(|value| read(value)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) =
        words.iter().enumerate().find(|(at, word)| words[..*at].iter().any(|one| one.key == word.key))
    {
        return Err(Failure::usage(format!("set the policy of `{}`", shown(tool)))
            .because(format!("`{}` is said twice", twice.1.key))
            .hint("say each key once"));
    }
    home.check_settings()?;
    let mut policy = PolicyFile::look(home)?;
    policy.check(home, "change the policy")?;
    policy.tell(home, ui);
    let (server, tool) = (item.line.server.clone(), item.line.name.clone());
    let before = policy.text().unwrap_or_default().to_owned();
    let begun = if before.trim().is_empty() { format!("{before}{HEAD}") } else { before.clone() };
    let document =
        Document::parse(&begun, Format::Toml).map_err(|error| wrong(&error.to_string(), error.help()))?;
    let edits = edits(&document, &server, &tool, &words);
    let text = document.revised(&edits).map_err(|error| wrong(&error.to_string(), error.help()))?;
    let parsed = switchboard_core::policy::parse(&text);
    if let Some(problem) = parsed.problems.iter().find(|problem| problem.is_error()) {
        let failure = Failure::usage(format!("set the policy of `{}`", shown(&tool))).because(&problem.what);
        return Err(problem.help.iter().fold(failure, Failure::hint));
    }
    let mut base = policy.record.base.clone();
    for word in &words {
        base.give(&server, &tool, word.key);
    }
    let name = home.short(&home.dirs.policy());
    if ui.dry_run {
        show_difference(ui, &name, &before, &text);
        return Ok(());
    }
    if text == before {
        policy.rebase(home, base)?;
    } else {
        let done = vec![format!("set {} of `{}` of `{server}`", values.join(" "), tool.escape_debug())];
        let text = Some(text.into_bytes());
        let told = std::mem::take(&mut policy.problems);
        policy.put(home, Change { text, base, act: Act::Set, done })?;
        let is_new = |problem: &&Problem| told.iter().all(|told| told.what != problem.what);
        policy.problems.iter().filter(is_new).for_each(|problem| ui.problem(&name, problem));
    }
    if let Some(proposal) = judged::of(known, &item) {
        let usual = home.settings.value.policy.usual();
        let explanation = explain(&policy.policy, &policy.record.base, &server, &proposal, usual);
        ui.json(&show::as_json(&explanation));
        show::tell(&explanation, ui);
    }
    let judged = Judged::all(known);
    let exported = sync::export(known, home, &policy, &judged, false)?;
    sync::tell_exports(home, ui, exported)
}

fn wrong(why: &str, help: &str) -> Failure {
    Failure::new(Code::BadFile, "change the policy").because(why).hint(help)
}

/// Reads `KEY=VALUE`.
fn read(said: &str) -> Result<Word, Failure> {
    let failed = || Failure::usage(format!("understand `{}`", shown(said)));
    let Some((key, value)) = said.split_once('=') else {
        return Err(failed().because("it has no `=`").hint("write KEY=VALUE, such as decision=ask"));
    };
    let (key, value) = (key.trim(), value.trim());
    let nothing = matches!(value, "" | "none");
    let text = || Some(Value::text(value));
    let yes = match value {
        "true" | "on" | "yes" => Some(true),
        "false" | "off" | "no" => Some(false),
        _ => None,
    };
    let (key, value) = match (key, yes) {
        ("risk", _) => ("risk", text()),
        ("decision", _) => ("decision", text()),
        ("timeout", _) => ("timeout", text()),
        ("hard_timeout", _) => ("hard_timeout", if nothing { None } else { text() }),
        ("rate", _) => ("rate", if nothing { None } else { text() }),
        // Whether and for how long is one line of the file.
        ("cache" | "cache_ttl", Some(true)) => ("cache_ttl", Some(Value::text("60s"))),
        ("cache" | "cache_ttl", Some(false)) => ("cache_ttl", Some(Value::text("0s"))),
        ("cache" | "cache_ttl", None) if nothing => ("cache_ttl", Some(Value::text("0s"))),
        ("cache" | "cache_ttl", None) => ("cache_ttl", text()),
        ("permission" | "permissions", _) if nothing => ("permission", Some(Value::List(Vec::new()))),
        ("permission" | "permissions", _) if value.contains(',') => {
            ("permission", Some(Value::texts(value.split(',').map(|one| one.trim().to_owned()))))
        }
        ("permission" | "permissions", _) => ("permission", text()),
        ("enabled", Some(yes)) => ("enabled", Some(Value::Bool(yes))),
        ("enabled", None) => {
            return Err(failed()
                .because("it is neither true nor false")
                .hint("write enabled=false, or enabled=true"));
        }
        (other, _) => {
            let failure = failed().because(format!("`{}` is nothing that is said of a tool", shown(other)));
            return Err(match nearest(other, KEYS) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint(format!("these are: {}", KEYS.join(", "))),
            });
        }
    };
    Ok(Word { key, value })
}

/// What changes in the file.
fn edits(document: &Document<'_>, server: &str, tool: &str, words: &[Word]) -> Vec<Edit> {
    let table = [Step::key("tools"), Step::key(server), Step::key(tool)];
    let path = |key: &str| table.iter().cloned().chain([Step::key(key)]).collect::<Vec<_>>();
    let has = |key: &str| document.at(&path(key)).is_some();
    let mut edits = Vec::new();
    for word in words {
        let (key, other) = match (&word.value, word.key) {
            // One permission and several of them have keys of their own, and only one of the two may be there.
            (Some(Value::List(_)), "permission") => ("permissions", Some("permission")),
            (_, "permission") => ("permission", Some("permissions")),
            (_, key) => (key, None),
        };
        edits.extend(other.filter(|other| has(other)).map(|other| Edit::remove(path(other))));
        match &word.value {
            Some(value) => edits.push(Edit::set(path(key), value.clone())),
            None if has(key) => edits.push(Edit::remove(path(key))),
            None => {}
        }
    }
    edits
}
