//! The daemon: one owner of what is served, and the doors by which it is reached.
//!
//! [`run`] is start-up and shut-down, from top to bottom. In between, [`react`](react::react) turns events into plans
//! ([`switchboard_core::flow`]) and has them carried out.

pub(crate) mod board;
mod bus;
pub(crate) mod desk;
mod detach;
mod doors;
mod execute;
pub(crate) mod facts;
pub(crate) mod feeds;
pub(crate) mod gateway;
pub(crate) mod inbox;
mod log;
mod notify;
mod passing;
mod policing;
mod react;
mod service;
mod signals;
#[cfg(unix)]
pub(crate) mod succession;
mod telling;
pub(crate) mod view;

use std::sync::Arc;

use switchboard_host::audit::AuditLog;
use switchboard_host::dirs::Env;
use switchboard_host::lock::LockError;
use switchboard_host::watch::{Options, Watch};
use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::cli::Serve;
use crate::fail::{Done, Failure};
use crate::home::{self, Home};
pub(crate) use detach::detach;
pub(crate) use passing::{relieve, serving};

use board::Board;
use desk::Desk;
use doors::Doors;
use execute::{Hands, Place};
use feeds::Feeds;
use inbox::Inbox;
use notify::Stage;
use policing::Policing;
use service::Service;

/// Returns a gateway without servers, for tests of the doors.
#[cfg(test)]
pub(crate) fn gateway_for_tests() -> switchboard_gateway::Gateway {
    let folder = std::path::Path::new("/nonexistent");
    gateway::open(
        &tokio::runtime::Handle::current(),
        &switchboard_host::dirs::Dirs::below(folder),
        &Env::default(),
        &Inbox::default(),
    )
}

/// Calls that wait are numbered from the second at which the daemon began, within so many: who has a number of another
/// daemon's does not agree to a call of this one, and numbers stay short.
const NUMBERS: u64 = 1_000_000;

/// Runs the daemon of a home until it is told to end.
///
/// # Errors
/// Another daemon serves this home, or a door cannot be opened: nothing was changed.
pub(crate) fn run(args: &Serve, env: Env) -> Done {
    log::begin(&env, args.log.as_deref(), args.log_format)?;
    // One daemon per home. The lock goes with `only`, however this function ends.
    let dirs = home::dirs(&env)?;
    let made = |error: switchboard_host::dirs::DirsError| {
        Failure::failed("make the folders of Switchboard").caused_by(&error).hint(error.help())
    };
    dirs.create().map_err(made)?;
    let quiet = passing::quiet(args)?;
    let (only, passed) =
        passing::take(&dirs, quiet.is_some(), args.replace).map_err(|error| taken(&error, args.replace))?;

    switchboard_host::limits::raise_open_files();

    // Everything that waits, waits here: on the network, on signals, on time.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers())
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("begin").caused_by(&error))?;
    let inbox = Inbox::default();
    signals::listen(&runtime, &inbox)?;

    // The doors are there before anything is served, so that a port that is taken is told at once.
    let (board, seen) = watch::channel(Arc::new(Board::default()));
    let (asks, asked) = mpsc::channel(desk::WAITING);
    let gateway = gateway::open(runtime.handle(), &dirs, &env, &inbox);
    gateway.number_waiting_from(home::now() % NUMBERS);
    let (feeds, standings) = watch::channel(Arc::default());
    let desk =
        Desk::new(env.clone(), seen, asks, inbox.clone(), standings).of(passed.by_system(), quiet.is_some());
    let settings = Home::look(env.clone()).map(|home| home.settings.value).unwrap_or_default();
    let http = doors::overridden(&settings.http, args);
    let doors = Doors::first(runtime.handle(), http, &dirs, desk, gateway.clone(), quiet.is_some(), passed)?;
    if let Some(quiet) = quiet {
        passing::leave(runtime.handle(), Arc::clone(doors.visits()), inbox.clone(), quiet);
    }

    // Files that change ring the bell.
    let bell = inbox.clone();
    let watch = Watch::start(Options::default(), move |seen| bell.put(|waiting| waiting.changed(seen.path)))
        .map_err(|error| Failure::failed("watch files").caused_by(&error))?;

    // The state lives in here, and nowhere else.
    let policing = Policing::new(AuditLog::new(dirs.audit()));
    let feeds = Feeds::new(runtime.handle().clone(), gateway.clone(), inbox.clone(), feeds);
    let service = Service::new(gateway, policing, feeds, inbox.clone(), runtime.handle().clone());
    let place = Place { only, passing: args.idle_exit.is_some() };
    let mut hands = Hands::new(args.clone(), env, place, board, doors, watch, service);
    react::react(runtime.handle(), &inbox, asked, &mut hands);

    // Whoever is inside may finish; the files that this process made go with it.
    info!("ending");
    notify::tell(Stage::Ending, "ending");
    hands.close();
    runtime.shutdown_timeout(react::DRAIN);
    info!("ended");
    Ok(())
}

/// Returns how many threads carry messages: not more than there are cores for this process, since each message wakes
/// another thread where there is one, which costs as much as the message; and not more than would be busy with tens of
/// thousands of calls a second. The other cores are for the servers.
fn workers() -> usize {
    const MOST: usize = 4;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(MOST)
}

fn taken(error: &LockError, replace: bool) -> Failure {
    let failure = Failure::failed("serve this home").caused_by(error);
    match error {
        LockError::Held { .. } if replace => failure.hint(
            "it does not make room: where systemd has started it, run `systemctl --user restart switchboard`",
        ),
        LockError::Held { .. } => failure
            .hint("one daemon serves a home; see it with `switchboard status`")
            .hint("`switchboard serve --replace` takes its place, and turns nobody away"),
        LockError::Io { .. } => failure.hint(error.help()),
    }
}
