//! The daemon: how long it takes from a saved catalogue to whoever wants to know, and what it costs meanwhile.
#![expect(clippy::disallowed_methods, reason = "scratch files, and what the system says of processes")]

mod bus;
mod followers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::home::{Home, servers};
use super::table::{Row, Table};
use super::timer::{Times, written};
use super::{cargo, free_port, output, proc, target};
use bus::Bus;
use followers::Followers;

/// How many servers the catalogue has.
const SERVERS: usize = 100;

/// How many clients are written at once.
const CLIENTS: usize = 10;

/// How often the catalogue is saved in a round.
const SAVES: usize = 60;

/// How many rounds there are.
const ROUNDS: usize = 3;

/// How long anything may take before it counts as not working.
const GUARD: Duration = Duration::from_secs(30);

/// A daemon over a scratch home; it ends when this is dropped.
struct Daemon {
    home: Home,
    child: Child,
    address: String,
    saved: usize,
}

pub(super) fn measure(table: &mut Table) -> Result<(), String> {
    output(cargo().args(["build", "--quiet", "--release", "--package", "switchboard"]))?;
    let target = target()?;
    let program = target.join("release/switchboard");
    let bus = Bus::start();
    let mut daemon = Daemon::start(&target, &program, bus.as_ref())?;
    idle(table, &daemon)?;
    files(table, &mut daemon)?;
    events(table, &mut daemon)?;
    if let Some(bus) = &bus {
        signals(table, &mut daemon, bus)?;
    }
    many(table, &mut daemon)
}

