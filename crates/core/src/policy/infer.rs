//! What a tool's name, schema and annotations say about it.

use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::script::is_disguised;
use super::skeleton::{is_hidden, skeleton};
use super::verbs::{connects, is_filler, is_fleeting, looks_at_many, looks_at_one, sight};
use super::words::words;
use super::{Decision, Decisions, Permission, Reason, Risk, Tool, Verb, Verbs};
use crate::value::Value;

/// Parameters in which a tool takes something to run. `code` is too often a number of something.
const PROGRAMS: [&str; 7] = ["command", "cmd", "script", "sql", "shell", "shell_command", "bash"];

/// The same for a tool whose name does not say what it does.
const PROGRAMS_OF_UNKNOWN: [&str; 2] = ["code", "javascript"];

/// Parameters that say what a tool of many trades is to do.
const TRADES: [&str; 7] = ["action", "method", "operation", "op", "verb", "command", "mode"];

/// The longest resource of a permission, in bytes.
const LONGEST_RESOURCE: usize = 64;

/// Where a tool is offered, and what else counts for it.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'s> {
    /// The server that offers it, as the catalogue calls it.
    pub server: &'s str,
    /// The catalogue trusts what that server says of its tools.
    pub trust: bool,
    /// How long the catalogue lets a call to that server take.
    pub timeout: Option<Duration>,
    /// The verbs.
    pub verbs: &'s Verbs,
    /// What is decided on each risk.
    pub decisions: Decisions,
}

/// What is proposed for a tool, with the reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The name of the tool.
    pub tool: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// What becomes of a call.
    pub decision: Decision,
    /// How long a call may be silent.
    pub timeout: Duration,
    /// How long a result may be given again; `None` for never.
    pub cache_ttl: Option<Duration>,
    /// What a caller must hold; `None` for nothing.
    pub permission: Option<Permission>,
    /// What spoke for it, in the order in which it was looked at.
    pub reasons: Vec<Reason>,
}

/// Returns what is proposed for `tool`.
///
/// 1. Every word of the name counts, and the riskiest verb wins. A name without a known verb is medium, unless it says
///    nothing but what is to be seen: `status`, `pods_log`.
/// 2. Verbs count in their plain form alone: `deletes` and `settings` are nouns, `deleted` is a quality.
/// 3. A verb that can be a noun (`run`, `update`, `merge`) is one behind a verb that looks at one thing
///    (`get_workflow_run`), and behind one that looks at many where a plural ends the name (`list_merge_requests`).
///    Behind `and`, `or` and `then` it is a verb again. Where that leaves a doubt, it is a verb.
/// 4. What it takes may raise a risk: something to run, or the choice among actions one of which is riskier.
/// 5. The annotations may raise it; `readOnlyHint` lowers it for a server that the catalogue trusts, and for no other.
/// 6. Of what is another the next moment (`get_current_time`) no result is given again.
pub fn infer(tool: &Tool, setting: &Setting<'_>) -> Proposal {
    judged(tool, setting, false)
}

/// Returns what is proposed for a tool as its server wrote it.
///
/// One that readers could read in different ways is high: whatever its schema would tell of it is not known.
pub fn infer_raw(name: &str, raw: &[u8], setting: &Setting<'_>) -> Proposal {
    let read = std::str::from_utf8(raw).ok().and_then(|raw| Tool::parse(raw).ok());
    match read.filter(|tool| tool.name == name) {
        Some(tool) => judged(&tool, setting, false),
        None => judged(&Tool::named(name), setting, true),
    }
}

