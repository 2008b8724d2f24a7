//! Linux: orphans come to us, and `/proc` says who descends from us.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use rustix::process::{Pid, getpid, set_child_subreaper};

/// Makes this process the parent of each descendant whose own parent ends, so that none can leave by being orphaned.
pub fn adopt_orphans() -> io::Result<()> {
    set_child_subreaper(Some(getpid())).map_err(io::Error::from)
}

/// Returns every descendant of this process with its process group.
///
/// This is a snapshot: a process forked meanwhile may be missing, so who wants to be sure looks again.
pub(super) fn descendants() -> Vec<(Pid, Pid)> {
    let mut children: BTreeMap<i32, Vec<(i32, i32)>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some((parent, group)) = parent_and_group(pid) {
            children.entry(parent).or_default().push((pid, group));
        }
    }
    let mut found = Vec::new();
    let mut parents = vec![getpid().as_raw_pid()];
    while let Some(parent) = parents.pop() {
        for (pid, group) in children.remove(&parent).unwrap_or_default() {
            parents.push(pid);
            found.extend(Pid::from_raw(pid).zip(Pid::from_raw(group)));
        }
    }
    found
}

/// Reads fields 4 and 5 of `/proc/PID/stat`. The second field, the name, may hold anything, so the count begins
/// behind its closing parenthesis, which is the last of the line.
#[expect(clippy::disallowed_methods, reason = "/proc has no file of anybody's")]
fn parent_and_group(pid: i32) -> Option<(i32, i32)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
