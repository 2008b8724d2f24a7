//! A list of a thousand tools.

use super::super::table::{Row, Table};
use super::figures::Figures;
use super::load::Measured;
use super::missed;
use super::running::{Gateway, http, stdio};
use super::stage::{Cores, Stage};

/// How many tools there are.
const TOOLS: usize = 1_000;

/// How long a list may take, in milliseconds.
const GOAL: f64 = 2.0;

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let count = format!("--legacy --tools {TOOLS}");
    let direct = stage.upstream(Cores::All, &count)?;
    let near = stdio("near", stage, &["--legacy", "--tools", &TOOLS.to_string()]);
    let gateway = Gateway::start(stage, Cores::All, &near, &["near"]);
    let other = Gateway::start(stage, Cores::All, &http("far", &direct.url), &["far"]);
    let routes = [
        ("of one server, stdio upstream", gateway.as_ref().map(|gateway| gateway.url("near"))),
        ("of one server, http upstream", other.as_ref().map(|gateway| gateway.url("far"))),
        ("of all servers", gateway.as_ref().map(|gateway| gateway.home.url("/mcp"))),
    ];
    let ask = |url: &str| -> Result<Measured, String> {
        stage.ask(Cores::All, url, &format!("list --count 100 --tools {TOOLS}"))
    };
    let mut baseline = Figures::default();
    for _ in 0..stage.rounds {
        baseline.add(ask(&direct.url)?.p50 / 1e3);
    }
    for (whose, url) in routes {
        let what = format!("list of {TOOLS} tools {whose}");
        let mut figures = Figures::default();
        let done = url.map_err(Clone::clone).and_then(|url| {
            for _ in 0..stage.rounds {
                figures.add(ask(&url)?.p50 / 1e3);
            }
            Ok(())
        });
        match done {
            Ok(()) => table.push(Row {
                what,
                baseline: format!("direct {}", baseline.told("ms")),
                goal: format!("{GOAL} ms"),
                measured: figures.told("ms"),
                ratio: Some(figures.median() / baseline.median()),
                met: Some(figures.median() <= GOAL),
            }),
            Err(why) => table.push(missed(&what, &why)),
        }
    }
    Ok(())
}
