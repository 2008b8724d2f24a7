//! What stands between a client and the gateway: `connect`, one for each client and server.

use std::process::Stdio;

use super::super::proc;
use super::super::table::{Row, Table};
use super::figures::{Figures, number};
use super::load;
use super::missed;
use super::running::{Gateway, stdio};
use super::stage::{Cores, Stage};
use super::three::Bridge;

/// How often it is started in a round.
const STARTS: usize = 20;

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let catalogue = stdio("echo", stage, &["--legacy"]);
    let gateway = Gateway::start(stage, Cores::All, &catalogue, &["echo"])?;
    let row = up(stage, &gateway);
    table.push(row.unwrap_or_else(|why| missed("`connect`, from start to first list", &why)));
    let row = memory(stage, &gateway);
    table.push(row.unwrap_or_else(|why| missed("memory of `connect`", &why)));
    drop(gateway);
    let gateway = Gateway::start(stage, Cores::One, &catalogue, &["echo"])?;
    messages(stage, &gateway, table)
}

/// From its start until its client has a list, the daemon being there.
fn up(stage: &Stage, gateway: &Gateway) -> Result<Row, String> {
    let (mut direct, mut ours) = (Figures::default(), Figures::default());
    for _ in 0..stage.rounds * STARTS {
        let mut command = stage.load(Cores::All, "first-list --tools 2 --");
        direct.add(load::measure(command.arg(&stage.echo))?.right()?.p50 / 1e3);
        let mut command = stage.load(Cores::All, "first-list --tools 2 --");
        gateway.home.surround(&mut command);
        let command = command.arg(&stage.switchboard).args(["connect", "echo"]);
        ours.add(load::measure(command)?.right()?.p50 / 1e3);
    }
    Ok(Row {
        what: "`connect`, from start to first list".to_owned(),
        baseline: format!("the server itself {}", direct.told("ms")),
        goal: "3 ms".to_owned(),
        measured: ours.told("ms"),
        ratio: Some(ours.median() / direct.median()),
        met: Some(ours.median() <= 3.0),
    })
}

fn memory(stage: &Stage, gateway: &Gateway) -> Result<Row, String> {
    let (mut private, mut resident) = (Figures::default(), Figures::default());
    for _ in 0..stage.rounds {
        let bridge =
            Bridge::open(gateway.home.command(Cores::All, &["connect", "echo"]).stderr(Stdio::null()))?;
        let memory = proc::memory(bridge.pid())?;
        let below = proc::family(bridge.pid(), &stage.echo).len() - 1;
        if below > 0 {
            return Err(format!("it has started {below} processes of its own"));
        }
        private.add(kib(memory.private));
        resident.add(kib(memory.resident));
    }
    Ok(Row {
        what: "memory of `connect`".to_owned(),
        baseline: format!("{} with what it shares", resident.told("KiB")),
        goal: "1,024 KiB".to_owned(),
        measured: format!("{} private", private.told("KiB")),
        met: Some(private.median() <= 1_024.0),
        ..Row::default()
    })
}

#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
fn kib(size: u64) -> f64 {
    size as f64
}

/// What it adds to a message, everything on one core: beside a client that speaks to the gateway itself.
fn messages(stage: &Stage, gateway: &Gateway, table: &mut Table) -> Result<(), String> {
    let (mut without, mut with, mut work) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..stage.rounds {
        let calls = format!("calls --warm 0 --seconds {}", stage.seconds);
        without.add(stage.ask(Cores::One, &gateway.url("echo"), &calls)?.p50);
        let mut command = stage.load(Cores::One, &format!("{calls} --"));
        gateway.home.surround(&mut command);
        let command = command.arg(&stage.switchboard).args(["connect", "echo"]);
        let measured = load::measure(command)?.right()?;
        with.add(measured.p50);
        work.add(measured.command / measured.calls / 2.0);
    }
    let added = (with.median() - without.median()) / 2.0;
    table.push(Row {
        what: "`connect`, processor a message, all on one core".to_owned(),
        goal: "20 us".to_owned(),
        measured: work.told("us"),
        met: Some(work.median() <= 20.0),
        ..Row::default()
    });
    table.push(Row {
        what: "call through `connect`, all on one core, 1 caller: p50".to_owned(),
        baseline: format!("over HTTP {}", without.told("us")),
        goal: "20 us more each way".to_owned(),
        measured: format!("{}; {} us more each way", with.told("us"), number(added)),
        ratio: Some(with.median() / without.median()),
        met: Some(added <= 20.0),
    });
    Ok(())
}
