//! `doctor`: everything that can be wrong, each with the command that mends it.

use std::collections::BTreeMap;

use serde_json::json;
use switchboard_core::launch::Launch;
use switchboard_core::login::scopes::text;
use switchboard_core::plan::FileState;
use switchboard_core::reference::{Reference, references};
use switchboard_core::registry::Kind;
use switchboard_core::settings::Mode;
use switchboard_host::dirs::Env;
use switchboard_host::file;
use switchboard_host::lock::Lock;
use switchboard_host::registry::{Line, Note, Registry, State};
use switchboard_host::secret::{FileSecrets, Secrets as _};

use crate::approval::quoted;
use crate::cmd::server::shown;
use crate::cmd::tool::Known;
use crate::cmd::tool::odd::everywhere;
use crate::fail::{Done, Failure};
use crate::home::{Home, now};
use crate::live;
use crate::login::Logins;
use crate::observe::{Look, Observer, linked};
use crate::pins;
use crate::policy::PolicyFile;
use crate::ui::{Mark, Ui, counted, plain};

/// One finding: what is wrong, and the command that mends it.
struct Finding {
    grave: bool,
    what: String,
    mend: String,
}

/// Checks everything.
///
/// # Errors
/// Something grave was found.
pub(crate) fn run(env: Env, ui: &Ui) -> Done {
    let home = Home::look(env)?;
    let mut findings = Vec::new();
    own_files(&home, &mut findings);
    let clients = if home.settings.is_good() { linked(&home)? } else { Vec::new() };
    let looks = Observer::new(&home)?.plan(&clients);
    servers(&home, &mut findings);
    served(&home, &mut findings);
    logins(&home, &mut findings);
    registry(&home, &mut findings);
    policy(&home, &mut findings)?;
    tools(&home, &mut findings)?;
    for look in &looks {
        client(&home, look, &mut findings);
    }
    doubled(&looks, &mut findings);
    daemon(&home, &looks, &mut findings);
    ui.json(
        &findings
            .iter()
            .map(|found| json!({ "grave": found.grave, "what": found.what, "mend": found.mend }))
            .collect::<Vec<_>>(),
    );
    for found in &findings {
        ui.marked(if found.grave { Mark::Bad } else { Mark::Warn }, &found.what);
        ui.line(format!("    {}", found.mend));
    }
    let grave = findings.iter().filter(|found| found.grave).count();
    if grave > 0 {
        return Err(Failure::failed(format!(
            "find everything in order: {grave} of {} findings are grave",
            findings.len()
        )));
    }
    let servers = home.catalogue.catalogue.servers().len();
    let (servers, clients) = (counted(servers, "server"), counted(looks.len(), "client"));
    ui.marked(Mark::Good, format!("{servers} and {clients} checked"));
    Ok(())
}

fn own_files(home: &Home, out: &mut Vec<Finding>) {
    let mut found = |grave, what: String, mend: String| out.push(Finding { grave, what, mend });
    for note in &home.notes {
        found(false, note.clone(), "switchboard client scan --all".to_owned());
    }
    let path = home.dirs.catalogue();
    for problem in &home.catalogue.problems {
        let help = problem.help.clone().unwrap_or_else(|| "switchboard config check".to_owned());
        found(problem.is_error(), format!("{}:{problem}", home.short(&path)), help);
    }
    for problem in &home.settings.problems {
        let help = problem.help.clone().unwrap_or_else(|| "switchboard config check".to_owned());
        found(problem.is_error(), format!("{}:{problem}", home.short(&home.dirs.settings())), help);
    }
    for path in [path, home.dirs.settings(), home.dirs.policy()] {
        if file::others_may_write(&path) {
            let what = format!("others may write {}, so they decide what runs as you", home.short(&path));
            found(true, what, format!("chmod go-w {}", quoted(&path.to_string_lossy())));
        }
    }
}

/// Files that are to be kept in step at once need somebody who is there when something changes.
fn daemon(home: &Home, looks: &[Look], out: &mut Vec<Finding>) {
    let auto = looks.iter().filter(|look| look.linked.settings.mode == Mode::Auto).count();
    if auto == 0 || Lock::daemon(&home.dirs).is_some() {
        return;
    }
    out.push(Finding {
        grave: false,
        what: format!(
            "nobody serves this home: what you change in the catalogue's file reaches {} with the next command only",
            counted(auto, "client")
        ),
        mend: "switchboard up --detach".to_owned(),
    });
}

