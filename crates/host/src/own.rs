//! Publishing Switchboard's own files: nobody else writes them, so a rename is enough.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::system;
use crate::temp::Temp;

/// Why a file of ours is not as it should be.
#[derive(Debug)]
pub(crate) enum PublishError {
    /// The old file stands untouched.
    NotWritten(io::Error),
    /// The new file stands, but a power cut may bring the old one back.
    NotDurable(io::Error),
}

impl PublishError {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::NotWritten(error) | Self::NotDurable(error) => error,
        }
    }
}

/// Puts `bytes` at `path`, whole and durable, readable for the owner only.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let parent = path.parent().unwrap_or(path);
    let folder = system::open_folder(parent).map_err(PublishError::NotWritten)?;
    put(path, bytes).map_err(PublishError::NotWritten)?;
    system::sync_folder(&folder).map_err(PublishError::NotDurable)
}

/// Puts all of `files` into `folder`, each whole and all of them durable, readable for the owner only. The disk is asked
/// for all of them at once, which takes about as long as asking for one.
///
/// # Errors
/// Not all of them are there, or not durably.
pub(crate) fn publish_all(folder: &Path, files: &[(PathBuf, &[u8])]) -> io::Result<()> {
    let opened = system::open_folder(folder)?;
    let put = each(files, |(path, bytes)| put(path, bytes));
    put.into_iter().collect::<io::Result<()>>()?;
    system::sync_folder(&opened)
}

/// How many files are on their way to the disk at the same time.
const AT_ONCE: usize = 8;

/// Does something for each item, for several of them at the same time, and returns what came of it in their order.
///
/// For what waits for the disk: one thread after the other would wait as often as there are items.
pub(crate) fn each<I: Sync, T: Send>(items: &[I], act: impl Fn(&I) -> T + Sync) -> Vec<T> {
    if let [one] = items {
        return vec![act(one)];
    }
    let mut done = Vec::with_capacity(items.len());
    for some in items.chunks(AT_ONCE) {
        let act = &act;
        done.extend(thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|item| scope.spawn(move || act(item))).collect();
            // A thread that panicked panics here as it would have without threads.
            let joined =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.collect::<Vec<T>>()
        }));
    }
    done
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temp = Temp::beside(path, 0o600)?;
    temp.fill(bytes)?;
    system::rename(temp.path(), path)?;
    temp.leave();
    Ok(())
}
