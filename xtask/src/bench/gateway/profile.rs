//! Where the gateway's time goes: `cargo xtask bench gateway --profile stdio|http|modern`; the last is a modern client
//! with a modern server behind a pipe.
//!
//! It is built once more, with the names of its functions, into a folder of its own. Where `perf` works, it watches
//! calls of one caller and of many; else `valgrind` counts the instructions of some calls.

use std::path::Path;
use std::process::Command;

use super::super::{cargo, output, print, target};
use super::note;
use super::running::{Gateway, Home, http, stdio};
use super::stage::{Cores, Stage};
use super::told::Told;

/// How many lines of a report are shown.
const LINES: usize = 70;

/// How long `perf` watches, in seconds.
const WATCHED: &str = "5";

/// How many calls `valgrind` sees: with it everything takes fifty times as long.
const CALLS: usize = 2_000;

pub(super) fn run(told: &Told, upstream: &str) -> Result<(), String> {
    let kinds = ["stdio", "http", "modern"];
    if !kinds.contains(&upstream) {
        return Err(format!("there is no upstream `{upstream}`: there are {}", kinds.join(", ")));
    }
    let target = target()?;
    let folder = target.join("profile");
    output(cargo().args(["build", "--quiet", "--release", "--bins", "--package", "testkit"]))?;
    if told.program.is_none() {
        note("build with the names of functions");
        let mut build = cargo();
        build
            .args(["build", "--quiet", "--release", "--package", "switchboard", "--target-dir"])
            .arg(&folder);
        build
            .env("CARGO_PROFILE_RELEASE_STRIP", "none")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
        output(&mut build)?;
    }
    let stage = Stage::new(told, &target, folder.join("release/switchboard"))?;
    let far = stage.upstream(Cores::All, "--legacy")?;
    let catalogue = match upstream {
        "stdio" => stdio("echo", &stage, &["--legacy"]),
        "modern" => stdio("echo", &stage, &[]),
        _ => http("echo", &far.url),
    };
    let works = output(Command::new("perf").args(["record", "--quiet", "--output", "/dev/null", "true"]));
    if works.is_ok() {
        for callers in [1, 64] {
            let era = if upstream == "modern" { " --era modern" } else { "" };
            perf(
                &stage,
                &catalogue,
                &format!("{callers}{era}"),
                &folder.join(format!("perf-{upstream}-{callers}.data")),
            )?;
        }
        return Ok(());
    }
    callgrind(&stage, &catalogue, &folder.join(format!("callgrind-{upstream}.out")))
}

/// Samples where it is while it answers calls.
fn perf(stage: &Stage, catalogue: &str, callers: &str, data: &Path) -> Result<(), String> {
    let gateway = Gateway::start(stage, Cores::All, catalogue, &["echo"])?;
    let url = gateway.url("echo");
    let pid = gateway.running.pid().to_string();
    let mut record = Command::new("perf");
    record.args(["record", "--quiet", "--freq", "4999", "-g", "--pid", &pid, "--output"]).arg(data);
    record.args(["--", "sleep", WATCHED]);
    let calls = format!("calls --callers {callers} --seconds {WATCHED}");
    let measured = std::thread::scope(|scope| {
        let recorded = scope.spawn(|| output(&mut record));
        let measured = stage.ask(Cores::All, &url, &calls);
        recorded.join().map_err(|_| "`perf` is gone".to_owned())??;
        measured
    })?;
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "--call-graph", "none", "--input"]).arg(data);
    show(&format!("{callers} callers, {:.0} calls a second", measured.rate()), &output(&mut report)?, data);
    Ok(())
}

/// Counts the instructions of some calls.
fn callgrind(stage: &Stage, catalogue: &str, data: &Path) -> Result<(), String> {
    let home = Home::new(stage, catalogue)?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet", &format!("--callgrind-out-file={}", data.display())]);
    command.arg(&stage.switchboard).arg("serve");
    home.surround(&mut command);
    let gateway = Gateway::run(stage, home, command, &["echo"])?;
    stage.ask(Cores::All, &gateway.url("echo"), &format!("calls --calls {CALLS}"))?;
    // It writes what it counted when it ends.
    drop(gateway);
    let report = output(Command::new("callgrind_annotate").arg("--inclusive=no").arg(data))?;
    show(&format!("instructions of start and {CALLS} calls"), &report, data);
    Ok(())
}

fn show(what: &str, report: &str, data: &Path) {
    let lines = report.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let shown: Vec<_> = lines.take(LINES).collect();
    print(&format!("\n{what}; all of it in {}\n{}", data.display(), shown.join("\n")));
}
