//! Calls while the catalogue is saved again and again: none may fail, and none may wait.

use std::thread;
use std::time::Duration;

use super::super::table::{Row, Table};
use super::figures::Figures;
use super::load::{self, Measured};
use super::running::{Gateway, stdio};
use super::stage::{Cores, Stage};

/// How often the catalogue is saved in a round.
const SAVES: u32 = 20;

/// How long it is left alone in between.
const PAUSE: Duration = Duration::from_millis(150);

/// How long the worst call to a server that is not changed may take, in milliseconds.
const GOAL: f64 = 7.0;

/// What one round has seen.
struct Round {
    quiet: Measured,
    steady: Measured,
    changed: Measured,
}

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let catalogue = |version: u32| {
        let tool = format!("version_{version}");
        stdio("echo", stage, &["--legacy"]) + &stdio("other", stage, &["--legacy", "--extra", &tool])
    };
    let gateway = Gateway::start(stage, Cores::All, &catalogue(0), &["echo", "other"])?;
    let seconds = PAUSE.as_secs_f64() * f64::from(SAVES);
    let line = |server: &str| {
        let url = gateway.url(server);
        stage.load(Cores::All, &format!("--url {url} calls --callers 2 --seconds {seconds}"))
    };
    let round = |number: u32| -> Result<Round, String> {
        let quiet = load::measure(line("echo").env_clear())?.right()?;
        thread::scope(|scope| {
            let [steady, changed] = ["echo", "other"].map(|server| {
                let mut command = line(server);
                scope.spawn(move || load::measure(command.env_clear()))
            });
            for save in 0..SAVES {
                gateway.home.save(&catalogue(number * SAVES + save + 1))?;
                thread::sleep(PAUSE);
            }
            let joined = |thread: thread::ScopedJoinHandle<'_, Result<Measured, String>>| {
                thread.join().map_err(|_| "the load generator is gone".to_owned())?
            };
            Ok(Round { quiet, steady: joined(steady)?, changed: joined(changed)? })
        })
    };
    let (mut quiet, mut worst) = (Figures::default(), Figures::default());
    let [mut steady, mut changed] = [(0.0, 0.0), (0.0, 0.0)];
    for (number, _) in (0..).zip(0..stage.rounds) {
        let round = round(number)?;
        quiet.add(round.quiet.max / 1e3);
        worst.add(round.steady.max / 1e3);
        steady = (steady.0 + round.steady.calls, steady.1 + round.steady.failed + round.steady.wrong);
        changed = (changed.0 + round.changed.calls, changed.1 + round.changed.failed + round.changed.wrong);
    }
    table.push(Row {
        what: format!("worst call to a server that stays, {SAVES} saved changes of another one"),
        baseline: format!("nothing changed {}", quiet.told("ms")),
        goal: format!("{GOAL} ms"),
        measured: worst.told("ms"),
        ratio: Some(worst.median() / quiet.median()),
        met: Some(worst.median() <= GOAL),
    });
    for (what, (calls, failed)) in [("stays", steady), ("is changed", changed)] {
        table.push(Row {
            what: format!("calls that fail meanwhile, to the server that {what}"),
            goal: "none".to_owned(),
            measured: format!("{failed} of {calls}"),
            met: Some(failed < 1.0 && calls > 0.0),
            ..Row::default()
        });
    }
    Ok(())
}
