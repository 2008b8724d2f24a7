//! What the program says of every tool of the servers, as somebody who types the commands would see it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::servers;
use crate::home;
use crate::process::free_port;
use crate::steps::program;

/// Fewer tools than these are not all.
const AT_LEAST: usize = 60;

/// A tool, and what is proposed for it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) server: String,
    pub(super) tool: String,
    pub(super) risk: String,
    pub(super) decision: String,
    pub(super) timeout: String,
    pub(super) cache: String,
    pub(super) permission: String,
    /// The sentences that say why.
    pub(super) why: Vec<String>,
}

/// Has the servers asked in a fresh home, and returns what is proposed for every tool.
///
/// # Errors
/// A server does not answer, or the commands contradict each other.
pub(super) fn all(folder: &Path) -> Result<Vec<Judged>, String> {
    let home = folder.join("home");
    let catalogue = servers::catalogue(folder)?;
    home::make(&home, &catalogue, free_port()?, "\n[policy]\ncache = true\n")?;
    print!("{}", ask(&home, &["sync"])?);
    print!("{}", ask(&home, &["policy", "sync"])?);
    let shown = list(&home, &["policy", "show", "--json"])?;
    let listed = list(&home, &["tool", "list", "--json"])?;
    let names = |tools: &[Value], key: &str| -> BTreeSet<(String, String)> {
        tools.iter().map(|tool| (text(&tool["server"]), text(&tool[key]))).collect()
    };
    let (of_policy, of_list) = (names(&shown, "tool"), names(&listed, "name"));
    if of_policy != of_list {
        let other: Vec<_> = of_policy.symmetric_difference(&of_list).collect();
        return Err(format!("`policy show` and `tool list` do not have the same tools: {other:?}"));
    }
    if shown.len() < AT_LEAST {
        return Err(format!("only {} tools are known", shown.len()));
    }
    shown.iter().map(|shown| explained(&home, shown)).collect()
}

/// Explains one tool, which must come to what `policy show` says.
fn explained(home: &Path, shown: &Value) -> Result<Judged, String> {
    let (server, tool) = (text(&shown["server"]), text(&shown["tool"]));
    let told = ask(home, &["policy", "explain", &server, &tool, "--json"])?;
    let told: Value = serde_json::from_str(&told).map_err(|error| format!("{server}/{tool}: {error}"))?;
    if told != *shown {
        return Err(format!("{server}/{tool}: `policy explain` says {told}, `policy show` {shown}"));
    }
    // What holds comes first, then one sentence for each reason.
    let reasons = told["reasons"].as_array().map_or(0, Vec::len);
    let sentences: Vec<String> = told["sentences"].as_array().into_iter().flatten().map(text).collect();
    let why = sentences[sentences.len().saturating_sub(reasons)..].to_vec();
    let value = |key: &str| text(&told["values"][key]);
    let judged = Judged {
        risk: value("risk"),
        decision: value("decision"),
        timeout: value("timeout"),
        cache: value("cache_ttl"),
        permission: value("permission"),
        server,
        tool,
        why,
    };
    if judged.why.is_empty()
        || judged.risk.is_empty()
        || (judged.risk == "safe") != judged.permission.is_empty()
    {
        return Err(format!("this is no proposal: {judged:?}"));
    }
    Ok(judged)
}

fn list(home: &Path, words: &[&str]) -> Result<Vec<Value>, String> {
    serde_json::from_str(&ask(home, words)?)
        .map_err(|error| format!("switchboard {}: {error}", words.join(" ")))
}

/// Runs a command in a home, which has to succeed, and returns what it says.
///
/// # Errors
/// It does not succeed.
pub(super) fn ask(home: &Path, words: &[&str]) -> Result<String, String> {
    let typed = format!("switchboard {}", words.join(" "));
    let output = Command::new(program("switchboard")?).args(words).env("SWITCHBOARD_HOME", home).output();
    let output = output.map_err(|error| format!("{typed}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("`{typed}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The text that a value is; nothing where it is none.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
