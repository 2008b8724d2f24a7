//! Processes that run while something is judged, and their end.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a start or an end may take before it counts as not working.
const GUARD: Duration = Duration::from_secs(60);

/// A process; it is asked to end when this is dropped, and made to if it does not.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a server over HTTP that says its URL on its first line, and returns that.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn server(command: &mut Command) -> Result<(Self, String), String> {
        let program = Path::new(command.get_program()).display().to_string();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let output = child.stdout.take();
        let process = Self(child);
        let mut url = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut url).map_err(|error| error.to_string())?;
        }
        if url.trim().is_empty() {
            Err(format!("{program} does not start"))
        } else {
            Ok((process, url.trim().to_owned()))
        }
    }

    /// Starts the gateway with this home, and waits until it is ready at this port.
    ///
    /// # Errors
    /// It does not become ready.
    pub(crate) fn gateway(program: &Path, home: &Path, port: u16) -> Result<Self, String> {
        let log = home.join("log");
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("SWITCHBOARD_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output);
        let child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        let mut process = Self(child);
        let begun = Instant::now();
        while !is_ready(port) {
            let has_ended = process.0.try_wait().map_err(|error| error.to_string())?.is_some();
            if has_ended || begun.elapsed() > GUARD {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the gateway does not become ready; its log:\n{log}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }
}

/// Runs a program to its end, but no longer than `limit`; what it says on its output goes to `output`, its errors to a
/// file beside it. Returns whether it came to its end by itself.
///
/// # Errors
/// It could not be started.
pub(crate) fn run_bounded(command: &mut Command, output: &Path, limit: Duration) -> Result<bool, String> {
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    let program = Path::new(command.get_program()).display().to_string();
    command.stdin(Stdio::null()).stdout(create(output)?).stderr(create(&output.with_extension("err"))?);
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let mut process = Process(child);
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if process.0.try_wait().map_err(|error| error.to_string())?.is_some() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(false)
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let begun = Instant::now();
        while begun.elapsed() < GUARD {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

/// A port that nobody uses at the moment.
pub(crate) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
