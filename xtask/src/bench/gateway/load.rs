//! The load generator, and what it says.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long it may take before it counts as not working.
const GUARD: Duration = Duration::from_secs(120);

/// What the load generator has measured; times in microseconds.
pub(super) struct Measured {
    pub(super) calls: f64,
    pub(super) failed: f64,
    pub(super) wrong: f64,
    reasons: String,
    pub(super) seconds: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
    /// What the processors did for the command that was asked.
    pub(super) command: f64,
}

impl Measured {
    pub(super) fn rate(&self) -> f64 {
        self.calls / self.seconds
    }

    /// Returns it if every answer was right.
    pub(super) fn right(self) -> Result<Self, String> {
        if self.wrong + self.failed > 0.0 {
            let (calls, wrong, failed) = (self.calls, self.wrong, self.failed);
            return Err(format!("{calls} right, {wrong} wrong, {failed} failed: {}", self.reasons));
        }
        if self.calls < 1.0 { Err("nothing was answered".to_owned()) } else { Ok(self) }
    }
}

/// Runs the load generator and returns what it measured, right or not.
pub(super) fn measure(command: &mut Command) -> Result<Measured, String> {
    let told = told(command)?;
    let of = |name: &str| told[name].as_f64().unwrap_or(0.0);
    let time = |name: &str| told[name].as_f64().unwrap_or(f64::NAN) / 1e3;
    let reasons: Vec<_> =
        told["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(Measured {
        calls: of("calls"),
        failed: of("failed"),
        wrong: of("wrong"),
        reasons: reasons.join("; "),
        seconds: of("seconds"),
        p50: time("p50"),
        p99: time("p99"),
        max: time("max"),
        command: of("command") / 1e3,
    })
}

/// Runs a command that prints one line of JSON, and returns that.
fn told(command: &mut Command) -> Result<Value, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("the load generator: {error}"))?;
    // It must not wait for us to read what goes wrong.
    let errors = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).trim().to_owned()
        })
    });
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if begin.elapsed() < GUARD => thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("nothing was measured within {} s", GUARD.as_secs()));
            }
            _ => break,
        }
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let errors = errors.and_then(|errors| errors.join().ok()).unwrap_or_default();
        if errors.is_empty() { format!("the load generator ended with {}", output.status) } else { errors }
    })
}
