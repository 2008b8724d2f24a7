//! Calls of a tool: how long, how many, and what the processors do for each.

use super::super::table::{Row, Table};
use super::figures::{Figures, number};
use super::load::Measured;
use super::running::{Gateway, Running, http, stdio};
use super::stage::{Cores, Stage, Upstream};
use super::{cell, missed};

/// What was measured of one who answers, in rounds.
#[derive(Default)]
pub(super) struct Series {
    pub(super) p50: Figures,
    /// What 99 of 100 calls stay under, over the median of the same round.
    pub(super) tail: Figures,
    pub(super) rate: Figures,
    /// Microseconds of the processors a call.
    pub(super) processor: Figures,
    pub(super) failed: Option<String>,
}

impl Series {
    /// Measures once more.
    pub(super) fn round(&mut self, running: Option<&Running>, ask: impl Fn() -> Result<Measured, String>) {
        if self.failed.is_some() {
            return;
        }
        let before = running.map_or(0.0, Running::processor);
        match ask() {
            Ok(measured) => {
                let used = running.map_or(0.0, Running::processor) - before;
                self.p50.add(measured.p50);
                self.tail.add(measured.p99 / measured.p50);
                self.rate.add(measured.rate());
                self.processor.add(used / measured.calls);
            }
            Err(why) => self.failed = Some(why),
        }
    }

    /// Adds a row, or why there is none.
    fn row(&self, table: &mut Table, row: Row) {
        table.push(match &self.failed {
            Some(why) => Row { measured: cell(why), met: Some(false), ratio: None, ..row },
            None => row,
        });
    }
}

/// The two ways to a server behind the gateway, and the direct one.
struct Three {
    direct: Upstream,
    gateway: Result<Gateway, String>,
}

/// The servers behind the gateway: how their upstream speaks, and their names.
const SERVERS: [(&str, &str); 2] = [("stdio", "echo"), ("http", "far")];

impl Three {
    fn start(stage: &Stage, cores: Cores) -> Result<Self, String> {
        let direct = stage.upstream(cores, "--legacy")?;
        let catalogue = stdio("echo", stage, &["--legacy"]) + &http("far", &direct.url);
        let gateway = Gateway::start(stage, cores, &catalogue, &SERVERS.map(|(_, name)| name));
        Ok(Self { direct, gateway })
    }

    /// Measures all of them in turn, so that whatever else the machine does hits all: the direct way first, then
    /// each of the servers.
    fn measure(&self, stage: &Stage, cores: Cores, args: &str) -> (Series, [Series; 2]) {
        let (mut direct, mut servers) = (Series::default(), <[Series; 2]>::default());
        let ask = |url: &str| stage.ask(cores, url, &format!("calls --seconds {} {args}", stage.seconds));
        // What runs for the first time is slower.
        let warm = |url: &str| drop(stage.ask(cores, url, &format!("calls --seconds 0.2 {args}")));
        warm(&self.direct.url);
        for _ in 0..stage.rounds {
            direct.round(None, || ask(&self.direct.url));
            for ((_, name), series) in SERVERS.iter().zip(&mut servers) {
                match &self.gateway {
                    Ok(gateway) => {
                        let url = gateway.url(name);
                        warm(&url);
                        series.round(Some(&gateway.running), || ask(&url));
                    }
                    Err(why) => series.failed = Some(why.clone()),
                }
            }
        }
        (direct, servers)
    }
}

/// On all cores, one caller and many.
pub(super) fn plain(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let three = Three::start(stage, Cores::All)?;
    let (direct, servers) = three.measure(stage, Cores::All, "--warm 0");
    alone(table, "", &direct, &servers);
    let (direct, servers) = three.measure(stage, Cores::All, "--callers 64 --warm 0");
    many(table, "", &direct, &servers);
    Ok(())
}

/// On all cores, by a client of the era without sessions.
pub(super) fn modern(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let direct = stage.upstream(Cores::All, "")?;
    let catalogue = stdio("echo", stage, &[]) + &http("far", &direct.url);
    let gateway = Gateway::start(stage, Cores::All, &catalogue, &SERVERS.map(|(_, name)| name));
    let three = Three { direct, gateway };
    let (direct, servers) = three.measure(stage, Cores::All, "--warm 0 --era modern");
    alone(table, " of a modern client", &direct, &servers);
    let (direct, servers) = three.measure(stage, Cores::All, "--callers 64 --warm 0 --era modern");
    many(table, " of modern clients", &direct, &servers);
    Ok(())
}

