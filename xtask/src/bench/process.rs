//! Whole processes: from the moment they are started until they have ended.
#![expect(clippy::disallowed_methods, reason = "scratch files, and what the system says of processes")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::home::{Home, servers};
use super::proc::{Memory, memory};
use super::table::{Row, Table};
use super::timer::{Times, written};
use super::{cargo, output, target};

/// How often each process is run in a round, after a warm-up.
const RUNS: usize = 200;

/// How many rounds there are.
const ROUNDS: usize = 3;

/// How many clients are linked.
const CLIENTS: usize = 40;

pub(super) fn measure(table: &mut Table) -> Result<(), String> {
    output(cargo().args(["build", "--quiet", "--release", "--package", "switchboard"]))?;
    let target = target()?;
    let program = target.join("release/switchboard");
    let empty = empty_program(&target)?;
    version(table, &program, &empty)?;
    status(table, &target, &program, &empty)?;
    push(table, &target, &program, &empty)?;
    connect(table, &target, &program, &empty)
}

/// Compiles a program that does nothing: what any Rust program costs.
fn empty_program(target: &Path) -> Result<PathBuf, String> {
    let (source, program) = (target.join("empty.rs"), target.join("empty"));
    fs::write(&source, "fn main() {}\n").map_err(|error| error.to_string())?;
    output(Command::new("rustc").arg("-O").arg("-o").arg(&program).arg(&source))?;
    Ok(program)
}

