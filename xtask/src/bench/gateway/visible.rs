//! From a saved catalogue to the tool that comes with it.

use super::super::table::{Row, Table};
use super::figures::Figures;
use super::load;
use super::missed;
use super::running::{Gateway, stdio};
use super::stage::{Cores, Stage};

/// How often the catalogue is changed in a round.
const CHANGES: usize = 5;

/// How long it may take, in milliseconds.
const GOAL: f64 = 50.0;

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let base = stdio("echo", stage, &["--legacy"]);
    let gateway = Gateway::start(stage, Cores::All, &base, &["echo"])?;
    for change in ["added", "changed"] {
        for by in ["fresh", "open"] {
            let what = format!("catalogue saved -> tool of a server that is {change} in {by} session");
            let what = what.replace("in fresh", "in a fresh").replace("in open", "in an open");
            let figures = all(stage, &gateway, &base, change, by);
            match figures {
                Ok(figures) => table.push(Row {
                    what,
                    goal: format!("{GOAL} ms"),
                    measured: figures.told("ms"),
                    met: Some(figures.median() <= GOAL),
                    ..Row::default()
                }),
                Err(why) => table.push(missed(&what, &why)),
            }
        }
    }
    Ok(())
}

/// Measures in rounds, and leaves the catalogue as it was.
fn all(stage: &Stage, gateway: &Gateway, base: &str, change: &str, by: &str) -> Result<Figures, String> {
    let mut figures = Figures::default();
    for round in 0..stage.rounds {
        figures.add(watch(stage, gateway, base, change, by, round)?);
    }
    gateway.home.save(base)?;
    Ok(figures)
}

/// Changes the catalogue some times and returns the median until the change is seen, in milliseconds.
fn watch(
    stage: &Stage,
    gateway: &Gateway,
    base: &str,
    change: &str,
    by: &str,
    round: usize,
) -> Result<f64, String> {
    let home = &gateway.home;
    let mut command = stage.load(Cores::All, &format!("--url {} visible --by {by}", home.url("/mcp")));
    command.arg("--file").arg(home.catalogue());
    let mut text = base.to_owned();
    for at in 0..CHANGES {
        // A tool that nobody has seen yet, so that none is taken for another.
        let tool = format!("{change}_{by}_{round}_{at}");
        let extra = ["--legacy", "--extra", &tool];
        if change == "added" {
            text += &stdio(&tool.replace('_', "-"), stage, &extra);
        } else {
            text = stdio("echo", stage, &extra);
        }
        let next = home.write(&format!("next/{tool}.toml"), &text)?;
        command.arg("--next").arg(format!("{}={tool}", next.display()));
    }
    Ok(load::measure(command.env_clear())?.right()?.p50 / 1e3)
}
