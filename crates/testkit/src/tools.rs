//! Programs that some tests need and a machine may lack.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Returns the path of an installed Node package's program, or says that the test does nothing without it.
///
/// Looked for is in the folder that `SWITCHBOARD_TEST_TOOLS` names, else where the repository installs its pinned tools.
///
/// # Panics
/// When it is missing although the tests were told where the tools are, or run where nothing may be passed over.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = folder().join(name);
    if path.exists() {
        return Some(path);
    }
    missing(name, setting("SWITCHBOARD_TEST_TOOLS").is_some());
    None
}

/// Returns the path of a program of the system, or says that the test does nothing without it.
///
/// # Panics
/// When it is missing where nothing may be passed over.
pub fn system(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        missing(name, false);
    }
    found
}

/// Says that a test does nothing without `what`.
///
/// # Panics
/// Where nothing may be passed over: `must` is true, or `CI` is set to `true`.
pub fn missing(what: &str, must: bool) {
    assert!(!must && setting("CI").as_deref() != Some("true"), "`{what}` is missing");
    println!("`{what}` is not installed, so this test does nothing");
}

/// Returns the folder of the tools' programs.
fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/npm/node_modules/.bin");
    setting("SWITCHBOARD_TEST_TOOLS").map_or_else(own, PathBuf::from)
}

/// Returns whether everything is to be tried, however long it takes.
pub fn is_soak() -> bool {
    setting("SWITCHBOARD_SOAK").is_some_and(|value| value == "1")
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what they may use")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs a program to its end, and ends it with all that it started when it takes longer than `limit`: then `None`.
///
/// # Panics
/// When it cannot be started.
#[cfg(unix)]
pub fn run_within(limit: Duration, command: &mut Command) -> Option<ExitStatus> {
    use std::os::unix::process::CommandExt;

    let mut child = command
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= end {
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = child.wait();
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(8));
    }
}
