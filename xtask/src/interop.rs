//! `cargo xtask interop`: the official SDKs as clients and as servers, directly and with the gateway between them.
//!
//! It is a differential: what a pair passes directly, it must pass through the gateway too, over every transport on
//! either side, and see the same. What cannot be so stands in `conformance/interop.toml`, with the reason, for as long
//! as it cannot. What a pair does not even pass directly stands there as well, so that nothing fails unnoticed.
//!
//! Applications that people use come after that, see `apps`.

mod apps;
mod cells;
mod plan;
mod report;
mod sdk;
mod stage;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) use sdk::scripts;

use crate::clients;
use crate::exceptions::Exceptions;
use crate::process::run_bounded;
use crate::steps::{cargo, root, run as run_step};
use cells::{Cells, Path as Way};
use report::Report;
use sdk::{CLIENTS, Client};
use stage::Stage;

/// Where the exceptions stand, from the root.
const EXCEPTIONS: &str = "conformance/interop.toml";

/// How long one client may take for all servers: far more than it needs.
const LIMIT: Duration = Duration::from_secs(240);

/// Runs every pair; words name clients, such as `ts1`.
///
/// # Errors
/// Something could not be installed, built or started, or a check did not come out as it must.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let names: Vec<&str> = CLIENTS.iter().map(|client| client.name).collect();
    if let Some(word) = words.iter().find(|word| !names.contains(&word.as_str())) {
        return Err(format!("there is no `{word}`: there are {}", names.join(", ")));
    }
    let wanted = |client: &&Client| words.is_empty() || words.iter().any(|word| word == client.name);
    let clients: Vec<&Client> = CLIENTS.iter().filter(wanted).collect();

    sdk::install()?;
    clients::install()?;
    // Built as the tests are: with other features they would be other programs, and take minutes more.
    run_step(&mut cargo(["test", "--workspace", "--tests", "--bins", "--no-run", "--quiet"]))?;
    let exceptions = Exceptions::read(&root().join(EXCEPTIONS))?;
    let stage = Stage::set()?;
    let cells = visit_all(&stage, &clients)?;
    let report = Report::new(&cells, &exceptions);
    print!("{report}");
    let apps = if words.is_empty() { apps::visit(&stage) } else { Ok(()) };
    report.verdict().and(apps)
}

/// Has every client visit all servers: directly in one thread, through the gateway in another.
///
/// Only one client is at the gateway at a time. They share the servers behind it, and a question of a shared server's
/// belongs to nobody while several are calling: which of them it is then refused to depends on who is faster.
fn visit_all(stage: &Stage, clients: &[&Client]) -> Result<Cells, String> {
    let cells = Mutex::new(Ok(Cells::default()));
    std::thread::scope(|scope| {
        for ways in [&[Way::Direct][..], &[Way::Stdio, Way::Http]] {
            let (cells, stage) = (&cells, stage);
            scope.spawn(move || {
                for client in clients {
                    let visited = visit(stage, client, ways);
                    if let Ok(mut cells) = cells.lock() {
                        match (&mut *cells, visited) {
                            (Ok(all), Ok(more)) => all.0.extend(more.0),
                            (cells @ Ok(_), Err(why)) => *cells = Err(format!("{}: {why}", client.name)),
                            (Err(_), _) => {}
                        }
                    }
                }
            });
        }
    });
    cells.into_inner().map_err(|_| "a visit broke off".to_owned())?
}

fn visit(stage: &Stage, client: &Client, ways: &[Way]) -> Result<Cells, String> {
    let begun = std::time::Instant::now();
    let name = format!("{}-{}", client.name, if ways == [Way::Direct] { "direct" } else { "gateway" });
    let file = |ending: &str| stage.folder.join(format!("{name}.{ending}"));
    let (plan, output) = (file("plan"), file("out"));
    plan::write(&plan, stage, ways)?;
    let ended = run_bounded(&mut client.command(&plan)?, &output, LIMIT)?;
    let told = std::fs::File::open(&output).map_err(|error| error.to_string())?;
    let cells = Cells::read(client.name, &std::io::read_to_string(told).map_err(|error| error.to_string())?)?;
    println!("{name} was at {} servers, {:.1} s", cells.0.len(), begun.elapsed().as_secs_f64());
    let expected = ways.len() * stage.servers.len();
    if ended && cells.0.len() == expected {
        return Ok(cells);
    }
    let why = if ended { "ended" } else { "was ended" };
    let (log, seen) = (Path::new(&output).with_extension("err"), cells.0.len());
    Err(format!("{name} {why} after {seen} of {expected} servers; see {}", log.display()))
}
