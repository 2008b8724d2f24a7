//! Files of other programs: told when they change, once, and not before they are whole.
//!
//! Every event of the system is a hint that makes a [`Watch`] look; the content decides. Told is only a content that
//! differs from the one told before, so a `touch`, a `chmod` or saving the same bytes again is never told. Watched are
//! the folders of every hop of a chain of links, never the files themselves: programs replace files, and a watch of
//! the old one would be deaf. Where a folder is missing, the nearest one above it is watched until it is there.
//!
//! How long a file has to be still before it is told depends on how it changed: some 5 ms for one that took the place
//! of another, 10 ms for one that was written and closed, longer for one that somebody still holds open or that looks
//! cut off. Who never leaves a file alone is waited for three seconds, and six for it to be whole.
//!
//! Events can get lost, and some file systems have none. So every file is also looked at by its stamp every second
//! and a half: what no event told of is told within two seconds.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::mpsc;
//!
//! use switchboard_host::file;
//! use switchboard_host::watch::{Content, Options, Watch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! let path = home.path().join("mcp.json");
//! let (told, changes) = mpsc::sync_channel(16);
//! let watch = Watch::start(Options::default(), move |seen| {
//!     let _ = told.try_send(seen);
//! })?;
//! // What was read before is given along: if the file has changed since, that is told too.
//! let known = Content::of(&file::read(&path));
//! watch.set(BTreeMap::from([(path.clone(), Some(known))]));
//!
//! std::fs::write(&path, "{}")?;
//! assert_eq!(changes.recv()?.content, Content::of(&file::read(&path)));
//! # Ok(())
//! # }
//! ```

mod event;
mod expected;
mod health;
mod inbox;
mod native;
mod seen;
mod settle;
mod task;
mod watched;
mod way;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use self::health::Health;
use self::inbox::{Inbox, Look};
pub use self::seen::{Content, Seen};
use self::task::Task;
use crate::hash::Hash;

/// How a watch works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the system is asked to tell of changes; if not, files are only looked at every now and then.
    pub native: bool,
    /// How often every file is looked at, whatever events say.
    pub poll: Duration,
    /// How often the system is asked again for watches that it had none left for.
    pub retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { native: true, poll: Duration::from_millis(1_500), retry: Duration::from_secs(30) }
    }
}

/// Watches files in a thread of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts a watch of no files.
    ///
    /// `sink` is called for each change, from the watch's thread: while it runs, nothing else is told, and no change is
    /// lost. It must not wait for somebody who waits for this watch.
    ///
    /// # Errors
    ///
    /// The thread cannot be started. A system without watches left is no error: see [`Health::native`].
    pub fn start(options: Options, sink: impl FnMut(Seen) + Send + 'static) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let task = Task::new(Arc::clone(&inbox), options, Box::new(sink));
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(move || task.run())?;
        Ok(Self { inbox, thread: Some(thread) })
    }

    /// Watches these files from now on, and no others. A file need not exist, nor its folder.
    ///
    /// With each path comes what the caller knows of it. If something else is there, that is told. Without it, what is
    /// there when the watch begins is taken as known. A path that is watched already stays as it is.
    pub fn set(&self, files: BTreeMap<PathBuf, Option<Content>>) {
        self.inbox.order(|news| news.wanted = Some(files));
    }

    /// Makes known that the caller is about to write this content itself, so that it is not told.
    ///
    /// To be called before writing. What is never written is forgotten with the next change that somebody else makes.
    pub fn expect(&self, path: &Path, hash: Hash) {
        self.inbox.expect(path, hash);
    }

    /// Reads every file now, whatever events and stamps say.
    pub fn look(&self) {
        self.inbox.order(|news| news.look = Some(Look::Contents));
    }

    /// Waits until what [`Watch::set`] and [`Watch::look`] asked for is done; from then on no change of the files goes
    /// unseen. Returns false if that takes longer than `limit`. Not to be called by the sink.
    pub fn wait(&self, limit: Duration) -> bool {
        self.inbox.wait_done(limit)
    }

    /// Returns how the watch is doing.
    pub fn health(&self) -> Health {
        let running = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        Health { running, ..self.inbox.health() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inbox.order(|news| news.stop = true);
        if let Some(thread) = self.thread.take().filter(|it| it.thread().id() != thread::current().id()) {
            // A sink that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
