//! Memory at rest, and sessions: how fast they open and what they cost while they do nothing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::super::proc;
use super::super::table::{Row, Table};
use super::figures::{Figures, number};
use super::missed;
use super::running::{Gateway, http, stdio};
use super::stage::{Cores, Stage};

/// What a gateway may hold at rest, in MiB.
const REST: f64 = 12.0;

/// How long it is left alone before.
const PAUSE: Duration = Duration::from_secs(2);

/// After so long the connections by which sessions began are closed, and their memory is given back.
const SETTLED: Duration = Duration::from_secs(28);

/// Many sessions, and what they may cost, in MB.
const MANY: usize = 10_000;
const ROOM: f64 = 150.0;

/// Memory of a gateway that was used a little.
pub(super) fn idle(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let far = stage.upstream(Cores::All, "--legacy")?;
    for (kind, catalogue) in
        [("stdio", stdio("echo", stage, &["--legacy"])), ("http", http("echo", &far.url))]
    {
        let what = format!("memory at rest, one {kind} upstream");
        let (mut resident, mut guards) = (Figures::default(), Figures::default());
        let done = (0..stage.rounds).try_for_each(|_| {
            let gateway = Gateway::start(stage, Cores::All, &catalogue, &["echo"])?;
            thread::sleep(PAUSE);
            let own = gateway.running.own();
            resident.add(mib(proc::memory(gateway.running.pid())?.resident));
            guards.add(mib(own
                .iter()
                .skip(1)
                .filter_map(|pid| proc::memory(*pid).ok())
                .map(|one| one.private)
                .sum()));
            Ok::<(), String>(())
        });
        match done {
            Ok(()) => table.push(Row {
                what,
                goal: format!("{REST} MiB"),
                measured: format!("{}; its guards {} of their own", resident.told("MiB"), guards.told("MiB")),
                met: Some(resident.median() + guards.median() <= REST),
                ..Row::default()
            }),
            Err(why) => table.push(missed(&what, &why)),
        }
    }
    Ok(())
}

/// A hundred sessions opened at once, and ten thousand that stay.
pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let direct = stage.upstream(Cores::All, "--legacy")?;
    let catalogue = stdio("echo", stage, &["--legacy"]) + &http("far", &direct.url);
    let gateway = Gateway::start(stage, Cores::All, &catalogue, &["echo", "far"]);
    let mut baseline = Figures::default();
    let hundred = |figures: &mut Figures, url: &str| {
        for _ in 0..stage.rounds * 3 {
            let (held, took) = Held::open(stage, url, "--count 100 --at-once 100")?;
            held.close()?;
            figures.add(took);
        }
        Ok::<(), String>(())
    };
    hundred(&mut baseline, &direct.url)?;
    for (kind, server) in [("stdio", "echo"), ("http", "far")] {
        let what = format!("100 sessions opened at once, {kind} upstream");
        let mut figures = Figures::default();
        let done = gateway
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|gateway| hundred(&mut figures, &gateway.url(server)));
        match done {
            Ok(()) => table.push(Row {
                what,
                baseline: format!("direct {}", baseline.told("ms")),
                goal: "30 ms".to_owned(),
                measured: figures.told("ms"),
                ratio: Some(figures.median() / baseline.median()),
                met: Some(figures.median() <= 30.0),
            }),
            Err(why) => table.push(missed(&what, &why)),
        }
    }
    drop(gateway);
    for (how, flag) in [("each with its stream open", "--streams"), ("without a stream", "")] {
        let what = format!("{MANY} idle sessions, {how}: memory");
        match many(stage, &catalogue, flag) {
            Ok(row) => table.push(Row { what, ..row }),
            Err(why) => table.push(missed(&what, &why)),
        }
    }
    Ok(())
}

fn many(stage: &Stage, catalogue: &str, flag: &str) -> Result<Row, String> {
    let gateway = Gateway::start(stage, Cores::All, catalogue, &["echo"])?;
    let before = gateway.running.memory();
    let (held, took) = Held::open(stage, &gateway.url("echo"), &format!("--count {MANY} {flag}"))?;
    thread::sleep(PAUSE);
    let fresh = gateway.running.memory();
    thread::sleep(SETTLED);
    let with = gateway.running.memory();
    held.close()?;
    let each = with.private.saturating_sub(before.private) * 1024 / 10_000;
    Ok(Row {
        baseline: format!("{} MB before; opened in {} ms", number(mb(before.resident)), number(took)),
        goal: format!("{ROOM} MB"),
        measured: format!(
            "{} MB, {} B each, after half a minute; {} MB at once",
            number(mb(with.resident)),
            each,
            number(mb(fresh.resident))
        ),
        met: Some(mb(with.resident) <= ROOM),
        ..Row::default()
    })
}

/// Sessions that are kept open.
struct Held(Child);

impl Held {
    /// Opens them and returns how long that took, in milliseconds.
    fn open(stage: &Stage, url: &str, args: &str) -> Result<(Self, f64), String> {
        let mut command = stage.load(Cores::All, &format!("--url {url} sessions {args}"));
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut held = Self(command.spawn().map_err(|error| error.to_string())?);
        let mut line = String::new();
        if let Some(stdout) = held.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let told: serde_json::Value =
            serde_json::from_str(&line).map_err(|_| "the load generator says nothing".to_owned())?;
        if told["failed"] != 0 {
            return Err(format!("{} could not be opened: {}", told["failed"], told["reasons"]));
        }
        Ok((held, told["took"].as_f64().unwrap_or(f64::NAN) / 1e6))
    }

    fn close(mut self) -> Result<(), String> {
        drop(self.0.stdin.take());
        self.0.wait().map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
pub(super) fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
pub(super) fn mb(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}