/// Runs the commands in turn, so that whatever else the machine does hits all of them.
fn race(runs: usize, commands: &mut [Command]) -> Result<Vec<Times>, String> {
    let mut times: Vec<Times> = commands.iter().map(|_| Times::default()).collect();
    for command in commands.iter_mut() {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    for _ in 0..ROUNDS {
        times.iter_mut().for_each(Times::begin_round);
        for run in 0..runs + runs / 10 {
            for (command, times) in commands.iter_mut().zip(&mut times) {
                let time = once(command)?;
                if run >= runs / 10 {
                    times.add(time);
                }
            }
        }
    }
    Ok(times)
}

fn once(command: &mut Command) -> Result<Duration, String> {
    let begin = Instant::now();
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    let time = begin.elapsed();
    if status.success() { Ok(time) } else { Err(format!("{command:?}: {status}")) }
}

fn ratio(time: Duration, baseline: Duration) -> f64 {
    time.as_secs_f64() / baseline.as_secs_f64()
}

fn version(table: &mut Table, program: &Path, empty: &Path) -> Result<(), String> {
    let mut ours = Command::new(program);
    ours.arg("--version");
    let mut commands = [Command::new("/bin/true"), Command::new(empty), ours];
    let times = race(RUNS, &mut commands)?;
    let [plain, empty, ours] = times.as_slice() else { return Ok(()) };
    let goal = Duration::from_millis(2);
    table.push(Row {
        what: "`switchboard --version`".to_owned(),
        baseline: format!(
            "empty Rust program {}, `/bin/true` {}",
            written(empty.median()),
            written(plain.median())
        ),
        goal: written(goal),
        measured: ours.told_with_tail(),
        ratio: Some(ratio(ours.median(), empty.median())),
        met: Some(ours.median() <= goal),
    });
    Ok(())
}

fn status(table: &mut Table, target: &Path, program: &Path, empty: &Path) -> Result<(), String> {
    let home = Home::new(target, program, "status")?;
    home.catalogue(&servers(24))?;
    home.link(CLIENTS)?;
    let goal = Duration::from_millis(60);
    let mut commands = [Command::new(empty), home.command(&["status"])];
    let times = race(RUNS / 4, &mut commands)?;
    let [empty, ours] = times.as_slice() else { return Ok(()) };
    table.push(Row {
        what: format!("`status`, {CLIENTS} linked clients, one file of 1 MB, 24 servers"),
        baseline: format!("empty Rust program {}", written(empty.median())),
        goal: written(goal),
        measured: ours.told_with_tail(),
        ratio: Some(ratio(ours.median(), empty.median())),
        met: Some(ours.median() <= goal),
    });
    Ok(())
}

/// A small file written: a server goes and comes back.
fn push(table: &mut Table, target: &Path, program: &Path, empty: &Path) -> Result<(), String> {
    let home = Home::new(target, program, "push")?;
    home.catalogue(&servers(3))?;
    home.write(&home.folder.join(".cursor/mcp.json"), "{\n  \"mcpServers\": {}\n}\n")?;
    home.run(&["client", "link", "cursor", "--manual", "--yes"])?;
    home.run(&["client", "push", "cursor", "--yes"])?;
    let switch = |run: usize| -> Result<(), String> {
        let verb = if run.is_multiple_of(2) { "disable" } else { "enable" };
        home.run(&["server", verb, "server-1", "--yes"]).map(drop)
    };
    let (mut base, mut pushed, mut still) = (Times::default(), Times::default(), Times::default());
    let mut empty = Command::new(empty);
    let quiet = |mut command: Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    for _ in 0..ROUNDS {
        base.begin_round();
        pushed.begin_round();
        still.begin_round();
        for run in 0..RUNS / 5 {
            switch(run)?;
            base.add(once(&mut empty)?);
            pushed.add(once(&mut quiet(home.command(&["client", "push", "cursor", "--yes"])))?);
            still.add(once(&mut quiet(home.command(&["client", "push", "cursor", "--yes"])))?);
        }
    }
    let synced = disk(target)?;
    table.push(Row {
        what: "`client push` of a small file".to_owned(),
        baseline: format!(
            "empty Rust program {}; a file written and fsynced {}",
            written(base.median()),
            written(synced)
        ),
        measured: pushed.told_with_tail(),
        ratio: Some(ratio(pushed.median(), base.median())),
        ..Row::default()
    });
    table.push(Row {
        what: "`client push` of a small file, nothing to do".to_owned(),
        baseline: format!("empty Rust program {}", written(base.median())),
        measured: still.told_with_tail(),
        ratio: Some(ratio(still.median(), base.median())),
        ..Row::default()
    });
    switch(0)?;
    if let Some(count) = syncs(&home)? {
        table.push(Row {
            what: "of that push, calls of `fsync`".to_owned(),
            measured: count.to_string(),
            ..Row::default()
        });
    }
    Ok(())
}

/// Returns what it takes to write a small file and have it on the disk.
fn disk(target: &Path) -> Result<Duration, String> {
    use std::io::Write as _;
    let path = target.join("synced");
    let mut times = Times::default();
    times.begin_round();
    for _ in 0..RUNS / 5 {
        let begin = Instant::now();
        let mut file = fs::File::create(&path).map_err(|error| error.to_string())?;
        file.write_all(b"{}").and_then(|()| file.sync_all()).map_err(|error| error.to_string())?;
        times.add(begin.elapsed());
    }
    fs::remove_file(&path).map_err(|error| error.to_string())?;
    Ok(times.median())
}

/// Returns how often a push asks the disk; `None` without `strace`.
fn syncs(home: &Home) -> Result<Option<usize>, String> {
    let log = home.folder.join("strace");
    let ours = home.command(&["client", "push", "cursor", "--yes"]);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,syncfs,sync", "-o"]).arg(&log);
    command.arg(ours.get_program()).args(ours.get_args()).env_clear();
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if command.output().is_ok_and(|done| done.status.success()) {
        let text = fs::read_to_string(&log).map_err(|error| error.to_string())?;
        return Ok(Some(text.lines().filter(|line| line.contains("sync")).count()));
    }
    Ok(None)
}

/// What stands between a client and its server.
fn connect(table: &mut Table, target: &Path, program: &Path, empty: &Path) -> Result<(), String> {
    let home = Home::new(target, program, "connect")?;
    let path = empty.to_string_lossy();
    home.catalogue(&format!(
        "{}\n[servers.empty]\ncommand = '{path}'\n\n[servers.cat]\ncommand = '/bin/cat'\n",
        servers(24)
    ))?;
    let mut commands = [Command::new(empty), home.command(&["connect", "empty"])];
    let times = race(RUNS, &mut commands)?;
    let [direct, ours] = times.as_slice() else { return Ok(()) };
    let added = ours.median().saturating_sub(direct.median());
    let (goal, limit) = (Duration::from_millis(3), 1_024);
    table.push(Row {
        what: "`connect`, from start to end, to a server that ends at once".to_owned(),
        baseline: format!("the server alone {}", written(direct.median())),
        goal: format!("{} added", written(goal)),
        measured: format!("{}; {} added", ours.told_with_tail(), written(added)),
        ratio: Some(ratio(ours.median(), direct.median())),
        met: Some(added <= goal),
    });
    let child = home
        .command(&["connect", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let memories = memories(child)?;
    for (what, memory) in memories {
        table.push(Row {
            what,
            baseline: format!("{} KiB with shared pages, PSS {} KiB", memory.resident, memory.share),
            goal: format!("{limit} KiB"),
            measured: format!("{} KiB private", memory.private),
            met: Some(memory.private <= limit),
            ..Row::default()
        });
    }
    Ok(())
}

/// Returns the memory of a `connect` that has a server, and of its guard.
fn memories(mut connect: Child) -> Result<Vec<(String, Memory)>, String> {
    std::thread::sleep(Duration::from_millis(500));
    let pid = connect.id();
    let mut found = vec![("memory of `connect`".to_owned(), memory(pid)?)];
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for guard in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        found.push(("memory of its guard".to_owned(), memory(guard)?));
    }
    drop(connect.stdin.take());
    connect.wait().map_err(|error| error.to_string())?;
    Ok(found)
}