/// Tools that could deceive, or are not what they were.
fn tools(home: &Home, out: &mut Vec<Finding>) -> Done {
    let mut found = |what: String, mend: String| out.push(Finding { grave: false, what, mend });
    let mut known = Known::as_it_is(home)?;
    for ((server, tool), odd) in everywhere(&mut known) {
        let word = quoted(&format!("{server}/{tool}"));
        for odd in odd {
            let what = format!("tool {} of {}: {}", plain(&tool), plain(&server), plain(&odd.to_string()));
            found(what, format!("switchboard tool show {word}"));
        }
    }
    let pins = pins::load(&home.dirs)?;
    if let Some(note) = &pins.1 {
        found(note.clone(), "switchboard sync --force".to_owned());
    }
    for (place, problem) in pins::problems(home, &pins.0) {
        found(format!("tool {place}: {}", problem.what), problem.help.unwrap_or_default());
    }
    Ok(())
}

/// What servers offer is a cache: whatever is wrong with it is not grave.
fn registry(home: &Home, out: &mut Vec<Finding>) {
    let mut found = |what: String, mend: String| out.push(Finding { grave: false, what, mend });
    let mut registry = Registry::read(&home.dirs.registry());
    registry.check();
    let servers = registry.servers();
    for note in registry.notes() {
        let mend = match note {
            Note::Refused { .. } => format!("chmod u+rw {}", quoted(&home.dirs.registry().to_string_lossy())),
            Note::Aside { .. } | Note::Damaged { .. } => "switchboard sync".to_owned(),
            Note::Busy { .. } => "wait until the other process is done".to_owned(),
        };
        found(note.to_string(), mend);
    }
    for server in servers {
        let is_served = home.catalogue.catalogue.server(&server.name).is_some_and(|server| server.enabled);
        if let State::Stale { since, why } = server.state
            && is_served
        {
            let since = crate::when::local(since);
            let what = format!(
                "server `{}` has not said what it offers since {since}: {}",
                server.name,
                plain(&why)
            );
            found(what, format!("switchboard server test {}", quoted(&server.name)));
        }
    }
}

/// A policy that is wrong is one that nobody is held to as it was meant.
fn policy(home: &Home, out: &mut Vec<Finding>) -> Done {
    let policy = PolicyFile::look(home)?;
    let name = home.short(&home.dirs.policy());
    let mut found = |grave, what: String, mend: String| out.push(Finding { grave, what, mend });
    if let Some(note) = &policy.note {
        found(false, note.clone(), "switchboard policy sync".to_owned());
    }
    for problem in &policy.problems {
        let help = problem.help.clone().unwrap_or_else(|| "switchboard config check".to_owned());
        found(problem.is_error(), format!("{name}:{problem}"), help);
    }
    let mut registry = Registry::read(&home.dirs.registry());
    let tools = registry.list(Kind::Tool, None);
    // A table that was taken out is not missing.
    let is_new = |tool: &&Line| {
        let (server, tool) = (&tool.server, &tool.name);
        policy.policy.rule(server, tool).is_none() && !policy.record.base.knows(server, tool)
    };
    let new = tools.iter().filter(is_new).count();
    // Whoever has never asked for a policy does not miss one.
    if policy.file.is_some() && !policy.last_good && new > 0 {
        let what = format!("{} without a table in {name}: what is proposed holds", counted(new, "tool"));
        found(false, what, "switchboard policy sync".to_owned());
    }
    Ok(())
}

/// What a daemon knows of its servers: some may have come up once, and cannot be had now.
fn served(home: &Home, out: &mut Vec<Finding>) {
    for live in live::ask(&home.env) {
        let name = &live.name;
        let trouble = live.trouble.as_ref().filter(|_| live.state != "idle");
        let trouble = trouble.map(|trouble| format!("server `{name}` {}", plain(trouble)));
        let coming =
            live.coming.as_ref().map(|coming| format!("server `{name}`: {}", plain(&coming.sentence())));
        for what in trouble.into_iter().chain(coming) {
            out.push(Finding {
                grave: false,
                what,
                mend: format!("switchboard server show {}", quoted(&live.name)),
            });
        }
    }
}

/// Every server's program must be there, and every reference must lead somewhere.
fn servers(home: &Home, out: &mut Vec<Finding>) {
    let secrets = FileSecrets::new(home.dirs.secrets());
    let path = home.env.var("PATH").map(ToOwned::to_owned);
    let here = std::env::current_dir().unwrap_or_default();
    for server in home.catalogue.catalogue.servers().iter().filter(|server| server.enabled) {
        let name = &server.name;
        if let Launch::Stdio { command, .. } = &server.launch
            && !command.contains("${")
            && let Err(error) = switchboard_host::child::find(command, path.as_deref(), &here)
        {
            out.push(Finding {
                grave: true,
                what: format!("server `{name}` cannot be started: {error}"),
                mend: error.help(),
            });
        }
        match references(&server.launch) {
            Ok(references) => {
                for (field, reference) in references {
                    out.extend(missing(home, &secrets, &reference).map(|mend| Finding {
                        grave: false,
                        what: format!(
                            "`{field}` of server `{name}` refers to `{reference}`, which is not there"
                        ),
                        mend,
                    }));
                }
            }
            Err((field, error)) => out.push(Finding {
                grave: true,
                what: format!("`{field}` of server `{name}`: {error}"),
                mend: error.help().to_owned(),
            }),
        }
    }
}

