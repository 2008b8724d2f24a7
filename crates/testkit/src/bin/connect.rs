//! `connect` without a catalogue, for tests: `testkit-connect NAME LAUNCH-AS-JSON`.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use switchboard::connect::{self, Context};
use switchboard_core::launch::Launch;
use switchboard_host::child::{GUARD, Grace, guard};
use switchboard_host::resolve::Resolver;
use switchboard_host::secret::FileSecrets;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [GUARD, ..] => ExitCode::from(guard()),
        [name, launch] => ExitCode::from(pipe(name, launch)),
        _ => ExitCode::from(2),
    }
}

fn pipe(name: &str, launch: &str) -> u8 {
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
    match connect::run(name, &launch, &Context { resolver, grace: Grace::default() }) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("{error}"));
            if let Some(help) = error.help() {
                say(&format!("hint: {help}"));
            }
            1
        }
    }
}

fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "switchboard: {sentence}");
}
