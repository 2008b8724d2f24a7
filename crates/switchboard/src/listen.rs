//! Following another switchboard: the smart client in one command.
//!
//! ```text
//! wire --> follow (which strategy, which revision) --newest only--> apply (one at a time, tried again) --> target
//! ```
//!
//! What is known of the other side is its address alone. What it says is garbage until it proves to be of the right
//! shape, a revision is never taken after a later one, and how far we are is kept once a revision has arrived.

mod address;
mod apply;
mod delay;
mod follow;
mod http;
mod news;
mod phase;
mod seen;
mod target;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use switchboard_core::client::known::Known;
use switchboard_core::name::ClientId;
use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::secret::Secret;

use crate::fail::{Done, Failure};
use crate::ui::Ui;
use address::Address;
use follow::Follower;
use http::Http;
use phase::Pace;
use seen::{Position, key};
use target::{FileTarget, Printer, Setback, Target};

/// What is to be followed, and what for.
pub(crate) struct Listening {
    /// The address, as it was typed.
    pub(crate) url: String,
    /// The token for it.
    pub(crate) token: Option<Secret>,
    /// What revisions are brought to.
    pub(crate) aim: Aim,
    /// Only the newest revision, once.
    pub(crate) once: bool,
    /// Between two questions for the version.
    pub(crate) interval: Duration,
}

/// What revisions are brought to.
pub(crate) enum Aim {
    /// They are told.
    Print,
    /// A client's file.
    File {
        /// The client.
        client: &'static Known,
        /// Its file.
        path: PathBuf,
        /// What its entries are to say: `bridge` or `direct`; `None` for what suits the address.
        via: Option<&'static str>,
    },
    /// A program.
    Program {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// How long one run may take.
        limit: Duration,
    },
}

impl Aim {
    /// What tells this target from others, and what a person knows it by.
    fn name(&self) -> String {
        match self {
            Self::Print => "lines".to_owned(),
            Self::File { client, path, .. } => format!("{} {}", client.id, path.display()),
            Self::Program { program, args, .. } => format!("{program} {}", args.join("\0")),
        }
    }
}

/// Follows another switchboard until a signal ends it; with `once`, until the target has its newest revision.
///
/// # Errors
/// The address or the token is not one; nobody agreed to the first write; with `once`, the other side is not reached.
pub(crate) fn run(listening: Listening, env: &Env, ui: &Ui) -> Done {
    let address = address(&listening.url)?;
    let dirs = Dirs::from_env(env).map_err(|error| {
        Failure::failed("find the home of Switchboard").caused_by(&error).hint(error.help())
    })?;
    let http = Http::new(address.clone(), listening.token.as_ref())?;
    let name = listening.aim.name();
    let position = Position::new(&dirs, address.as_str(), &name);
    let target = target(listening.aim, &address, &http, env, ui, &key(address.as_str(), &name))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("begin to listen").caused_by(&error))?;
    let pace = Pace { version: listening.interval, pull: listening.interval * 2, seed: seed() };
    let work = async {
        let work = follow(&http, target, &position, pace, listening.once || ui.dry_run, ui, &address);
        tokio::select! {
            done = work => done,
            () = ended() => Ok(()),
        }
    };
    let done = runtime.block_on(work);
    // A thread that passes on what a program said may be waiting for one that does not end.
    runtime.shutdown_background();
    done
}

fn address(url: &str) -> Result<Address, Failure> {
    Address::parse(url).map_err(|error| {
        Failure::usage("follow this address")
            .because(error)
            .hint("name it as in `switchboard listen http://127.0.0.1:8080`")
    })
}

/// Returns the address of another switchboard, in its shortest form.
///
/// # Errors
/// It is none.
pub(crate) fn base(url: &str) -> Result<String, Failure> {
    Ok(address(url)?.as_str().to_owned())
}

fn target(
    aim: Aim,
    address: &Address,
    http: &Http,
    env: &Env,
    ui: &Ui,
    key: &str,
) -> Result<Target, Failure> {
    Ok(match aim {
        Aim::Print => Target::Print(Printer { ui: ui.clone() }),
        Aim::File { client, path, via } => {
            let id = format!("{}.listen-{key}", client.id);
            let id = ClientId::parse(&id).map_err(|error| Failure::failed("name the file").because(error))?;
            // From another machine a command that reaches servers through that machine's program is of no use.
            let far = if address.is_loopback() { None } else { Some("direct") };
            Target::File(Box::new(FileTarget {
                env: env.clone(),
                ui: ui.clone(),
                http: http.clone(),
                from: address.as_str().to_owned(),
                client,
                id,
                path,
                via: via.or(far),
                etag: None,
            }))
        }
        #[cfg(unix)]
        Aim::Program { program, args, limit } => Target::Program(Box::new(target::Program {
            ui: ui.clone(),
            env: env.clone(),
            path: program,
            args,
            limit,
        })),
        #[cfg(not(unix))]
        Aim::Program { .. } => {
            return Err(Failure::failed("run a program: that is not there yet on this system")
                .hint("follow without --exec, and read the lines"));
        }
    })
}

async fn follow(
    http: &Http,
    mut target: Target,
    position: &Position,
    pace: Pace,
    once: bool,
    ui: &Ui,
    address: &Address,
) -> Done {
    let tell = |sentence: &str| ui.note(format!("{}: {}", address.as_str(), target::plain(sentence)));
    let seen = position.load()?;
    let mut follower = Follower { wire: http, seen, servers: target.needs_servers(), tell: &tell };
    if once {
        return bring_once(&follower, target, position, address, ui).await;
    }
    let (newest, newer) = tokio::sync::watch::channel(None);
    tokio::select! {
        () = follower.follow(pace, &newest) => Ok(()),
        failure = apply::apply(newer, &mut target, position, pace.seed, &tell) => Err(failure),
    }
}

async fn bring_once(
    follower: &Follower<'_, Http>,
    mut target: Target,
    position: &Position,
    address: &Address,
    ui: &Ui,
) -> Done {
    let failed = |what: String| {
        move |trouble: wire::Trouble| {
            let failure = Failure::failed(what).because(trouble.why);
            match trouble.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
    };
    let news = follower.once().await.map_err(failed(format!("reach {}", address.as_str())))?;
    let Some(news) = news else {
        let version = follower.seen.as_ref().map(|seen| seen.version.clone()).unwrap_or_default();
        ui.json(&serde_json::json!({ "version": version, "outcome": "in step" }));
        ui.line(format!("in step with {} ({version})", address.as_str()));
        return Ok(());
    };
    match apply::one(&news, &mut target, position).await {
        Ok(true) => Ok(()),
        Ok(false) if ui.dry_run => Ok(()),
        Ok(false) => Err(Failure::conflict(format!(
            "bring all of revision {}: somebody edited what changed",
            news.number
        ))
        .hint("make the entry say what it says there, or leave it: the others are in step")),
        Err(Setback::Never(failure)) => Err(failure),
        Err(Setback::Later(trouble)) => {
            Err(failed(format!("bring revision {} of {}", news.number, address.as_str()))(trouble))
        }
    }
}

/// What tells the jitter of this process from that of others.
pub(crate) fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}

/// Returns once somebody asks us to end.
async fn ended() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        async fn next(signal: Option<&mut Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let mut taken = [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
        let [term, int] = &mut taken;
        tokio::select! {
            () = next(term.as_mut()) => {}
            () = next(int.as_mut()) => {}
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}
