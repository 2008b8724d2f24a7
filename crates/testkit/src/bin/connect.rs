//! `connect` without a catalogue, for tests: `testkit-connect [--piped] NAME LAUNCH-AS-JSON`.
//!
//! With `--piped` it holds the server as the daemon does, by pipes: it passes on lines until it reads the line `drop`,
//! lets go of the server, says `dropped`, and stays until the end of its input.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use switchboard::connect::{self, Context};
use switchboard_core::launch::Launch;
use switchboard_host::child::{GUARD, Grace, Prepared, Wiring, guard};
use switchboard_host::resolve::{Resolved, Resolver};
use switchboard_host::secret::FileSecrets;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [GUARD, ..] => ExitCode::from(guard()),
        [name, launch] => ExitCode::from(pipe(name, launch, run)),
        ["--piped", name, launch] => ExitCode::from(pipe(name, launch, hold)),
        _ => ExitCode::from(2),
    }
}

/// Sets up what surrounds a server, and shows the error of `body` as the command line does.
fn pipe(name: &str, launch: &str, body: fn(&str, &Launch, &Context<'_>) -> Result<u8, Shown>) -> u8 {
    let Ok(launch) = serde_json::from_str::<Launch>(launch) else { return 2 };
    let environment: BTreeMap<_, _> = std::env::vars_os().collect();
    let home = environment.get(std::ffi::OsStr::new("HOME")).map(PathBuf::from);
    let secrets = FileSecrets::new(home.clone().unwrap_or_default().join("secrets"));
    let resolver = Resolver {
        environment: &environment,
        home: home.as_deref(),
        root: None,
        secrets: &secrets,
        warn: &|doubt| say(doubt),
    };
    body(name, &launch, &Context { resolver, grace: Grace::default(), tokens: None }).unwrap_or_else(
        |Shown(error, help)| {
            say(&error);
            if let Some(help) = help {
                say(&format!("hint: {help}"));
            }
            1
        },
    )
}

/// An error and its hint.
struct Shown(String, Option<String>);

fn run(name: &str, launch: &Launch, context: &Context<'_>) -> Result<u8, Shown> {
    connect::run(name, launch, context, connect::stand_by(name))
        .map_err(|error| Shown(error.to_string(), error.help()))
}

fn hold(name: &str, launch: &Launch, context: &Context<'_>) -> Result<u8, Shown> {
    let other = |error: &dyn std::error::Error| Shown(error.to_string(), None);
    let Resolved::Stdio(command) = context.resolver.launch(launch).map_err(|error| other(&error))? else {
        return Ok(2);
    };
    let started = Prepared::new(name, &command, context.resolver.environment, context.grace)
        .and_then(|prepared| prepared.start(Wiring::Piped));
    let mut server = started.map_err(|error| other(&error))?;
    let (stdin, stdout) = (server.stdin.take(), server.stdout.take());
    let copying = std::thread::spawn(|| stdout.map(|mut from| io::copy(&mut from, &mut io::stdout())));
    let mut lines = io::stdin().lines().map_while(Result::ok);
    for line in lines.by_ref().take_while(|line| line != "drop") {
        if let Some(mut stdin) = stdin.as_ref() {
            let _ = writeln!(stdin, "{line}");
        }
    }
    // The server's input stays open: it must end because it is let go, not because it has read everything.
    drop(server);
    let _ = copying.join();
    let _ = writeln!(io::stdout(), "dropped");
    lines.for_each(drop);
    Ok(0)
}

fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "switchboard: {sentence}");
}
