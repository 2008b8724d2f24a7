//! A folder with files in it, a watch of them, and what it tells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use switchboard_host::file;
use switchboard_host::hash::Hash;
use switchboard_host::watch::{Content, Health, Options, Seen, Watch};

/// What takes longer hangs.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// The content before a save, and after it. One does not begin like the other, so that a part is recognised.
pub(super) const OLD: &str = "{ \"old\": \"what stood there before\" }\n";
pub(super) const NEW: &str = "{ \"new\": \"what another program saved\" }\n";

pub(super) fn is(text: &str) -> Content {
    Content::Is(Hash::of(text.as_bytes()))
}

/// Runs the body of a test in a process of its own, where nothing else has descriptors or takes memory.
pub(super) fn alone(test: &str, body: impl FnOnce()) {
    const ALONE: &str = "SWITCHBOARD_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return body();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args([test, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("1 passed"), "there is no test `{test}`");
}

/// A scene of a test; its watch is dropped before its folder.
pub(super) struct Stage {
    watch: Option<Watch>,
    seen: Receiver<Seen>,
    pub(super) folder: tempfile::TempDir,
}

impl Stage {
    pub(super) fn set() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        let (told, seen) = sync_channel(100_000);
        let watch = Watch::start(options, move |change| told.send(change).unwrap()).unwrap();
        Self { watch: Some(watch), seen, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn watch(&self) -> &Watch {
        self.watch.as_ref().unwrap()
    }

    /// Watches these files alone, with what they are now as known.
    pub(super) fn look_at(&self, paths: &[&Path]) {
        let known = |path: &Path| Some(Content::of(&file::read(path)));
        let files: BTreeMap<_, _> = paths.iter().map(|path| (path.to_path_buf(), known(path))).collect();
        self.watch().set(files);
        assert!(self.watch().wait(LIMIT));
    }

    pub(super) fn health(&self) -> Health {
        self.watch().health()
    }

    /// Returns the next change that is told.
    pub(super) fn next(&self) -> Seen {
        self.seen.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{error}: {:?}", self.health()))
    }

    /// Returns what has been told so far, without waiting.
    pub(super) fn so_far(&self) -> impl Iterator<Item = Seen> {
        self.seen.try_iter()
    }

    /// Returns what is told of the one file, from the next change on, until it is `last`.
    pub(super) fn until(&self, last: Content) -> Vec<Content> {
        let mut told = Vec::new();
        while told.last() != Some(&last) {
            told.push(self.next().content);
        }
        told
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.watch.take());
    }
}
