//! What the system says of processes.
#![expect(clippy::disallowed_methods, reason = "this is how the system tells it")]

use std::fs;
use std::path::{Path, PathBuf};

/// How many ticks of the clock in `/proc` make a second.
const TICKS: f64 = 100.0;

/// Returns what the machine is, and how busy it is.
pub(super) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let (cores, load) = (std::thread::available_parallelism().map_or(0, usize::from), read("/proc/loadavg"));
    format!(
        "Measured on {cores} cores, {}, Linux {}; load before: {}",
        model.map_or("of an unknown kind", |(_, model)| model),
        read("/proc/sys/kernel/osrelease").trim(),
        load.split(' ').next().unwrap_or_default()
    )
}

/// What a process holds of the machine's memory, in KiB.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    /// All pages that it has, those that others have too.
    pub(super) resident: u64,
    /// Of those that others have too, only its share.
    pub(super) share: u64,
    /// Pages that nobody else has.
    pub(super) private: u64,
}

impl std::iter::Sum for Memory {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            resident: sum.resident + one.resident,
            share: sum.share + one.share,
            private: sum.private + one.private,
        })
    }
}

/// Returns the memory of a process.
pub(super) fn memory(pid: u32) -> Result<Memory, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut memory = Memory::default();
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let size = rest.split_whitespace().next().and_then(|size| size.parse::<u64>().ok());
        match (name, size) {
            ("Rss", Some(size)) => memory.resident = size,
            ("Pss", Some(size)) => memory.share = size,
            ("Private_Clean" | "Private_Dirty", Some(size)) => memory.private += size,
            _ => {}
        }
    }
    Ok(memory)
}

/// Returns a number of the status of a process, such as `VmRSS`, in KiB.
pub(super) fn status(pid: u32, what: &str) -> Result<u64, String> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_default();
    let number = line.trim_start_matches(':').trim().trim_end_matches(" kB").trim();
    number.parse().map_err(|_| format!("no `{what}` in the status"))
}

/// Returns the time of the processors that a process has used so far, its own and the system's for it, in seconds.
/// The system counts in hundredths.
pub(super) fn processor(pid: u32) -> Result<f64, String> {
    let fields = fields(pid)?;
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / TICKS)
}

/// Returns the program of a process.
pub(super) fn program(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// Returns a process with all that it started and what those started, but not what runs `other`: that is not its own.
pub(super) fn family(root: u32, other: &Path) -> Vec<u32> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let parent = fields(pid).ok().and_then(|fields| fields.get(1)?.parse::<u32>().ok());
        pairs.extend(parent.map(|parent| (parent, pid)));
    }
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        at += 1;
        let children = pairs.iter().filter(|(of, _)| *of == parent).map(|(_, pid)| *pid);
        family.extend(children.filter(|pid| program(*pid).is_none_or(|program| program != other)));
    }
    family
}

/// Returns how many processes below a process run `program`.
pub(super) fn count(root: u32, wanted: &Path) -> usize {
    let nobody = Path::new("");
    family(root, nobody).into_iter().filter(|pid| program(*pid).is_some_and(|found| found == wanted)).count()
}

/// Returns what `/proc` says of a process behind its name.
fn fields(pid: u32) -> Result<Vec<String>, String> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}