/// The rows of one caller.
fn alone(table: &mut Table, whose: &str, direct: &Series, servers: &[Series; 2]) {
    if let Some(why) = &direct.failed {
        table.push(missed(&format!("call{whose}, direct"), why));
    }
    for ((kind, _), series) in SERVERS.iter().zip(servers) {
        let added = series.p50.median() - direct.p50.median();
        let what = format!("call{whose}, 1 caller, {kind} upstream");
        series.row(
            table,
            Row {
                what: format!("{what}: p50"),
                baseline: format!("direct {}", direct.p50.told("us")),
                goal: "direct + 60 us".to_owned(),
                measured: format!("{}; {} us added", series.p50.told("us"), number(added)),
                ratio: Some(series.p50.median() / direct.p50.median()),
                met: Some(added <= 60.0),
            },
        );
        series.row(
            table,
            Row {
                what: format!("{what}: p99 over p50"),
                baseline: format!("direct {}", direct.tail.told("times")),
                goal: "3 times".to_owned(),
                measured: series.tail.told("times"),
                ratio: None,
                // Where even the direct way is like that, the machine is busy, and says nothing.
                met: (direct.tail.median() < 3.0 || series.tail.median() < 3.0)
                    .then(|| series.tail.median() < 3.0),
            },
        );
        series.row(
            table,
            Row {
                what: format!("{what}: processor a call"),
                goal: "25 us".to_owned(),
                measured: series.processor.told("us"),
                met: Some(series.processor.median() <= 25.0),
                ..Row::default()
            },
        );
    }
}

/// The rows of many callers.
fn many(table: &mut Table, whose: &str, direct: &Series, servers: &[Series; 2]) {
    for ((kind, _), series) in SERVERS.iter().zip(servers) {
        let what = format!("calls{whose}, 64 callers, {kind} upstream");
        series.row(
            table,
            Row {
                what: format!("{what}: calls a second"),
                baseline: format!("direct {}", direct.rate.told("a second")),
                goal: "40,000".to_owned(),
                measured: series.rate.told("a second"),
                ratio: Some(series.rate.median() / direct.rate.median()),
                met: Some(series.rate.median() >= 40_000.0),
            },
        );
        series.row(
            table,
            Row {
                what: format!("{what}: processor a call"),
                measured: series.processor.told("us"),
                ..Row::default()
            },
        );
    }
}

/// Everything on one core: what is measured is work, and no waking up of another core.
pub(super) fn pinned(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let three = Three::start(stage, Cores::One)?;
    let (direct, servers) = three.measure(stage, Cores::One, "--warm 0");
    for ((kind, _), series) in SERVERS.iter().zip(&servers) {
        let (time, work) = if *kind == "stdio" { (40.0, 25.0) } else { (50.0, 30.0) };
        let what = format!("call, all on one core, 1 caller, {kind} upstream");
        series.row(
            table,
            Row {
                what: format!("{what}: p50"),
                baseline: format!("direct {}", direct.p50.told("us")),
                goal: format!("{time} us"),
                measured: series.p50.told("us"),
                ratio: Some(series.p50.median() / direct.p50.median()),
                met: Some(series.p50.median() <= time),
            },
        );
        series.row(
            table,
            Row {
                what: format!("{what}: processor a call"),
                goal: format!("{work} us"),
                measured: series.processor.told("us"),
                met: Some(series.processor.median() <= work),
                ..Row::default()
            },
        );
    }
    Ok(())
}

/// Answers of 64 KiB.
pub(super) fn big(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let three = Three::start(stage, Cores::All)?;
    let (direct, servers) = three.measure(stage, Cores::All, "--warm 0 --tool big --big --bytes 65536");
    for ((kind, _), series) in SERVERS.iter().zip(&servers) {
        let ratio = series.p50.median() / direct.p50.median();
        series.row(
            table,
            Row {
                what: format!("call with an answer of 64 KiB, 1 caller, {kind} upstream: p50"),
                baseline: format!("direct {}", direct.p50.told("us")),
                goal: "1.5 times direct".to_owned(),
                measured: format!("{}; processor {}", series.p50.told("us"), series.processor.told("us")),
                ratio: Some(ratio),
                met: Some(ratio <= 1.5),
            },
        );
    }
    Ok(())
}
