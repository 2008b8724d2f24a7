//! Other gateways, in the same run, as far as they work: only the rows that all of them can have.

mod install;

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::super::free_port;
use super::super::proc::Memory;
use super::super::table::Table;
use super::calls::Series;
use super::figures::{Figures, number};
use super::running::{Gateway, Running, http, stdio};
use super::stage::{self, Cores, Stage};
use super::{cell, load, note, sessions};

/// How long one may take to come up.
const GUARD: Duration = Duration::from_secs(60);

/// How often each is started to see how long that takes.
const STARTS: usize = 3;

/// A gateway of somebody else.
struct Peer {
    name: &'static str,
    upstream: &'static str,
    source: install::Source,
    /// What it is started with.
    args: fn(&Ground) -> Vec<String>,
    path: &'static str,
    /// How the load generator has to speak, and the tool that it has to call.
    flags: &'static str,
    tool: &'static str,
}

/// What one stands on.
struct Ground {
    echo: String,
    far: String,
    port: u16,
    folder: PathBuf,
}

const PEERS: [Peer; 6] = [
    Peer {
        name: "supergateway 4.0.0",
        upstream: "stdio",
        source: install::Source::Npm("supergateway", "dist/index.js"),
        args: |ground| {
            let Ground { echo, port, .. } = ground;
            words(&format!(
                "--outputTransport streamableHttp --stateful --logLevel none --port {port} --stdio"
            ))
            .chain([format!("{echo} --legacy")])
            .collect()
        },
        path: "/mcp",
        flags: "",
        tool: "echo",
    },
    Peer {
        name: "mcp-hub 4.2.1",
        upstream: "stdio",
        source: install::Source::Npm("mcp-hub", "dist/cli.js"),
        args: |ground| {
            words(&format!("--port {} --config {}/near.json", ground.port, ground.folder.display())).collect()
        },
        path: "/mcp",
        flags: "--events",
        tool: "echo__echo",
    },
    Peer {
        name: "mcp-hub 4.2.1",
        upstream: "http",
        source: install::Source::Npm("mcp-hub", "dist/cli.js"),
        args: |ground| {
            words(&format!("--port {} --config {}/far.json", ground.port, ground.folder.display())).collect()
        },
        path: "/mcp",
        flags: "--events",
        tool: "echo__echo",
    },
    Peer {
        name: "mcp-proxy 0.13.0",
        upstream: "stdio",
        source: install::Source::PyPi("mcp-proxy", "0.13.0"),
        args: |ground| words(&format!("--port {} -- {} --legacy", ground.port, ground.echo)).collect(),
        path: "/mcp",
        flags: "",
        tool: "echo",
    },
    Peer {
        name: "FastMCP 4.1.6 proxy",
        upstream: "stdio",
        source: install::Source::PyPi("fastmcp", "4.1.6"),
        args: |ground| fastmcp(ground, "near.json"),
        path: "/mcp",
        flags: "",
        tool: "echo",
    },
    Peer {
        name: "FastMCP 4.1.6 proxy",
        upstream: "http",
        source: install::Source::PyPi("fastmcp", "4.1.6"),
        args: |ground| fastmcp(ground, "far.json"),
        path: "/mcp",
        flags: "",
        tool: "echo",
    },
];

