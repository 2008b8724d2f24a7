//! Servers that do what no server should: only the caller concerned notices, and the next call finds it well.
//!
//! Each behaviour is a row: what the server does, and what its caller sees of it on each transport. `well` is the
//! answer, `!lost` and its like the reason of a typed error; ` ` is for what a transport does not have. Everything comes
//! at once or when the time of the call is over: the clock stands still but where a row says so.

mod doors;
mod exits;
mod far;
mod http;
mod lists;
mod messages;
mod soak;
mod sse;
mod stdio;
mod storm;
mod tls;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;

/// A call of the odd server may take so long.
const LIMIT: Duration = Duration::from_secs(5);

/// A call that takes so long is told so within this.
const SLACK: Duration = Duration::from_millis(100);

/// The first pause before a server is tried again is at most this long.
const BACK_OFF: Duration = Duration::from_millis(250);

/// Plays every row, and fails at the end if any did: one that fails does not hide the others.
async fn all<F: Future<Output = ()>>(rows: impl IntoIterator<Item = F>) {
    let mut failed = 0;
    for row in rows {
        failed += usize::from(AssertUnwindSafe(row).catch_unwind().await.is_err());
    }
    assert_eq!(failed, 0, "rows failed; each has said above what was the matter");
}
