//! Systems without subreapers: the process group is what can be ended; who left it is out of sight.

use std::io;

use rustix::process::{Pid, test_kill_process_group};

/// Does nothing here: orphans go to the first process of the system.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Says whether somebody is left in `group`.
pub(super) fn group_lives(group: Pid) -> bool {
    test_kill_process_group(group).is_ok()
}

/// Nobody is known here beside the group.
pub(super) fn descendants() -> Vec<(Pid, Pid)> {
    Vec::new()
}
