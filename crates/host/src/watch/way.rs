//! The way to a file: what has to be watched so that nothing that can change the file's content goes unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::file::{self, Stamp};
use crate::system;

/// Which folder it is that has a name: its device and number.
pub(super) type Identity = (u64, u64);

/// Returns which folder has that name, if one has.
pub(super) fn identity(folder: &Path) -> Option<Identity> {
    let stamp = system::stamp(&folder.symlink_metadata().ok()?);
    Some((stamp.dev, stamp.ino))
}

/// Every hop of a path, as the file system had it at one moment. Two equal ways lead to the same file, which most
/// likely has the same content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// Each link, and last the file, or the first name on the way that is missing.
    hops: Vec<PathBuf>,
    /// The folder of each hop. It is there, or it would be a hop itself.
    pub(super) folders: BTreeMap<PathBuf, Identity>,
    /// What stands at the end.
    pub(super) stamp: Option<Stamp>,
}

impl Way {
    /// Walks from `path` as far as there is a way. Nothing is opened.
    pub(super) fn walk(path: &Path) -> Self {
        let hops = file::hops(path);
        let folders = hops.iter().filter_map(|hop| {
            let folder = hop.parent()?;
            Some((folder.to_owned(), identity(folder)?))
        });
        let folders = folders.collect();
        let stamp = hops.last().and_then(|end| Some(system::stamp(&end.symlink_metadata().ok()?)));
        Self { hops, folders, stamp }
    }

    /// Returns how long ago the file at the end changed, if one is there.
    pub(super) fn age(&self) -> Option<Duration> {
        Some(system::age(&self.end()?.symlink_metadata().ok()?))
    }

    /// Returns the file at the end.
    pub(super) fn end(&self) -> Option<&Path> {
        self.hops.last().map(PathBuf::as_path)
    }

    /// Returns whether `name` is a link on the way.
    pub(super) fn is_link(&self, name: &Path) -> bool {
        self.hops.split_last().is_some_and(|(_, links)| links.iter().any(|link| link == name))
    }

    /// Returns every name whose events concern the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &PathBuf> {
        self.hops.iter().chain(self.folders.keys())
    }

    /// Returns whether events of `name` concern the file.
    pub(super) fn has(&self, name: &Path) -> bool {
        self.hops.iter().any(|hop| hop == name) || self.folders.contains_key(name)
    }
}
