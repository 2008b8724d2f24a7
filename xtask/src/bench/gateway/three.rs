//! Three clients with 24 servers each: what is shared, and what all of it costs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::super::proc::{self, Memory};
use super::super::table::{Row, Table};
use super::figures::number;
use super::running::{Gateway, stdio};
use super::sessions::mb;
use super::stage::{Cores, Stage};

const CLIENTS: usize = 3;
const SERVERS: usize = 24;

/// What all of our processes may hold together, in MB.
const ROOM: f64 = 60.0;

pub(super) fn measure(stage: &Stage, table: &mut Table) -> Result<(), String> {
    let names: Vec<String> = (0..SERVERS).map(|at| format!("server-{at}")).collect();
    let catalogue: String = names.iter().map(|name| stdio(name, stage, &["--legacy"])).collect();
    let gateway = Gateway::start(stage, Cores::All, &catalogue, &[])?;
    let mut bridges = Vec::new();
    for _ in 0..CLIENTS {
        for name in &names {
            let mut command = gateway.home.command(Cores::All, &["connect", name]);
            bridges.push(Bridge::open(command.stderr(Stdio::null()))?);
        }
    }
    thread::sleep(Duration::from_secs(1));
    let upstreams = gateway.running.upstreams();
    table.push(Row {
        what: format!("{CLIENTS} clients with {SERVERS} servers each: processes of servers"),
        baseline: format!("one for each {}", CLIENTS * SERVERS),
        goal: SERVERS.to_string(),
        measured: upstreams.to_string(),
        met: Some(upstreams == SERVERS),
        ..Row::default()
    });
    let own = gateway.running.own();
    let pipes = bridges.iter().flat_map(|bridge| proc::family(bridge.pid(), &stage.echo));
    let all: Vec<u32> = own.into_iter().chain(pipes).collect();
    let memory: Memory = all.iter().filter_map(|pid| proc::memory(*pid).ok()).sum();
    let daemon = proc::memory(gateway.running.pid())?;
    table.push(Row {
        what: format!("our {} processes meanwhile: memory, what they share counted once", all.len()),
        baseline: format!("one peer 2,034 MB; the daemon alone {} MB", number(mb(daemon.share))),
        goal: format!("{ROOM} MB"),
        measured: format!("{} MB, private {} MB", number(mb(memory.share)), number(mb(memory.private))),
        met: Some(mb(memory.share) <= ROOM),
        ..Row::default()
    });
    Ok(())
}

/// A `connect` whose client has a session; it ends when this is dropped.
pub(super) struct Bridge {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Bridge {
    /// Starts one, opens its session, and has a list and a call answered.
    pub(super) fn open(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`connect`: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut bridge = Self { child, stdin, stdout: BufReader::new(stdout.ok_or("it has no output")?) };
        bridge.ask(1, r#""initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1.0.0"}}"#)?;
        bridge.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)?;
        bridge.ask(2, r#""tools/list""#)?;
        bridge.ask(3, r#""tools/call","params":{"name":"echo","arguments":{"text":"so"}}"#)?;
        Ok(bridge)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("its input is closed")?;
        writeln!(stdin, "{line}").map_err(|error| format!("`connect`: {error}"))
    }

    fn ask(&mut self, id: u32, rest: &str) -> Result<(), String> {
        self.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{rest}}}"#))?;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Err("`connect` has ended".to_owned());
            }
            let message: serde_json::Value =
                serde_json::from_str(&line).map_err(|error| error.to_string())?;
            if message["id"] == id && message.get("method").is_none() {
                let result = &message["result"];
                return if result.is_object() { Ok(()) } else { Err(format!("`connect` answers {message}")) };
            }
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
