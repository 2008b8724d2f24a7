//! A gateway that runs: ours, or another one.
#![expect(clippy::disallowed_methods, reason = "the files of a scratch home belong to nobody else")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::free_port;
use super::super::proc::{self, Memory};
use super::stage::{Cores, Stage};

/// How long it may take to come up.
const GUARD: Duration = Duration::from_secs(30);

/// A process with all that it has started; it ends when this is dropped.
pub(super) struct Running {
    child: Child,
    /// What its upstreams run: that is not its own.
    echo: PathBuf,
    log: PathBuf,
}

impl Running {
    /// Starts a command; what it says goes into `log`.
    pub(super) fn start(stage: &Stage, mut command: Command, log: PathBuf) -> Result<Self, String> {
        let named = format!("{}", command.get_program().display());
        let file = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let other = file.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(other).stderr(file);
        let child = command.spawn().map_err(|error| format!("{named}: {error}"))?;
        let echo = stage.echo.canonicalize().map_err(|error| error.to_string())?;
        Ok(Self { child, echo, log })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns its own processes: not those of its upstreams.
    pub(super) fn own(&self) -> Vec<u32> {
        proc::family(self.pid(), &self.echo)
    }

    /// Returns how many upstreams run below it.
    pub(super) fn upstreams(&self) -> usize {
        proc::count(self.pid(), &self.echo)
    }

    /// Returns the time of the processors that its own processes have used, in microseconds.
    pub(super) fn processor(&self) -> f64 {
        self.own().into_iter().filter_map(|pid| proc::processor(pid).ok()).sum::<f64>() * 1e6
    }

    /// Returns the memory of its own processes together.
    pub(super) fn memory(&self) -> Memory {
        self.own().into_iter().filter_map(|pid| proc::memory(pid).ok()).sum()
    }

    /// Returns what it said last.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }

    /// Waits until something holds.
    pub(super) fn wait(&mut self, guard: Duration, holds: impl Fn() -> bool) -> Result<(), String> {
        let begin = Instant::now();
        while !holds() {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(format!("it ended: {}", self.last_words()));
            }
            if begin.elapsed() > guard {
                return Err(format!("it is not ready: {}", self.last_words()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // All of it: one that is started by another is not told when that ends.
        let family = proc::family(self.pid(), Path::new(""));
        let _ = Command::new("kill").arg(self.pid().to_string()).stderr(Stdio::null()).status();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in family.into_iter().skip(1) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

/// Our own gateway, in a home of its own.
pub(super) struct Gateway {
    pub(super) running: Running,
    pub(super) home: Home,
}

/// A home of Switchboard's with a catalogue and settings.
pub(super) struct Home {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    program: PathBuf,
}

impl Home {
    /// Makes one with this catalogue.
    pub(super) fn new(stage: &Stage, catalogue: &str) -> Result<Self, String> {
        let home = Self { folder: stage.folder()?, port: free_port()?, program: stage.switchboard.clone() };
        home.write("config/mcp-servers.toml", catalogue)?;
        let settings = format!("[http]\nlisten = \"127.0.0.1:{}\"\nauth = \"none\"\n", home.port);
        home.write("config/switchboard.toml", &settings)?;
        Ok(home)
    }

    /// Writes a file below it and returns its path.
    pub(super) fn write(&self, below: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.folder.join(below);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(failed)?;
        fs::write(&path, text).map_err(failed)?;
        Ok(path)
    }

    /// Returns where the catalogue is.
    pub(super) fn catalogue(&self) -> PathBuf {
        self.folder.join("config/mcp-servers.toml")
    }

    /// Puts another catalogue in the place of the one that is there, as an editor does.
    pub(super) fn save(&self, catalogue: &str) -> Result<(), String> {
        let beside = self.write("config/mcp-servers.new", catalogue)?;
        fs::rename(beside, self.catalogue()).map_err(|error| error.to_string())
    }

    /// Gives a command the surroundings of this home, and nothing of the caller's.
    pub(super) fn surround(&self, command: &mut Command) {
        command.env_clear().env("HOME", &self.folder).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("SWITCHBOARD_HOME", &self.folder).current_dir(&self.folder);
    }

    /// Returns a command of ours in this home.
    pub(super) fn command(&self, cores: Cores, args: &[&str]) -> Command {
        let mut command = Stage::command(cores, &self.program);
        command.args(args);
        self.surround(&mut command);
        command
    }

    /// Returns the address of a route.
    pub(super) fn url(&self, route: &str) -> String {
        format!("http://127.0.0.1:{}{route}", self.port)
    }
}

impl Gateway {
    /// Starts one with this catalogue and waits until it answers calls to each of `servers`.
    pub(super) fn start(
        stage: &Stage,
        cores: Cores,
        catalogue: &str,
        servers: &[&str],
    ) -> Result<Self, String> {
        let home = Home::new(stage, catalogue)?;
        let command = home.command(cores, &["serve"]);
        Self::run(stage, home, command, servers)
    }

    /// Starts a command that serves this home.
    pub(super) fn run(stage: &Stage, home: Home, command: Command, servers: &[&str]) -> Result<Self, String> {
        let log = home.folder.join("log");
        let mut running = Running::start(stage, command, log)?;
        running.wait(GUARD, || is_ready(home.port))?;
        let gateway = Self { running, home };
        for server in servers {
            let asked = stage.ask(Cores::All, &gateway.url(server), "calls --calls 20 --warm 0");
            asked.map_err(|why| format!("no call to `{server}`: {why}"))?;
        }
        Ok(gateway)
    }

    /// Returns the address of one server behind it.
    pub(super) fn url(&self, server: &str) -> String {
        self.home.url(&format!("/mcp/{server}"))
    }
}

fn is_ready(port: u16) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Returns the entry of a catalogue for a server that is the fast upstream over standard streams.
pub(super) fn stdio(name: &str, stage: &Stage, args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|arg| format!("\"{arg}\"")).collect();
    let program = stage.echo.display();
    format!("[servers.{name}]\ncommand = \"{program}\"\nargs = [{}]\n\n", args.join(", "))
}

/// Returns the entry of a catalogue for a server over HTTP.
pub(super) fn http(name: &str, url: &str) -> String {
    format!("[servers.{name}]\nurl = \"{url}\"\n\n")
}