/// A login must be for a server of the catalogue, and go on being good without anybody's doing.
fn logins(home: &Home, out: &mut Vec<Finding>) {
    for login in Logins::new(&home.dirs).list() {
        let name = &login.server;
        let launch = home.catalogue.catalogue.server(name).map(|server| &server.launch);
        let is_known = match launch {
            Some(Launch::Remote { url, .. }) => url.contains("${") || login.is_for(name, url),
            Some(Launch::Stdio { .. }) | None => false,
        };
        let again = format!("switchboard server login {}", quoted(name));
        let (what, mend) = if !is_known {
            let what =
                format!("there is a login at `{}`, but no server of that name and address", shown(name));
            (what, format!("{again} --forget"))
        } else if login.is_over(now()) {
            let why = login.ended.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            (format!("server `{name}` needs a login: the last one is over{why}"), again)
        } else if !login.wanted.is_empty() {
            (format!("server `{name}` asks for more than its login permits: {}", text(&login.wanted)), again)
        } else {
            continue;
        };
        out.push(Finding { grave: false, what, mend });
    }
}

/// Returns what mends a reference that leads nowhere; `None` when it leads somewhere, or only its start could tell.
fn missing(home: &Home, secrets: &FileSecrets, reference: &Reference) -> Option<String> {
    match reference {
        Reference::Env { name, default: None } => {
            home.env.var(name).is_none().then(|| format!("export {name}=.."))
        }
        Reference::Keyring { name } => (!matches!(secrets.get(name), Ok(Some(_))))
            .then(|| format!("put it into {} (mode 0600)", home.short(&home.dirs.secrets().join(name)))),
        Reference::File { path } => {
            let file = home.expand(path);
            (!file.exists()).then(|| format!("make the file {}", quoted(&file.to_string_lossy())))
        }
        _ => None,
    }
}

fn client(home: &Home, look: &Look, out: &mut Vec<Finding>) {
    let id = look.linked.id();
    let file = home.short(&look.linked.path);
    let mut found = |grave, what: String, mend: String| out.push(Finding { grave, what, mend });
    match look.plan.state {
        FileState::Wiped => {
            found(
                true,
                format!("{id}: our entries in {file} are gone"),
                format!("switchboard client restore {id}"),
            );
        }
        FileState::CutOff => {
            found(true, format!("{id}: {file} is cut off"), format!("switchboard client undo {id} --force"));
        }
        FileState::Missing if !look.linked.path.parent().is_some_and(std::path::Path::is_dir) => {
            let what = format!("{id}: the folder of {file} does not exist");
            found(false, what, format!("start the client once, or: switchboard client unlink {id}"));
        }
        _ => {}
    }
    for problem in &look.plan.problems {
        let help = problem.help.clone().unwrap_or_else(|| format!("switchboard client scan {id}"));
        found(problem.is_error(), format!("{id}: {file}:{problem}"), help);
    }
    for item in look.plan.conflicts().chain(look.plan.drifted()) {
        let what = format!("{id}: {}", switchboard_core::plan::sentence(item));
        found(false, what, format!("switchboard client adopt|keep|restore {id} {}", item.alias));
    }
    if look.plan.is_pending() {
        let what = format!("{id}: {}", look.plan.summary());
        found(false, what, format!("switchboard client push {id}"));
    }
    if let Some(limit) = look.linked.settings.known.tool_count_limit
        && look.plan.wanted.len() > usize::from(limit)
    {
        let what = format!("{id}: takes {limit} tools, and is given {} servers", look.plan.wanted.len());
        found(false, what, format!("switchboard client link {id} --server profile:NAME"));
    }
}

/// A server that a client reads from two files of its own would be there twice.
fn doubled(looks: &[Look], out: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(&str, String), &Look> = BTreeMap::new();
    for look in looks {
        for found in &look.plan.found {
            let Some(server) = &found.ours else { continue };
            let key = (look.linked.settings.known.id, format!("{server}"));
            if let Some(first) = seen.insert(key, look)
                && first.linked.id() == look.linked.id()
            {
                out.push(Finding {
                    grave: false,
                    what: format!("{}: server `{server}` stands twice in its file", look.linked.id()),
                    mend: format!("remove one of them from {}", look.linked.path.display()),
                });
            }
        }
    }
}