impl Daemon {
    /// Starts one with its clients linked, and waits until everything is written.
    fn start(target: &Path, program: &Path, bus: Option<&Bus>) -> Result<Self, String> {
        let home = Home::new(target, program, "daemon")?;
        home.catalogue(&servers(SERVERS))?;
        let port = free_port()?;
        for at in 0..CLIENTS {
            let file = home.folder.join(format!("client-{at}/mcp.json"));
            home.write(&file, "{\n  // theirs\n  \"mcpServers\": {}\n}\n")?;
            let id = format!("client-{at}");
            let path = file.to_string_lossy().into_owned();
            home.run(&["client", "link", &id, "--dialect", "cursor", "--path", &path, "--auto", "--yes"])?;
        }
        let address = format!("127.0.0.1:{port}");
        let mut command = home.command(&["serve", "--listen", &address]);
        if let Some(bus) = bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
        }
        let log = fs::File::create(home.folder.join("log")).map_err(|error| error.to_string())?;
        let child = command.stderr(log).stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        let daemon = Self { home, child, address, saved: 0 };
        let last = format!("server-{}", SERVERS - 1);
        daemon.wait(|| (0..CLIENTS).all(|at| daemon.client(at).contains(&last)))?;
        Ok(daemon)
    }

    /// Saves the catalogue with one more server, as an editor saves: a new file in the place of the old one.
    fn save(&mut self) -> Result<(String, Instant), String> {
        self.saved += 1;
        let name = format!("extra-{}", self.saved);
        let path = self.home.folder.join(".config/switchboard/mcp-servers.toml");
        let text = format!("{}[servers.{name}]\ncommand = \"extra\"\n", servers(SERVERS));
        let beside = path.with_extension("new");
        fs::write(&beside, text).map_err(|error| error.to_string())?;
        let begin = Instant::now();
        fs::rename(&beside, &path).map_err(|error| error.to_string())?;
        Ok((name, begin))
    }

    fn file(&self, at: usize) -> PathBuf {
        self.home.folder.join(format!("client-{at}/mcp.json"))
    }

    fn client(&self, at: usize) -> String {
        fs::read_to_string(self.file(at)).unwrap_or_default()
    }

    fn wait(&self, done: impl Fn() -> bool) -> Result<(), String> {
        let begin = Instant::now();
        while !done() {
            if begin.elapsed() > GUARD {
                let log = fs::read_to_string(self.home.folder.join("log")).unwrap_or_default();
                return Err(format!("the daemon does not come to it; its log:\n{log}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Returns a number of its status, in KiB.
    fn memory(&self, what: &str) -> Result<u64, String> {
        proc::status(self.child.id(), what)
    }

    /// Returns what of its memory nobody else has, in KiB.
    fn private(&self) -> Result<u64, String> {
        Ok(proc::memory(self.child.id())?.private)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn idle(table: &mut Table, daemon: &Daemon) -> Result<(), String> {
    const WATCHED: u64 = 10;
    thread::sleep(Duration::from_secs(2));
    let before = proc::processor(daemon.child.id())?;
    thread::sleep(Duration::from_secs(WATCHED));
    let used = (proc::processor(daemon.child.id())? - before) * 1e3;
    table.push(Row {
        what: format!("daemon at rest, {CLIENTS} clients, {SERVERS} servers: processor"),
        goal: "nil".to_owned(),
        measured: format!("{used:.0} ms in {WATCHED} s"),
        met: Some(used < 11.0),
        ..Row::default()
    });
    let (resident, limit) = (daemon.memory("VmRSS")?, 12 * 1024);
    table.push(Row {
        what: "daemon at rest: memory".to_owned(),
        baseline: format!("peak {} KiB, private {} KiB", daemon.memory("VmHWM")?, daemon.private()?),
        goal: format!("{limit} KiB"),
        measured: format!("{resident} KiB"),
        met: Some(resident <= limit),
        ..Row::default()
    });
    Ok(())
}

/// From the saved catalogue to each client's file on the disk.
fn files(table: &mut Table, daemon: &mut Daemon) -> Result<(), String> {
    let (mut each, mut last) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        each.begin_round();
        last.begin_round();
        for _ in 0..SAVES {
            let (name, begin) = daemon.save()?;
            let mut waiting: Vec<usize> = (0..CLIENTS).collect();
            let stamps: Vec<_> = waiting.iter().map(|at| stamp(&daemon.file(*at))).collect();
            while !waiting.is_empty() {
                waiting.retain(|at| {
                    let there = stamp(&daemon.file(*at)) != stamps[*at] && daemon.client(*at).contains(&name);
                    if there {
                        each.add(begin.elapsed());
                    }
                    !there
                });
                if begin.elapsed() > GUARD {
                    return Err("a client's file was not written".to_owned());
                }
                thread::sleep(Duration::from_micros(200));
            }
            last.add(begin.elapsed());
            thread::sleep(Duration::from_millis(50));
        }
    }
    let (goal, tail) = (Duration::from_millis(40), Duration::from_millis(100));
    for (what, times) in [("each", &each), ("the last of all", &last)] {
        table.push(Row {
            what: format!(
                "catalogue saved -> client file replaced, {CLIENTS} clients, {SERVERS} servers: {what}"
            ),
            goal: format!("p50 {}, p99 {}", written(goal), written(tail)),
            measured: times.told_with_tail(),
            met: Some(times.median() <= goal && times.extremes().1 <= tail),
            ..Row::default()
        });
    }
    Ok(())
}

fn stamp(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

/// From the saved catalogue to an event at a subscriber, with a thousand others beside it.
fn events(table: &mut Table, daemon: &mut Daemon) -> Result<(), String> {
    const OTHERS: usize = 1_000;
    let mut followers = Followers::connect(&daemon.address, OTHERS)?;
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        times.begin_round();
        for _ in 0..SAVES {
            let (name, begin) = daemon.save()?;
            followers.first(&name, begin + GUARD)?;
            times.add(begin.elapsed());
            thread::sleep(Duration::from_millis(100));
        }
    }
    let goal = Duration::from_millis(30);
    table.push(Row {
        what: format!("catalogue saved -> SSE event at a subscriber, {OTHERS} subscribers"),
        goal: format!("p50 {}", written(goal)),
        measured: times.told_with_tail(),
        met: Some(times.median() <= goal),
        ..Row::default()
    });
    Ok(())
}

/// From the saved catalogue to the signal at a listener on the bus.
fn signals(table: &mut Table, daemon: &mut Daemon, bus: &Bus) -> Result<(), String> {
    let mut listener = bus.listen()?;
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        times.begin_round();
        for _ in 0..SAVES {
            let (name, begin) = daemon.save()?;
            listener.hear(&name)?;
            times.add(begin.elapsed());
            thread::sleep(Duration::from_millis(100));
        }
    }
    let goal = Duration::from_millis(30);
    table.push(Row {
        what: "catalogue saved -> D-Bus signal at a listener".to_owned(),
        goal: format!("p50 {}", written(goal)),
        measured: times.told_with_tail(),
        met: Some(times.median() <= goal),
        ..Row::default()
    });
    Ok(())
}

/// Ten thousand subscribers: until the last one knows, and what one costs.
fn many(table: &mut Table, daemon: &mut Daemon) -> Result<(), String> {
    const MANY: usize = 9_900;
    thread::sleep(Duration::from_secs(1));
    let before = daemon.memory("VmRSS")?;
    let mut followers = Followers::connect(&daemon.address, MANY)?;
    let mut times = Times::default();
    let mut memory = 0;
    for _ in 0..ROUNDS {
        times.begin_round();
        for _ in 0..3 {
            let (name, begin) = daemon.save()?;
            followers.all(&name, begin + GUARD)?;
            times.add(begin.elapsed());
            thread::sleep(Duration::from_millis(500));
        }
        memory = daemon.memory("VmRSS")?;
    }
    let goal = Duration::from_secs(1);
    table.push(Row {
        what: format!("catalogue saved -> all of {MANY} SSE subscribers have the event"),
        goal: written(goal),
        measured: times.told(),
        met: Some(times.median() <= goal),
        ..Row::default()
    });
    let each = memory.saturating_sub(before) * 1024 / MANY as u64;
    table.push(Row {
        what: "memory of the daemon for each of them".to_owned(),
        baseline: format!("{before} KiB before, {memory} KiB with them"),
        goal: "10240 B".to_owned(),
        measured: format!("{each} B"),
        met: Some(each <= 10_240),
        ..Row::default()
    });
    Ok(())
}
