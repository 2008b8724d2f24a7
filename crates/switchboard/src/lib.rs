//! What the switchboard binary is made of; a library for its tests only.

mod api;
mod approval;
mod ask;
mod change;
mod cli;
mod cmd;
mod complete;
pub mod connect;
mod daemon;
mod diff;
mod discover;
mod execute;
mod fail;
mod history;
mod home;
mod journal;
mod listen;
mod live;
pub mod login;
mod mask;
mod observe;
mod pending;
mod pins;
mod policy;
mod probe;
mod remote;
mod retention;
mod schema;
mod service;
mod sync;
mod token;
mod ui;
mod web;
mod when;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use switchboard_host::dirs::Env;

use cli::{Cli, Command, Common, Connect, Shell};
use fail::Failure;
use ui::Ui;

/// The variable by which a shell asks for completions.
const COMPLETE: &str = "SWITCHBOARD_COMPLETE";

/// Runs the program: what stands on the command line is done, and the exit code says how it went.
pub fn run() -> ExitCode {
    #[cfg(unix)]
    if std::env::args_os().nth(1).is_some_and(|word| word == switchboard_host::child::GUARD) {
        return ExitCode::from(switchboard_host::child::guard());
    }
    if std::env::args_os().nth(1).is_some_and(|word| word == cmd::demo::SERVER) {
        return cmd::demo::serve();
    }
    let env = Env::read();
    #[cfg(unix)]
    if std::env::args_os().nth(1).is_some_and(|word| word == connect::WAKE) {
        return connect::wake(&env, std::env::args_os().skip(2));
    }
    if let Some(args) = pipe(std::env::args_os(), &env) {
        return told(cmd::connect::run(&args, env), &Ui::new(Common::default()));
    }
    if let Some(wishes) = sync::plain(std::env::args_os())
        && env.var(COMPLETE).is_none()
        && let Some(done) = sync::run_plain(wishes, &env)
    {
        return done;
    }
    if std::env::args_os().len() > 0 {
        clap_complete::CompleteEnv::with_factory(Cli::command).var(COMPLETE).complete();
    }
    let cli = Cli::parse();
    // What a client runs speaks the client's language alone.
    let json = cli.common.json && !matches!(cli.command, Command::Connect(_));
    let ui = Ui::new(Common { json, ..cli.common });
    told(perform(cli.command, cli.common, env, &ui), &ui)
}

/// Returns what stands behind `connect` when that is what clients run, many times a day, and nothing else. The tree of all
/// commands takes longer to build than the rest of it, so it is not asked.
fn pipe(words: impl Iterator<Item = OsString>, env: &Env) -> Option<Connect> {
    let words: Vec<String> =
        words.skip(1).take(4).map(|word| word.into_string().ok()).collect::<Option<_>>()?;
    let mut words = words.iter().map(String::as_str);
    if words.next() != Some("connect") || env.var(COMPLETE).is_some() {
        return None;
    }
    let named = |name: &str| (!name.starts_with('-')).then(|| Some(name.to_owned()));
    match [words.next(), words.next(), words.next()] {
        [Some("--all"), None, None] => Some(Connect { all: true, ..Connect::default() }),
        [Some(server), None, None] => Some(Connect { server: named(server)?, ..Connect::default() }),
        [Some("--profile"), Some(profile), None] => {
            Some(Connect { profile: named(profile)?, ..Connect::default() })
        }
        _ => None,
    }
}

