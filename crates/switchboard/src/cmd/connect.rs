//! `connect`: what a client runs.

use std::process::ExitCode;

use switchboard_core::catalogue;
use switchboard_core::client::import::translated;
use switchboard_core::launch::Launch;
use switchboard_host::child::{ChildError, Grace, Standby};
use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::file;
use switchboard_host::resolve::Resolver;
use switchboard_host::secret::FileSecrets;

use crate::approval::{Approvals, in_full, may_start, quoted};
use crate::cli::{Connect, ToolsArg};
#[cfg(unix)]
use crate::connect::Target;
use crate::connect::{self, Context};
use crate::fail::Failure;
use crate::home::{self, Home};
use crate::login::Tokens;
use crate::observe::{Observer, chosen};

/// Is the pipe to what is named, until the client ends it.
///
/// # Errors
/// There is no such server, or no daemon and none can be started; an entry of a client's own may not be started, or
/// cannot be.
#[expect(clippy::needless_pass_by_value, reason = "all commands have one shape")]
pub(crate) fn run(args: &Connect, env: Env) -> Result<ExitCode, Failure> {
    match (args, &args.server) {
        (Connect { client: Some(client), .. }, Some(alias)) => {
            let guard = connect::stand_by(alias);
            let dirs = home::dirs(&env)?;
            let launch = of_client(alias, client, &dirs, &env)?;
            // A login is at a server of the catalogue; what a client calls by the same name may be another.
            pipe(alias, &launch, &dirs, &env, guard, None)
        }
        (Connect { direct: true, .. }, Some(server)) => {
            let guard = connect::stand_by(server);
            let dirs = home::dirs(&env)?;
            let launch = of_catalogue(server, &dirs, &env)?;
            pipe(server, &launch, &dirs, &env, guard, Some(Tokens::new(&dirs)))
        }
        _ => through_daemon(args, &env),
    }
}

/// The fast way: nothing of ours is read, the daemon knows it all.
#[cfg(unix)]
fn through_daemon(args: &Connect, env: &Env) -> Result<ExitCode, Failure> {
    let search = args.tools == Some(ToolsArg::Search);
    let target = match &args.server {
        Some(server) => Target::Server(server.clone()),
        None => Target::Joint { profile: args.profile.clone(), search },
    };
    connect::lay(&target, home::dirs(env)?).map(|()| ExitCode::SUCCESS)
}

#[cfg(not(unix))]
fn through_daemon(_: &Connect, _: &Env) -> Result<ExitCode, Failure> {
    Err(Failure::failed("connect: the daemon has no control socket on this system yet")
        .hint("use its address: see `switchboard status`"))
}

/// The server of the catalogue, for a try of it: only that one file is read, and nothing of our state.
fn of_catalogue(name: &str, dirs: &Dirs, env: &Env) -> Result<Launch, Failure> {
    let path = dirs.catalogue();
    let unknown = || {
        Failure::usage(format!("connect to `{}`: the catalogue has no such server", name.escape_debug()))
            .hint("see `switchboard server list`")
    };
    let Ok(snapshot) = file::read(&path) else {
        // Gone or not to be read: the last good one stays in service.
        return last_good(name, env);
    };
    let text = std::str::from_utf8(&snapshot.bytes).unwrap_or("?");
    let parsed = catalogue::parse(text);
    if !parsed.is_good() || parsed.value.is_empty() {
        return last_good(name, env);
    }
    let server = parsed.value.server(name).ok_or_else(unknown)?;
    if !server.enabled {
        return Err(Failure::failed(format!("connect to `{name}`: it is disabled"))
            .hint(format!("enable it with `switchboard server enable {}`", quoted(name))));
    }
    may_start(dirs, name, &server.launch)?;
    Ok(server.launch.clone())
}

fn last_good(name: &str, env: &Env) -> Result<Launch, Failure> {
    let home = Home::look(env.clone())?;
    match home.catalogue.catalogue.server(name) {
        Some(server) if server.enabled => Ok(server.launch.clone()),
        _ => Err(Failure::usage(format!("connect to `{}`: there is no such server", name.escape_debug()))
            .with_problems(&home.short(&home.dirs.catalogue()), home.catalogue.problems.clone())
            .hint("see `switchboard server list`")),
    }
}

/// An entry of a client's own file, tried in place: only when exactly it was approved.
fn of_client(alias: &str, client: &str, dirs: &Dirs, env: &Env) -> Result<Launch, Failure> {
    let home = Home::look(env.clone())?;
    let launch = entry_launch(&home, alias, client)?;
    if Approvals::load(dirs).has(&launch) {
        return Ok(launch);
    }
    Err(Failure::conflict(format!("start `{}`: nobody has approved it", alias.escape_debug()))
        .because(in_full(&launch).join(", "))
        .hint(format!(
            "look at it and approve it with `switchboard server test {} --client {client}`",
            quoted(alias)
        )))
}

/// Returns how a client's own entry is started or reached.
///
/// # Errors
/// The client is not linked, or has no such entry.
pub(crate) fn entry_launch(home: &Home, alias: &str, client: &str) -> Result<Launch, Failure> {
    let clients = chosen(home, &[client.to_owned()], false)?;
    let look = Observer::new(home)?.plan(&clients).remove(0);
    let found = look.plan.found.iter().find(|found| found.alias.as_str() == alias);
    let launch = found.and_then(|found| found.launch.as_ref()).ok_or_else(|| {
        Failure::usage(format!("find `{}` in {}", alias.escape_debug(), home.short(&look.linked.path)))
            .hint(format!("see `switchboard client show {client}`"))
    })?;
    Ok(translated(launch, look.linked.settings.known.variables).0)
}

fn pipe(
    name: &str,
    launch: &Launch,
    dirs: &Dirs,
    env: &Env,
    guard: Result<Standby, ChildError>,
    tokens: Option<Tokens>,
) -> Result<ExitCode, Failure> {
    let inherited = env.vars().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let secrets = FileSecrets::new(dirs.secrets());
    let here = std::env::current_dir().ok();
    let warn = |text: &str| connect::say(text);
    let resolver = Resolver {
        environment: &inherited,
        home: env.home(),
        // Clients start their servers in the project that is open.
        root: here.as_deref(),
        secrets: &secrets,
        warn: &warn,
    };
    let context = Context { resolver, grace: Grace::default(), tokens };
    connect::run(name, launch, &context, guard).map(ExitCode::from).map_err(|error| {
        let failure = Failure::failed(format!("connect to `{name}`")).caused_by(&error);
        match error.help() {
            Some(help) => failure.hint(help),
            None => failure,
        }
    })
}