fn words(line: &str) -> impl Iterator<Item = String> + use<> {
    line.split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn fastmcp(ground: &Ground, file: &str) -> Vec<String> {
    let (port, folder) = (ground.port, ground.folder.display());
    words(&format!("run {folder}/{file} --transport http --port {port} --no-banner --log-level ERROR"))
        .collect()
}

/// Measures us and them, and adds a table of its own.
pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let mut lines = vec![
        "| gateway | upstream | p50 at 1 (us) | processor a call (us) | calls a second at 64 | memory at rest (MiB) | start to first list (ms) |".to_owned(),
        "| --- | --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    let direct = stage.upstream(Cores::All, "--legacy")?;
    let calls = calls(stage, None, &direct.url, "", "echo")?;
    lines.push(format!("| none (direct) | http | {} | - | {} | - | - |", calls[0], calls[2]));
    for (kind, catalogue) in
        [("stdio", stdio("echo", stage, &["--legacy"])), ("http", http("echo", &direct.url))]
    {
        let row = ours(stage, &catalogue).unwrap_or_else(|why| cell(&why));
        lines.push(format!("| switchboard | {kind} | {row} |"));
    }
    for peer in &PEERS {
        note(peer.name);
        let row = peer.measure(stage, &direct.url).unwrap_or_else(|why| format!("fails: {}", cell(&why)));
        lines.push(format!("| {} | {} | {row} |", peer.name, peer.upstream));
    }
    table.append(lines.join("\n"));
    Ok(())
}

/// Returns the cells of our own row.
fn ours(stage: &Stage, catalogue: &str) -> Result<String, String> {
    let gateway = Gateway::start(stage, Cores::All, catalogue, &["echo"])?;
    let url = gateway.url("echo");
    let memory = rest(&gateway.running);
    let calls = calls(stage, Some(&gateway.running), &url, "", "echo")?;
    let Gateway { running, home } = gateway;
    drop(running);
    let first = first(stage, &url, "", |command| {
        home.surround(command);
        command.arg(&stage.switchboard).arg("serve");
    });
    Ok(format!("{} | {memory} | {first}", calls.join(" | ")))
}

impl Peer {
    /// Returns the cells of its row.
    fn measure(&self, stage: &Stage, far: &str) -> Result<String, String> {
        let program = self.source.install()?;
        let ground = Ground {
            echo: stage.echo.display().to_string(),
            far: far.to_owned(),
            port: free_port()?,
            folder: stage.folder()?,
        };
        ground.configure()?;
        let url = format!("http://127.0.0.1:{}{}", ground.port, self.path);
        let surround = |command: &mut Command| {
            command.env_clear().env("HOME", &ground.folder).env("PATH", "/usr/local/bin:/usr/bin:/bin");
            command.current_dir(&ground.folder);
        };
        let args = (self.args)(&ground);
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]).args(&args);
        surround(&mut command);
        let mut running = Running::start(stage, command, ground.folder.join("log"))?;
        let flags = self.flags;
        let line = format!("{flags} calls --calls 5 --warm 0 --tool {}", self.tool);
        running.wait(GUARD, || stage.ask(Cores::All, &url, &line).is_ok())?;
        let memory = rest(&running);
        let calls = calls(stage, Some(&running), &url, flags, self.tool)?;
        drop(running);
        let first = first(stage, &url, flags, |command| {
            surround(command);
            command.args(&program).args(&args);
        });
        Ok(format!("{} | {memory} | {first}", calls.join(" | ")))
    }
}

impl Ground {
    /// Writes the files that name the upstream as most clients do.
    fn configure(&self) -> Result<(), String> {
        let near = serde_json::json!({ "command": self.echo, "args": ["--legacy"] });
        let far = serde_json::json!({ "url": self.far });
        for (file, server) in [("near.json", near), ("far.json", far)] {
            let text = serde_json::json!({ "mcpServers": { "echo": server } }).to_string();
            stage::write(&self.folder.join(file), &text)?;
        }
        Ok(())
    }
}

/// Returns the cells of the calls: p50 of one caller, processor a call, calls a second of many.
fn calls(
    stage: &Stage,
    running: Option<&Running>,
    url: &str,
    flags: &str,
    tool: &str,
) -> Result<[String; 3], String> {
    let (mut alone, mut many) = (Series::default(), Series::default());
    for _ in 0..stage.rounds {
        for (series, callers) in [(&mut alone, 1), (&mut many, 64)] {
            let line = format!(
                "{flags} calls --callers {callers} --warm 2 --tool {tool} --seconds {}",
                stage.seconds
            );
            series.round(running, || stage.ask(Cores::All, url, &line));
        }
    }
    if let Some(why) = alone.failed {
        return Err(why);
    }
    let rate = many.failed.map_or_else(|| spread(&many.rate), |why| format!("fails: {}", cell(&why)));
    Ok([spread(&alone.p50), spread(&alone.processor), rate])
}

/// Returns the memory at rest, in MiB.
fn rest(running: &Running) -> String {
    thread::sleep(Duration::from_secs(2));
    let Memory { resident, .. } = running.memory();
    number(sessions::mib(resident))
}

/// Returns how long it takes from the start to the first list, in milliseconds.
fn first(stage: &Stage, url: &str, flags: &str, command: impl Fn(&mut Command)) -> String {
    let mut figures = Figures::default();
    for _ in 0..STARTS {
        let mut load = stage.load(Cores::All, &format!("--url {url} {flags} first-list --tools 2 --"));
        command(&mut load);
        match load::measure(&mut load).and_then(load::Measured::right) {
            Ok(measured) => figures.add(measured.p50 / 1e3),
            Err(why) => return format!("fails: {}", cell(&why)),
        }
    }
    spread(&figures)
}

fn spread(figures: &Figures) -> String {
    figures.told("").replace(" (", "(").replace('(', " (")
}
