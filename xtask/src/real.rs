//! `cargo xtask real`: what is proposed for the tools of servers that people use, and what their clients make of a policy.
//!
//! The servers are asked by the program itself, in a home of their own, and what it says of each tool is compared with
//! `docs/policy-of-real-servers.md`, which is there to be read: a proposal that a careful person would not make is seen
//! in its difference.

mod held;
mod judged;
mod servers;
mod table;

use std::path::PathBuf;

use crate::clients;
use crate::steps::{cargo, run as run_step, target};

/// Compares what is proposed with what is kept, then has clients call; `--write` keeps what is proposed now instead.
///
/// # Errors
/// Something could not be installed, built or started, a proposal is another one, or a call does not end as it must.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let keeps = match words {
        [] => false,
        [word] if word == "--write" => true,
        [word, ..] => return Err(format!("there is no `{word}`: there is --write")),
    };
    servers::install()?;
    clients::install()?;
    // Built as the tests are: with other features they would be other programs, and take minutes more.
    run_step(&mut cargo(["test", "--workspace", "--tests", "--bins", "--no-run", "--quiet"]))?;
    let tools = judged::all(&folder()?.join("servers"))?;
    if keeps {
        return table::keep(&tools);
    }
    let compared = table::compare(&tools);
    let held = held::tell(&folder()?.join("clients"));
    match (compared, held) {
        (Err(one), Err(other)) => Err(format!("{one}; {other}")),
        (one, other) => one.and(other),
    }
}

/// Where everything is noted, and the homes are.
fn folder() -> Result<PathBuf, String> {
    Ok(target()?.join("real"))
}
