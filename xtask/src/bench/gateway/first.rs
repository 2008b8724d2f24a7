//! From the start of the process to the first list of tools.

use super::super::free_port;
use super::super::table::{Row, Table};
use super::figures::Figures;
use super::load;
use super::running::{Home, http, stdio};
use super::stage::{Cores, Stage};
use super::{cell, missed};

/// How often it is started in a round.
const STARTS: usize = 5;

/// How long it may take, in milliseconds.
const GOAL: f64 = 30.0;

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let port = free_port()?;
    let line = format!("--url http://127.0.0.1:{port}/mcp first-list --tools 2 --");
    let direct = || {
        let mut command = stage.load(Cores::All, &line);
        command.arg(&stage.echo).args(["--http", &format!("127.0.0.1:{port}")]);
        load::measure(&mut command)?.right()
    };
    let far = stage.upstream(Cores::All, "--legacy")?;
    let homes = [("stdio", stdio("echo", stage, &["--legacy"])), ("http", http("echo", &far.url))]
        .map(|(kind, catalogue)| Home::new(stage, &catalogue).map(|home| (kind, home)));
    let mut baseline = Figures::default();
    for _ in 0..STARTS {
        baseline.add(direct()?.p50 / 1e3);
    }
    for home in homes {
        let (kind, home) = home?;
        let start = || {
            let line = format!("--url {} first-list --tools 2 --", home.url("/mcp/echo"));
            let mut command = stage.load(Cores::All, &line);
            home.surround(&mut command);
            load::measure(command.arg(&stage.switchboard).arg("serve"))?.right()
        };
        let what = format!("from start to first list, registry warm, {kind} upstream");
        let mut figures = Figures::default();
        // The first time the registry knows nothing.
        let cold = start().map(|cold| cold.p50 / 1e3);
        let failed = (0..stage.rounds * STARTS).find_map(|_| match start() {
            Ok(measured) => {
                figures.add(measured.p50 / 1e3);
                None
            }
            Err(why) => Some(why),
        });
        match (cold, failed) {
            (Ok(cold), None) => table.push(Row {
                what,
                baseline: format!("the upstream alone {}; cold {cold:.0} ms", baseline.told("ms")),
                goal: format!("{GOAL} ms"),
                measured: figures.told("ms"),
                ratio: Some(figures.median() / baseline.median()),
                met: Some(figures.median() <= GOAL),
            }),
            (Err(why), _) | (_, Some(why)) => table.push(missed(&what, &cell(&why))),
        }
    }
    Ok(())
}
