//! The wall clock, for labels and file names only: no decision hangs on it.

use std::time::SystemTime;

/// Returns the milliseconds since 1970, or 0 on a machine whose clock stands before that.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
