//! `server`: the servers of the catalogue.

mod feed;
mod log;
mod login;

use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::catalogue::edit::ServerEdit;
use switchboard_core::launch::{Launch, Remote};
use switchboard_core::name::ServerName;
use switchboard_core::nearest::nearest;
use switchboard_core::value::Value;
use switchboard_host::dirs::Env;

use crate::approval::{in_full, quoted};
use crate::change;
use crate::cli::{Kind, Server as Verb, ServerAdd};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::live::{self, Live};
use crate::login::{Login, Logins};
use crate::policy::PolicyFile;
use crate::probe;
use crate::ui::{Mark, Ui};

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::List => {
            let live = live::ask(&env);
            list(&Home::look(env)?, ui, &live)
        }
        Verb::Show(args) => {
            let live = live::ask(&env).into_iter().find(|live| live.name == args.name);
            show(&Home::look(env)?, ui, &args.name, live.as_ref())
        }
        Verb::Test(args) => probe::run(env, ui, &args),
        Verb::Login(args) => login::run(&args, env, ui),
        Verb::Log(args) => log::run(&args, &env, ui),
        verb => {
            let mut home = Home::open(env, "switchboard server", ui.dry_run)?;
            match verb {
                Verb::Add(args) => add(&mut home, ui, args),
                Verb::Edit(args) => edit(&mut home, ui, args),
                Verb::Remove(args) => remove(&mut home, ui, &args.name),
                Verb::Rename { name, to } => rename(&mut home, ui, &name, &to),
                Verb::Enable(args) => enable(&mut home, ui, &args.name, true),
                Verb::Disable(args) => enable(&mut home, ui, &args.name, false),
                Verb::List | Verb::Show(_) | Verb::Test(_) | Verb::Login(_) | Verb::Log(_) => Ok(()),
            }
        }
    }
}

/// Returns what somebody typed as it can be shown: nothing in it that a terminal would obey, and not for ever.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the name that a person typed, for a new server.
pub(crate) fn new_name(text: &str) -> Result<ServerName, Failure> {
    ServerName::parse(text).map_err(|error| {
        let shown = shown(text);
        Failure::usage(format!("call a server `{shown}`"))
            .because(error)
            .hint("use letters, digits, `-` and `_`")
    })
}

