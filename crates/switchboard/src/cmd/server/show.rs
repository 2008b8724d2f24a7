//! How servers are shown, in words and as JSON.

use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use switchboard_core::name::ServerName;

use super::{feed, known, login};
use crate::approval::{in_full, quoted};
use crate::fail::Done;
use crate::home::Home;
use crate::live::{Coming, Live};
use crate::login::{Login, Logins};
use crate::ui::{Mark, Ui};

/// Lists the servers.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
pub(super) fn list(home: &Home, ui: &Ui, live: &[Live]) -> Done {
    let servers = home.catalogue.catalogue.servers();
    let of = |server: &Server| live.iter().find(|live| live.name == server.name.as_str());
    ui.json(&servers.iter().map(|server| with_live(as_json(home, server), of(server))).collect::<Vec<_>>());
    crate::cmd::status::catalogue_problems(home, ui);
    if servers.is_empty() {
        ui.line("the catalogue is empty");
        ui.hint("add a server with `switchboard server add NAME -- COMMAND`, or take those of your clients over with `switchboard up`");
        return Ok(());
    }
    if !live.is_empty() {
        ui.table(
            ["SERVER", "STATE", "UP", "TOOLS", "CALLS", "P50 / P99", "MEMORY", "LAUNCH"],
            servers.iter().map(|server| {
                let live = of(server);
                let said = |what: fn(&Live) -> String| live.map_or_else(String::new, what);
                [
                    server.name.to_string(),
                    live.map_or(if server.enabled { "not served yet" } else { "disabled" }, |live| {
                        live.state.as_str()
                    })
                    .to_owned(),
                    said(Live::uptime),
                    said(|live| live.tools.map_or_else(String::new, |tools| tools.to_string())),
                    said(Live::calls),
                    said(Live::times),
                    said(Live::memory),
                    brief(&server.launch),
                ]
            }),
        );
        for live in live {
            let coming = live.coming.as_ref().map(Coming::sentence);
            for trouble in live.trouble.iter().chain(&coming) {
                ui.marked(Mark::Warn, format!("{}: {trouble}", live.name));
            }
        }
        return Ok(());
    }
    ui.table(
        ["SERVER", "STATE", "LAUNCH", "TAGS"],
        servers.iter().map(|server| {
            [
                server.name.to_string(),
                if server.enabled { "enabled" } else { "disabled" }.to_owned(),
                brief(&server.launch),
                server.tags.join(" "),
            ]
        }),
    );
    Ok(())
}

/// Returns a launch in one line, without values that may be secrets.
pub(crate) fn brief(launch: &Launch) -> String {
    match launch {
        Launch::Stdio { command, args, .. } => {
            std::iter::once(command).chain(args).map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
        }
        Launch::Remote { url, .. } => url.clone(),
    }
}

/// Returns a server as JSON: references stay references, and no value of a variable or header is shown.
fn as_json(home: &Home, server: &Server) -> serde_json::Value {
    let mut value = match &server.launch {
        Launch::Stdio { command, args, env, cwd } => json!({
            "type": "stdio", "command": command, "args": args, "env": env.keys().collect::<Vec<_>>(), "cwd": cwd,
        }),
        Launch::Remote { kind, url, headers } => json!({
            "type": match kind { Remote::Http => "http", Remote::Sse => "sse" },
            "url": url, "headers": headers.keys().collect::<Vec<_>>(),
        }),
    };
    value["name"] = server.name.as_str().into();
    value["enabled"] = server.enabled.into();
    value["description"] = json!(server.description);
    value["tags"] = json!(server.tags);
    value["fingerprint"] = server.launch.fingerprint().to_string().into();
    if let Some(feed) = &server.feed {
        value["feed"] = json!({
            "url": feed.url,
            "timeout_ms": u64::try_from(feed.timeout.as_millis()).unwrap_or(u64::MAX),
            "retry_attempts": feed.retry_attempts,
        });
    }
    value["clients"] = json!(clients_of(home, &server.name));
    if let Some(login) = login_at(home, server) {
        value["login"] = login::as_json(&login);
    }
    value
}