/// Says how a command went, and returns the exit code.
fn told(done: Result<ExitCode, Failure>, ui: &Ui) -> ExitCode {
    match done {
        Ok(code) => {
            // What has nothing to tell still answers a program that reads.
            ui.json(&serde_json::json!({ "done": !ui.dry_run }));
            code
        }
        Err(failure) => {
            ui.failure(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Returns the command line as data, for the test that reads the commands named in the books.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Has the daemon run a command that is the daemon's, when there is one; runs it here else, with the same result.
fn perform(command: Command, wishes: Common, env: Env, ui: &Ui) -> Result<ExitCode, Failure> {
    if ask::kind(&command, wishes) == ask::Kind::Changes
        && let Some(remote) = remote::Remote::find(&env)
        && let Some(done) = remote.perform(&command, wishes, ui)
    {
        return done;
    }
    dispatch(command, env, ui)
}

fn dispatch(command: Command, env: Env, ui: &Ui) -> Result<ExitCode, Failure> {
    let done = match command {
        Command::Connect(args) => return cmd::connect::run(&args, env),
        Command::Sync(args) => cmd::sync::run(&args, env, ui),
        Command::Tool(verb) => cmd::tool::run(&verb, env, ui),
        Command::Policy(verb) => cmd::policy::run(&verb, env, ui),
        Command::Up(args) => cmd::up::run(&args, env, ui),
        Command::Serve(args) => daemon::run(&args, env),
        Command::Demo(args) => cmd::demo::run(&args, ui),
        Command::Status => cmd::status::run(env, ui, None),
        Command::Server(verb) => cmd::server::run(verb, env, ui),
        Command::Client(verb) => cmd::client::run(verb, env, ui),
        Command::Profile(verb) => cmd::profile::run(verb, env, ui),
        Command::Listen(args) => cmd::listen::run(args, env, ui),
        Command::Config(verb) => cmd::config::run(verb, env, ui),
        Command::Token(verb) => cmd::token::run(verb, env, ui),
        Command::Service(verb) => cmd::service::run(verb, env, ui),
        Command::Doctor => cmd::doctor::run(env, ui),
        Command::Uninstall => cmd::uninstall::run(env, ui),
        Command::Completions { shell } => completions(shell, ui),
        Command::Man => man(ui),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Prints what a shell runs once so that names complete from then on.
#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn completions(shell: Shell, ui: &Ui) -> fail::Done {
    ui.document(match shell {
        Shell::Bash => "source <(SWITCHBOARD_COMPLETE=bash switchboard)\n",
        Shell::Zsh => "source <(SWITCHBOARD_COMPLETE=zsh switchboard)\n",
        Shell::Fish => "SWITCHBOARD_COMPLETE=fish switchboard | source\n",
    });
    Ok(())
}

fn man(ui: &Ui) -> fail::Done {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::failed("write the manual page").caused_by(&error))?;
    ui.document(&String::from_utf8_lossy(&page));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_connect_goes_past_the_tree_of_commands() {
        let under = |env: &Env, words: &[&str]| {
            pipe(words.iter().map(OsString::from), env).map(|args| (args.server, args.all, args.profile))
        };
        let to = |words: &[&str]| under(&Env::default(), words);
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(to(&["switchboard", "connect", "git"]), Some((some("git"), false, None)));
        assert_eq!(to(&["switchboard", "connect", "--all"]), Some((None, true, None)));
        assert_eq!(to(&["switchboard", "connect", "--profile", "p"]), Some((None, false, some("p"))));
        let completing = Env::new("/", [(COMPLETE, "bash")]);
        assert_eq!(under(&completing, &["switchboard", "connect", "git"]), None);
        for words in [
            &["switchboard"][..],
            &["switchboard", "connect"],
            &["switchboard", "connect", "--help"],
            &["switchboard", "connect", "-h"],
            &["switchboard", "connect", "--profile"],
            &["switchboard", "connect", "--profile", "--all"],
            &["switchboard", "connect", "--all", "git"],
            &["switchboard", "connect", "git", "--client"],
            &["switchboard", "connect", "git", "--json"],
            &["switchboard", "connect", "--profile", "p", "--json"],
            &["switchboard", "--json", "connect"],
            &["switchboard", "server", "list"],
        ] {
            assert_eq!(to(words), None, "{words:?}");
        }
    }
}
