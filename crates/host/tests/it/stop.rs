//! Another program writes while ours stands still at each file call in turn: its bytes are never lost, and never
//! overwritten in silence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use switchboard_host::backup::Backups;
use switchboard_host::hash::Hash;

use crate::strace::{self, Point};

const OLD: &[u8] = b"what stood there";
const NEW: &[u8] = b"what ours wrote";
const THEIRS: &[u8] = b"what the other program wrote, which is longer";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Writer {
    Renames,
    Truncates,
    Recreates,
}

/// How the example writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Replaces,
    /// It truncates the file and writes, without a look at what stands there.
    Broken,
}

struct Stage(tempfile::TempDir);

impl Stage {
    fn set() -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        std::fs::write(stage.path("mcp.json"), OLD).unwrap();
        std::fs::write(stage.path("new"), NEW).unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn args(&self, ours: Ours) -> Vec<PathBuf> {
        let flag = (ours == Ours::Broken).then(|| PathBuf::from("--broken"));
        flag.into_iter().chain(["mcp.json", "new", "state"].map(|name| self.path(name))).collect()
    }

    fn points(&self, ours: Ours) -> Vec<Point> {
        let args = self.args(ours);
        let args: Vec<&Path> = args.iter().map(PathBuf::as_path).collect();
        strace::of_files(&strace::points(&args, &self.path("trace")))
    }

    fn write(&self, writer: Writer) {
        let path = self.path("mcp.json");
        match writer {
            Writer::Renames => {
                std::fs::write(self.path("foreign"), THEIRS).unwrap();
                std::fs::rename(self.path("foreign"), path).unwrap();
            }
            Writer::Truncates => std::fs::write(path, THEIRS).unwrap(),
            Writer::Recreates => {
                std::fs::remove_file(&path).unwrap();
                std::fs::write(path, THEIRS).unwrap();
            }
        }
    }
}

/// Returns the example below a strace, once the trace says that it stands still.
fn stopped(strace: &mut Child, trace: &Path) -> Option<Pid> {
    let children = format!("/proc/{0}/task/{0}/children", strace.id());
    while strace.try_wait().unwrap().is_none() {
        if std::fs::read_to_string(trace).is_ok_and(|text| text.contains("--- stopped by SIGSTOP ---")) {
            let pids = std::fs::read_to_string(&children).unwrap();
            return Pid::from_raw(pids.split_whitespace().next().unwrap().parse().unwrap());
        }
        thread::sleep(Duration::from_millis(1));
    }
    None
}

fn go_on(strace: &mut Child, pid: Pid) -> Option<i32> {
    for _ in 0..2_000 {
        if let Some(status) = strace.try_wait().unwrap() {
            return status.code();
        }
        let _ = kill_process(pid, Signal::CONT);
        thread::sleep(Duration::from_millis(2));
    }
    let _ = kill_process(pid, Signal::KILL);
    panic!("it never ended");
}

/// What one interleaving came to: who stands in the file, and the exit code.
fn interleave(
    ours: Ours,
    writer: Writer,
    point: &Point,
    may_be_read: bool,
) -> Result<(&'static str, i32), String> {
    let stage = Stage::set();
    let args = stage.args(ours);
    let args: Vec<&Path> = args.iter().map(PathBuf::as_path).collect();
    let mut strace = strace::spawn("signal=STOP", point, &args, &stage.path("trace"));
    let Some(pid) = stopped(&mut strace, &stage.path("trace")) else { return Ok(("no pause", 0)) };
    stage.write(writer);
    let code = go_on(&mut strace, pid).unwrap_or(-1);
    let content = std::fs::read(stage.path("mcp.json")).unwrap_or_default();
    let kept = Backups::new(stage.path("state/backups")).has(Hash::of(THEIRS));
    let told = |what: &str| Err(format!("{writer:?} at {point:?}: {what}, exit code {code}"));
    match content.as_slice() {
        THEIRS => Ok(("theirs", code)),
        NEW if !kept => told("lost"),
        // Displaced is told; written is right only where theirs was read first.
        NEW if code == 0 && !may_be_read => told("overwritten in silence"),
        NEW => Ok(("ours", code)),
        _ => told("torn"),
    }
}

fn is_target(line: &str, stage: &Path) -> bool {
    line.starts_with("openat") && line.contains(&format!("{}\"", stage.join("mcp.json").display()))
}

/// Lets every kind of writer in at every point, and returns what must not be.
fn interleave_everywhere(ours: Ours) -> Vec<String> {
    let stage = Stage::set();
    let points = stage.points(ours);
    let opened = points.iter().position(|point| is_target(&point.line, stage.0.path())).unwrap();
    // Until it is read to its end, what the other program wrote may be what is read.
    let read = opened + points[opened..].iter().position(|point| point.call == "close").unwrap();
    let writers = [Writer::Renames, Writer::Truncates, Writer::Recreates];
    let cases: Vec<_> = writers.iter().flat_map(|writer| (0..points.len()).map(|at| (*writer, at))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new((BTreeMap::new(), Vec::new())));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((writer, at)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = interleave(ours, *writer, &points[*at], *at <= read);
                    let mut found = found.lock().unwrap();
                    match outcome {
                        Ok(outcome) => *found.0.entry((*writer, outcome)).or_insert(0) += 1,
                        Err(fault) => found.1.push(fault),
                    }
                }
            });
        }
    });
    let (outcomes, faults) = found.into_inner().unwrap();
    println!("{ours:?}: {} interleavings: {outcomes:?}, {} faults", cases.len(), faults.len());
    faults
}

#[test]
fn a_program_that_writes_at_any_moment_loses_nothing() {
    if strace::is_there() {
        let faults = interleave_everywhere(Ours::Replaces);
        assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
    }
}

/// The harness counts only because it finds out a writer that does not look.
#[test]
fn a_writer_that_does_not_look_is_found_out() {
    if strace::is_there() {
        let faults = interleave_everywhere(Ours::Broken);
        assert!(faults.iter().any(|fault| fault.contains("lost")), "{faults:?}");
    }
}