/// Returns the server of the catalogue that a person named.
pub(crate) fn known<'h>(home: &'h Home, name: &str) -> Result<&'h Server, Failure> {
    home.catalogue.catalogue.server(name).ok_or_else(|| {
        let names = home.catalogue.catalogue.servers().iter().map(|server| server.name.as_str());
        let shown = shown(name);
        let failure = Failure::usage(format!("find server `{shown}`"));
        match nearest(name, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("see `switchboard server list`"),
        }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn list(home: &Home, ui: &Ui, live: &[Live]) -> Done {
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
        for live in live.iter().filter(|live| live.trouble.is_some()) {
            ui.marked(Mark::Warn, format!("{}: {}", live.name, live.trouble.as_deref().unwrap_or_default()));
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
pub(crate) fn as_json(home: &Home, server: &Server) -> serde_json::Value {
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
    if let Some(trouble) = &live.trouble {
        ui.marked(Mark::Warn, trouble);
    }
    if !live.pids.is_empty() {
        let pids: Vec<String> = live.pids.iter().map(ToString::to_string).collect();
        ui.line(format!("runs   as process {}, {}", pids.join(", "), live.memory()));
    }
    if live.calls > 0 {
        ui.line(format!(
            "calls  {}; half within {}",
            live.calls(),
            live.times().replace(" / ", ", 99 % within ")
        ));
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

fn show(home: &Home, ui: &Ui, name: &str, live: Option<&Live>) -> Done {
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

fn pair(text: &str, sign: char, what: &str, example: &str) -> Result<(String, String), Failure> {
    match text.split_once(sign) {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), if sign == ':' { value.trim() } else { value }.to_owned()))
        }
        _ => Err(Failure::usage(format!("read the {what} `{text}`")).hint(format!("write it as {example}"))),
    }
}

/// What the command line says of a launch, over what there was before.
fn launch(args: &ServerAdd, before: Option<&Launch>) -> Result<Option<Launch>, Failure> {
    let env = args.env.iter().map(|text| pair(text, '=', "variable", "NAME=value"));
    let env = env.collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
    let headers = args.headers.iter().map(|text| pair(text, ':', "header", "'Name: value'"));
    let headers = headers.collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
    let kind = args.kind.map(|kind| match kind {
        Kind::Http => Remote::Http,
        Kind::Sse => Remote::Sse,
    });
    if let Some(url) = &args.url {
        let mut all = match before {
            Some(Launch::Remote { headers, .. }) => headers.clone(),
            _ => std::collections::BTreeMap::new(),
        };
        all.extend(headers);
        return Ok(Some(Launch::Remote {
            kind: kind.unwrap_or(Remote::Http),
            url: url.clone(),
            headers: all,
        }));
    }
    if let Some((command, words)) = args.command.split_first() {
        let (mut all, old_cwd) = match before {
            Some(Launch::Stdio { env, cwd, .. }) => (env.clone(), cwd.clone()),
            _ => (std::collections::BTreeMap::new(), None),
        };
        all.extend(env);
        let cwd = args.cwd.clone().or(old_cwd);
        return Ok(Some(Launch::Stdio { command: command.clone(), args: words.to_vec(), env: all, cwd }));
    }
    Ok(match before {
        Some(Launch::Stdio { command, args: words, env: old, cwd })
            if !env.is_empty() || args.cwd.is_some() =>
        {
            let mut all = old.clone();
            all.extend(env);
            let cwd = args.cwd.clone().or_else(|| cwd.clone());
            Some(Launch::Stdio { command: command.clone(), args: words.clone(), env: all, cwd })
        }
        Some(Launch::Remote { kind: old, url, headers }) if kind.is_some() => {
            Some(Launch::Remote { kind: kind.unwrap_or(*old), url: url.clone(), headers: headers.clone() })
        }
        _ => None,
    })
}

fn add(home: &mut Home, ui: &Ui, args: ServerAdd) -> Done {
    let name = new_name(&args.name)?;
    let Some(launch) = launch(&args, None)? else {
        return Err(Failure::usage(format!("add server `{name}`"))
            .because("neither a command nor a url was named")
            .hint(format!("switchboard server add {} -- npx -y some-mcp-server", quoted(name.as_str())))
            .hint(format!(
                "switchboard server add {} --url https://example.com/mcp",
                quoted(name.as_str())
            )));
    };
    let server =
        Server { tags: args.tags, description: args.description, ..Server::new(name.clone(), launch) };
    change::catalogue(home, ui, &[ServerEdit::Add(Box::new(server))])?;
    done(home, ui, &format!("server `{name}` added"));
    Ok(())
}

fn edit(home: &mut Home, ui: &Ui, args: ServerAdd) -> Done {
    let server = known(home, &args.name)?;
    let name = server.name.clone();
    let mut edits = Vec::new();
    if let Some(launch) = launch(&args, Some(&server.launch))? {
        edits.push(ServerEdit::Relaunch(name.clone(), launch));
    }
    if !args.tags.is_empty() {
        edits.push(ServerEdit::Put(name.clone(), "tags", Some(Value::texts(args.tags))));
    }
    if let Some(description) = args.description {
        edits.push(ServerEdit::Put(name.clone(), "description", Some(Value::text(description))));
    }
    if edits.is_empty() {
        return Err(Failure::usage(format!("edit server `{name}`"))
            .because("nothing was named that should change")
            .hint(format!(
                "edit {} by hand, or see `switchboard server edit --help`",
                home.short(&home.dirs.catalogue())
            )));
    }
    change::catalogue(home, ui, &edits)?;
    done(home, ui, &format!("server `{name}` changed"));
    Ok(())
}

fn remove(home: &mut Home, ui: &Ui, name: &str) -> Done {
    let name = known(home, name)?.name.clone();
    change::catalogue(home, ui, &[ServerEdit::Remove(name.clone())])?;
    done(home, ui, &format!("server `{name}` removed"));
    Ok(())
}

fn rename(home: &mut Home, ui: &Ui, name: &str, to: &str) -> Done {
    let name = known(home, name)?.name.clone();
    let to = new_name(to)?;
    home.check_catalogue()?;
    // Records follow the server first: to a push the entry is then the same one, under the same alias.
    let mut relations = home.relations.clone();
    for record in relations.clients.values_mut() {
        record.relations.iter_mut().filter(|own| own.server == name).for_each(|own| own.server = to.clone());
    }
    let before = std::mem::replace(&mut home.relations, relations);
    let result = change::catalogue(home, ui, &[ServerEdit::Rename(name.clone(), to.clone())]);
    if result.is_err() || ui.dry_run {
        home.relations = before;
        return result;
    }
    home.save_relations()?;
    PolicyFile::look(home)?.remember(home)?;
    login::rename(&Logins::new(&home.dirs), name.as_str(), to.as_str())?;
    done(home, ui, &format!("server `{name}` is now called `{to}`"));
    Ok(())
}

fn enable(home: &mut Home, ui: &Ui, name: &str, enabled: bool) -> Done {
    let server = known(home, name)?;
    let name = server.name.clone();
    let word = if enabled { "enabled" } else { "disabled" };
    if server.enabled == enabled {
        ui.line(format!("server `{name}` is {word} already"));
        return Ok(());
    }
    // Enabled is what a server is when nothing is said.
    let value = (!enabled).then_some(Value::Bool(false));
    change::catalogue(home, ui, &[ServerEdit::Put(name.clone(), "enabled", value)])?;
    done(home, ui, &format!("server `{name}` {word}"));
    Ok(())
}

/// Tells what was done, the revision that it led to, and what is left to do.
fn done(home: &Home, ui: &Ui, what: &str) {
    if ui.dry_run {
        return;
    }
    let revision = home.history.last().map_or(0, |entry| entry.revision.number);
    ui.json(&json!({ "done": what, "revision": revision }));
    ui.marked(Mark::Good, format!("{what} (revision {revision})"));
    crate::cmd::status::pending_hint(home, ui);
}
