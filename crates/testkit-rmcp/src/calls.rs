//! The tools that take a while: how each call of theirs is doing, by its key.
//!
//! It stands in files, since one server may be several processes.

#![expect(clippy::disallowed_methods, reason = "files of the test's own")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a call takes that nobody cancels.
const LONG: Duration = Duration::from_secs(10);

/// Between two looks at a file.
const PAUSE: Duration = Duration::from_millis(10);

/// The folder with what is known of the calls.
#[derive(Clone)]
pub(crate) struct Calls(Arc<Path>);

impl Calls {
    /// Returns what is known in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.into())
    }

    /// Waits until the call is cancelled, or for long; returns whether it came to its end.
    pub(crate) async fn slow(&self, key: &str, cancelled: impl Future<Output = ()>) -> io::Result<bool> {
        // Whatever drops the call has cancelled it, too.
        let mut call = Call { file: self.file(key, "state"), end: "cancelled" };
        fs::write(&call.file, "running")?;
        if tokio::time::timeout(LONG, cancelled).await.is_err() {
            call.end = "ended";
        }
        Ok(call.end == "ended")
    }

    /// What became of it: running, ended or cancelled.
    pub(crate) fn state(&self, key: &str) -> String {
        fs::read_to_string(self.file(key, "state")).unwrap_or_else(|_| "unknown".to_owned())
    }

    /// Waits until the client has heard of this step.
    pub(crate) async fn until_heard(&self, key: &str, step: u64) {
        let file = self.file(key, "heard");
        while fs::metadata(&file).map_or(0, |meta| meta.len()) < step {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The client has heard of one more step.
    pub(crate) fn heard(&self, key: &str) -> io::Result<()> {
        let file = fs::File::options().create(true).append(true).open(self.file(key, "heard"));
        file?.write_all(b".")
    }

    fn file(&self, key: &str, what: &str) -> PathBuf {
        self.0.join(format!("{key}.{what}"))
    }
}

/// A slow call, as long as it goes on.
struct Call {
    file: PathBuf,
    end: &'static str,
}

impl Drop for Call {
    fn drop(&mut self) {
        // Where it cannot be written, it goes on for ever, and the client says so.
        let _ = fs::write(&self.file, self.end);
    }
}
