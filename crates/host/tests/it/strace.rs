//! Running the example under strace, with one system call at a time going wrong.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

/// Calls that have nothing to do with files, and whose failure only tests the runtime.
const NOT_OURS: [&str; 26] = [
    "execve",
    "exit_group",
    "exit",
    "brk",
    "mmap",
    "munmap",
    "mprotect",
    "arch_prctl",
    "set_tid_address",
    "set_robust_list",
    "rseq",
    "prlimit64",
    "rt_sigaction",
    "rt_sigprocmask",
    "sigaltstack",
    "sched_getaffinity",
    "getrandom",
    "poll",
    "pread64",
    "madvise",
    "futex",
    "getpid",
    "gettid",
    "tgkill",
    "clone3",
    "rt_sigreturn",
];

/// One occurrence of one system call in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) call: String,
    /// strace counts the occurrences of each call by itself.
    pub(crate) nth: usize,
    /// The call as strace shows it.
    pub(crate) line: String,
}

/// Returns whether faults can be injected here; if not, says so.
pub(crate) fn is_there() -> bool {
    let there =
        Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !there {
        println!("skipped: strace is not installed");
    }
    there
}

/// Returns the example, built once.
pub(crate) fn example() -> &'static Path {
    static EXAMPLE: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let example = profile.join("examples/replace_once");
        // `cargo test` has built it; a test binary that is run by itself may find it missing.
        assert!(example.exists(), "run `cargo build -p switchboard-host --examples` first");
        example
    })
}

/// Runs the example and returns every system call it makes.
pub(crate) fn points(args: &[&Path], trace: &Path) -> Vec<Point> {
    let status = strace(&["-o".as_ref(), trace.as_os_str()], args).wait().unwrap();
    assert!(status.success(), "the traced run must succeed: {status}");
    let mut counts = HashMap::new();
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines()
        .filter_map(|line| Some((line, line.split_once('(')?.0)))
        .filter(|(_, call)| call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .map(|(line, call)| {
            let nth = counts.entry(call.to_owned()).or_insert(0);
            *nth += 1;
            Point { call: call.to_owned(), nth: *nth, line: line.to_owned() }
        })
        .filter(|point| point.call != "execve" && point.call != "exit_group")
        .collect()
}

/// Returns the points after the program's own start, at calls that concern files.
pub(crate) fn of_files(points: &[Point]) -> Vec<Point> {
    // The runtime is done with its own start when it has set up the stack for signals.
    let start = points.iter().rposition(|point| point.call == "sigaltstack" && point.nth <= 2).unwrap_or(0);
    points[start..].iter().filter(|point| !NOT_OURS.contains(&point.call.as_str())).cloned().collect()
}

/// Runs the example with `fault` (`signal=KILL`, `error=EIO`) at `point`.
pub(crate) fn inject(fault: &str, point: &Point, args: &[&Path]) -> ExitStatus {
    spawn(fault, point, args, Path::new("/dev/null")).wait().unwrap()
}

/// Starts the example with `fault` at `point`, and traces it to `trace`.
pub(crate) fn spawn(fault: &str, point: &Point, args: &[&Path], trace: &Path) -> Child {
    let inject = format!("inject={}:{fault}:when={}", point.call, point.nth);
    strace(&["-o".as_ref(), trace.as_os_str(), "-e".as_ref(), inject.as_ref()], args)
}

fn strace(options: &[&OsStr], args: &[&Path]) -> Child {
    let mut strace = Command::new("strace");
    strace.args(options).arg(example()).args(args).stdin(Stdio::null()).stdout(Stdio::null());
    strace.stderr(Stdio::null()).spawn().unwrap()
}