fn judged(tool: &Tool, setting: &Setting<'_>, unread: bool) -> Proposal {
    let mut reasons = Vec::new();
    let read = Name::read(&tool.name, setting, &mut reasons);
    let mut risk = read.risk;
    let mut raise = |to: Risk, reason: Reason| {
        if to > risk {
            risk = to;
            reasons.push(reason);
        }
    };
    if read.disguised {
        raise(Risk::Medium, Reason::Disguised);
    }
    if unread {
        raise(Risk::High, Reason::Unread);
    }
    for (parameter, value, risk) in trades(tool, setting.verbs) {
        raise(risk, Reason::MayDo { parameter, value, risk });
    }
    if let Some(parameter) = program(tool, read.known) {
        let to = if read.known { Risk::Medium } else { Risk::High };
        raise(to, Reason::TakesProgram { parameter });
    }
    let destructive = tool.claims("destructiveHint") == Some(true);
    if destructive {
        raise(Risk::High, Reason::Destructive);
    }
    match tool.claims("readOnlyHint") {
        Some(false) => raise(Risk::Medium, Reason::NotReadOnly),
        Some(true) if risk > Risk::Safe && !destructive => {
            if setting.trust {
                risk = Risk::Safe;
                reasons.push(Reason::TrustedReadOnly);
            } else {
                reasons.push(Reason::ReadOnlyIgnored);
            }
        }
        _ => {}
    }
    let fleeting = read.fleeting.filter(|_| risk.cache_ttl().is_some());
    let cache_ttl = risk.cache_ttl().filter(|_| fleeting.is_none());
    reasons.extend(fleeting.map(|word| Reason::Fleeting { word }));
    let decision = setting.decisions.on(risk);
    if decision != Decisions::default().on(risk) {
        reasons.push(Reason::DecisionOfSettings);
    }
    if setting.timeout.is_some() {
        reasons.push(Reason::TimeoutOfServer);
    }
    let permission = (risk > Risk::Safe)
        .then(|| Permission::of(setting.server, &read.resource, read.action.as_deref().unwrap_or("call")));
    Proposal {
        tool: tool.name.clone(),
        risk,
        decision,
        timeout: setting.timeout.unwrap_or(risk.timeout()),
        cache_ttl,
        permission,
        reasons,
    }
}

/// What a name says by itself.
struct Name {
    risk: Risk,
    /// A word of it is a verb.
    known: bool,
    /// What it does, where that is more than to look.
    action: Option<String>,
    resource: String,
    disguised: bool,
    /// A word for what is another the next moment.
    fleeting: Option<String>,
}

impl Name {
    fn read(name: &str, setting: &Setting<'_>, reasons: &mut Vec<Reason>) -> Self {
        let disguised = name.contains(is_hidden) || is_disguised(name);
        let words = if disguised { words(&skeleton(name)) } else { words(name) };
        // A server often puts its own name before those of its tools.
        let own = words.iter().zip(self::words(setting.server)).take_while(|(a, b)| *a == b).count();
        let judged = Judged::of(&words, setting.verbs);
        for (word, behind) in &judged.nouns {
            reasons.push(Reason::Noun { word: (*word).to_owned(), behind: (*behind).to_owned() });
        }
        let risk = match (judged.riskiest, sight(words.get(own..).unwrap_or_default())) {
            (Some((word, verb)), _) => {
                reasons.push(Reason::Verb { word: word.to_owned(), risk: verb.risk, own: verb.own });
                verb.risk
            }
            (None, Some(word)) => {
                reasons.push(Reason::Sight { word: word.to_owned() });
                Risk::Safe
            }
            (None, None) => {
                reasons.push(Reason::Unknown);
                Risk::Medium
            }
        };
        // A verb that only looks is no name for what needs a permission all the same, so the whole name tells what it is.
        let acts = judged.riskiest.map(|(_, verb)| verb).filter(|verb| verb.risk > Risk::Safe);
        let rest =
            if acts.is_some() { judged.rest } else { words.iter().map(String::as_str).enumerate().collect() };
        let rest: Vec<&str> = rest
            .into_iter()
            .filter(|(at, word)| *at >= own && !is_filler(word))
            .map(|(_, word)| word)
            .collect();
        Self {
            risk,
            known: judged.riskiest.is_some(),
            action: acts.map(|verb| verb.action.clone()),
            resource: bounded(rest.join("_")),
            disguised,
            fleeting: words.iter().find(|word| is_fleeting(word)).cloned(),
        }
    }
}

/// The words of a name, told apart.
struct Judged<'w> {
    riskiest: Option<(&'w str, &'w Verb)>,
    /// Those that could be verbs and are not, each with the verb before it.
    nouns: Vec<(&'w str, &'w str)>,
    /// Those that are no verbs, or are what another verb is about, by their places.
    rest: Vec<(usize, &'w str)>,
}

