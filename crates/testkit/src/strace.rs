//! A program run under strace, with one system call at a time going wrong.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Calls that have nothing to do with files, and whose failure only tests the runtime.
const NOT_OURS: [&str; 30] = [
    "execve",
    "exit_group",
    "exit",
    "brk",
    "mmap",
    "munmap",
    "mremap",
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
    "getuid",
    "geteuid",
    "ioctl",
    "tgkill",
    "clone3",
    "rt_sigreturn",
];

/// One occurrence of one system call in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The call's name.
    pub call: String,
    /// strace counts the occurrences of each call by itself.
    pub nth: usize,
    /// The call as strace shows it.
    pub line: String,
}

/// Returns whether faults can be injected here; if not, says so.
///
/// # Panics
/// When strace is missing where nothing may be passed over.
pub fn is_there() -> bool {
    let version = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = version.is_ok_and(|status| status.success());
    if !there {
        crate::tools::missing("strace", false);
    }
    there
}

/// Runs `command` and returns the system calls of its first process that concern files, without those of its start.
///
/// # Panics
/// When the run does not succeed.
pub fn points(command: &Command, trace: &Path) -> Vec<Point> {
    let status = under(&["-o".as_ref(), trace.as_os_str()], command).status();
    assert!(status.as_ref().is_ok_and(ExitStatus::success), "the traced run must succeed: {status:?}");
    let text = crate::read(trace);
    let text = String::from_utf8_lossy(&text);
    let mut counts = HashMap::new();
    let points: Vec<Point> = text
        .lines()
        .filter_map(|line| Some((line, line.split_once('(')?.0)))
        .filter(|(_, call)| call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .map(|(line, call)| {
            let nth = counts.entry(call.to_owned()).or_insert(0);
            *nth += 1;
            Point { call: call.to_owned(), nth: *nth, line: line.to_owned() }
        })
        .collect();
    // The runtime is done with its own start when it has set up the stack for signals.
    let start = points.iter().rposition(|point| point.call == "sigaltstack" && point.nth <= 2).unwrap_or(0);
    points[start..].iter().filter(|point| !NOT_OURS.contains(&point.call.as_str())).cloned().collect()
}

/// Calls that change what a disk holds, or make sure of it.
const OF_DISKS: &str =
    "trace=openat,write,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,link,linkat";

/// Runs `command` and returns, whole and with the paths of descriptors, the lines of those calls of its first process
/// that change what a disk holds.
///
/// # Panics
/// When the run does not succeed.
pub fn recorded(command: &Command, trace: &Path) -> Vec<String> {
    let options = ["-y", "-s", "16777216", "-e", OF_DISKS, "-o"].map(OsStr::new);
    let status = under(&[&options[..], &[trace.as_os_str()]].concat(), command).status();
    assert!(status.as_ref().is_ok_and(ExitStatus::success), "the traced run must succeed: {status:?}");
    String::from_utf8_lossy(&crate::read(trace)).lines().map(str::to_owned).collect()
}

/// Returns `count` of the points, evenly spread; all when there are no more.
pub fn sample(points: &[Point], count: usize) -> Vec<Point> {
    let count = count.min(points.len());
    (0..count).map(|at| points[at * points.len() / count].clone()).collect()
}

/// Returns `command` with `fault` (`signal=KILL`, `error=EIO`) at `point`, in its first process only.
pub fn injected(fault: &str, point: &Point, command: &Command) -> Command {
    let trace = format!("trace={}", point.call);
    let inject = format!("inject={}:{fault}:when={}", point.call, point.nth);
    under(&["-o", "/dev/null", "-e", &trace, "-e", &inject].map(OsStr::new), command)
}

fn under(options: &[&OsStr], command: &Command) -> Command {
    let mut strace = Command::new("strace");
    strace.env_clear().args(options).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    strace
}