/// Returns the login at a server; what cannot be read is `doctor`'s to tell.
fn login_at(home: &Home, server: &Server) -> Option<Login> {
    match server.launch {
        Launch::Remote { .. } => Logins::new(&home.dirs).load(server.name.as_str()).ok().flatten(),
        Launch::Stdio { .. } => None,
    }
}

/// Returns the clients that have an entry of this server, each with what it calls it.
fn clients_of(home: &Home, name: &ServerName) -> Vec<serde_json::Value> {
    home.relations
        .clients
        .iter()
        .flat_map(|(id, record)| record.relations.iter().map(move |relation| (id, relation)))
        .filter(|(_, relation)| relation.server == *name)
        .map(|(id, relation)| json!({ "client": id, "alias": relation.alias, "section": relation.section }))
        .collect()
}

/// Adds how a server stands to what is told of it.
fn with_live(mut value: serde_json::Value, live: Option<&Live>) -> serde_json::Value {
    if let Some(live) = live {
        value["live"] = json!(live);
    }
    value
}

/// Tells how a server stands, and what is known of how it came to that.
fn show_live(ui: &Ui, live: &Live) {
    let revision = live.revision.as_ref().map(|said| format!(", speaks {said}")).unwrap_or_default();
    let up = live.up_ms.map(|_| format!(" for {}", live.uptime())).unwrap_or_default();
    ui.line(format!("state  {}{up}{revision}", live.state));
    let coming = live.coming.as_ref().map(Coming::sentence);
    for trouble in live.trouble.iter().chain(&coming) {
        ui.marked(Mark::Warn, trouble);
    }
    if !live.pids.is_empty() {
        let pids: Vec<String> = live.pids.iter().map(ToString::to_string).collect();
        ui.line(format!("runs   as process {}, {}", pids.join(", "), live.memory()));
    }
    if live.calls > 0 {
        let times = live.times().replace(" / ", ", 99 % within ");
        let times = if times.is_empty() { times } else { format!("; half within {times}") };
        ui.line(format!("calls  {}{times}", live.calls()));
    }
    for one in &live.transitions {
        let why = one.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        ui.line(format!("{}  {}{why}", crate::when::local(one.at), one.to));
    }
    if !live.stderr.is_empty() {
        ui.line("said last on its standard error:");
        for line in live.stderr.iter().rev().take(STDERR).rev() {
            ui.line(format!("  {line}"));
        }
    }
}

/// So many lines of a server's standard error are shown.
const STDERR: usize = 20;

/// Shows one server.
///
/// # Errors
/// There is no such server.
pub(super) fn show(home: &Home, ui: &Ui, name: &str, live: Option<&Live>) -> Done {
    let server = known(home, name)?;
    ui.json(&with_live(as_json(home, server), live));
    ui.heading(server.name.as_str());
    if let Some(description) = &server.description {
        ui.line(description);
    }
    if !server.enabled {
        ui.line("disabled: known, not served, and not in any client");
    }
    for line in in_full(&server.launch) {
        ui.line(line);
    }
    if !server.tags.is_empty() {
        ui.line(format!("tags   {}", server.tags.join(" ")));
    }
    ui.line(format!("stands {}:{}", home.short(&home.dirs.catalogue()), server.place));
    if let Some(live) = live {
        show_live(ui, live);
    }
    if let Some(feed) = &server.feed {
        feed::show(ui, feed, live.and_then(|live| live.feed.as_ref()));
    }
    if let Some(login) = login_at(home, server) {
        ui.line(login::line(&login));
    }
    for client in clients_of(home, &server.name) {
        let alias = client["alias"].as_str().unwrap_or_default();
        let calls = if alias == name { String::new() } else { format!(" (there `{alias}`)") };
        ui.line(format!("client {}{calls}", client["client"].as_str().unwrap_or_default()));
    }
    Ok(())
}