impl<'w> Judged<'w> {
    fn of(words: &'w [String], verbs: &'w Verbs) -> Self {
        let mut judged = Self { riskiest: None, nouns: Vec::new(), rest: Vec::new() };
        let many = words.last().is_some_and(|last| last.ends_with('s'));
        let mut acts: Vec<(usize, &str, &Verb)> = Vec::new();
        let mut in_doubt = false;
        for (at, word) in words.iter().enumerate() {
            in_doubt |= connects(word);
            let Some(verb) = verbs.get(word).or_else(|| risky_by_looks(word, verbs)) else {
                judged.rest.push((at, word));
                continue;
            };
            // Only a name whose first verb looks is about nothing else.
            let lead = acts.first().map(|(_, lead, _)| *lead);
            let behind = lead
                .filter(|lead| looks_at_one(lead) || (looks_at_many(lead) && many && at + 1 < words.len()));
            if let (Some(behind), true, false) = (behind, verb.noun, in_doubt) {
                judged.nouns.push((word, behind));
                judged.rest.push((at, word));
                continue;
            }
            acts.push((at, word, verb));
        }
        // Of several that are as risky the first.
        let riskiest = acts.iter().rev().max_by_key(|(_, _, verb)| verb.risk).copied();
        judged.riskiest = riskiest.map(|(_, word, verb)| (word, verb));
        // `create_pull_request` counts as whatever it may be, and is about what it says.
        let is_noun =
            |(at, _, verb): &(usize, &str, &Verb)| verb.noun && riskiest.is_some_and(|act| act.0 != *at);
        let about = acts.iter().filter(|act| !in_doubt && is_noun(act));
        judged.rest.extend(about.map(|(at, word, _)| (*at, *word)));
        judged.rest.sort_by_key(|(at, _)| *at);
        judged
    }
}

/// A word that looks like a verb that changes something is one; one that only looks harmless is not.
fn risky_by_looks<'v>(word: &str, verbs: &'v Verbs) -> Option<&'v Verb> {
    if word.is_ascii() {
        return None;
    }
    verbs.get(&skeleton(word)).filter(|verb| verb.risk > Risk::Safe)
}

/// A resource is never empty, and never so long that two of them are cut to one.
fn bounded(mut resource: String) -> String {
    if resource.is_empty() {
        return "any".to_owned();
    }
    if resource.len() > LONGEST_RESOURCE {
        let hash = Sha256::digest(resource.as_bytes());
        let mut end = LONGEST_RESOURCE - 9;
        while !resource.is_char_boundary(end) {
            end -= 1;
        }
        resource.truncate(end);
        resource.push('_');
        for byte in hash.iter().take(4) {
            let _ = write!(resource, "{byte:02x}");
        }
    }
    resource
}

fn parameters(tool: &Tool) -> &[(String, Value)] {
    match tool.input_schema.as_ref().and_then(|schema| schema.get("properties")) {
        Some(Value::Map(members)) => members,
        _ => &[],
    }
}

/// The parameter in which a tool takes something to run.
fn program(tool: &Tool, known: bool) -> Option<String> {
    let takes = |name: &str| PROGRAMS.contains(&name) || (!known && PROGRAMS_OF_UNKNOWN.contains(&name));
    let mut found = parameters(tool).iter();
    // One of a few words is a choice, not a program.
    let found = found.find(|(name, schema)| takes(&name.to_lowercase()) && choices(schema).is_empty());
    found.map(|(name, _)| name.clone())
}

/// What a tool of many trades can be told to do.
fn trades(tool: &Tool, verbs: &Verbs) -> Vec<(String, String, Risk)> {
    let mut all = Vec::new();
    for (name, schema) in parameters(tool) {
        if !TRADES.contains(&name.to_lowercase().as_str()) {
            continue;
        }
        for value in choices(schema) {
            let words = words(value);
            all.extend(
                Judged::of(&words, verbs)
                    .riskiest
                    .map(|(_, verb)| (name.clone(), value.to_owned(), verb.risk)),
            );
        }
    }
    all.sort_by_key(|(_, _, risk)| std::cmp::Reverse(*risk));
    all
}

/// The texts among which a schema lets choose.
fn choices(schema: &Value) -> Vec<&str> {
    let list = |key: &str| match schema.get(key) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let constants = ["oneOf", "anyOf"].into_iter().flat_map(list);
    let constants = constants.filter_map(|item| item.get("const")).chain(schema.get("const"));
    list("enum").iter().chain(constants).filter_map(Value::as_text).collect()
}

#[cfg(test)]
mod tests;
