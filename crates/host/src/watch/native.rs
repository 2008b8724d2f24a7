//! The folders that the system watches for us.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::inbox::Inbox;
use super::way::{self, Identity};

/// One watcher of the system for all folders, each by itself, without what lies below.
pub(super) struct Native {
    inbox: Arc<Inbox>,
    /// Not there where the system has none left, or where none is wanted.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, Identity>,
    /// Folders that the system would not watch. They are not tried again before [`Native::retry`].
    refused: BTreeMap<PathBuf, Identity>,
    why: Option<String>,
}

impl Native {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            inbox,
            watcher: None,
            watched: BTreeMap::new(),
            refused: BTreeMap::new(),
            why: Some("not asked for".to_owned()),
        }
    }

    /// Starts the system's watcher, if it is not there, and forgets what was refused before.
    pub(super) fn retry(&mut self) {
        self.refused.clear();
        if self.watcher.is_some() {
            self.why = None;
            return;
        }
        let inbox = Arc::clone(&self.inbox);
        match notify::recommended_watcher(move |event| inbox.event(event)) {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                self.why = None;
            }
            Err(error) => self.why = Some(error.to_string()),
        }
    }

    /// Watches a folder; returns whether it was not watched before, so that events may have been missed.
    pub(super) fn watch(&mut self, folder: &Path, identity: Identity) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        if [self.watched.get(folder), self.refused.get(folder)].contains(&Some(&identity)) {
            return false;
        }
        if self.watched.contains_key(folder) {
            // The system goes on watching the old folder, wherever it is now, and would tell of it by this name.
            let _ = watcher.unwatch(folder);
            self.watched.remove(folder);
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.refused.remove(folder);
                self.watched.insert(folder.to_owned(), identity);
                true
            }
            // It went away since it was found there.
            Err(notify::Error { kind: ErrorKind::PathNotFound, .. }) => true,
            Err(error) => {
                self.refused.insert(folder.to_owned(), identity);
                self.why = Some(error.to_string());
                false
            }
        }
    }

    /// Watches every folder once more, as far as it is still the same: a watch that is in order stays as it is, one
    /// that the system has dropped is renewed.
    pub(super) fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|folder, identity| {
            if way::identity(folder) == Some(*identity) {
                return watcher.watch(folder, RecursiveMode::NonRecursive).is_ok();
            }
            let _ = watcher.unwatch(folder);
            false
        });
    }

    /// Watches no folders but these.
    pub(super) fn keep(&mut self, folders: &BTreeSet<&PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|folder, _| {
            let keep = folders.contains(folder);
            if !keep {
                let _ = watcher.unwatch(folder);
            }
            keep
        });
        self.refused.retain(|folder, _| folders.contains(folder));
    }

    pub(super) fn is_watched(&self, folder: &Path) -> bool {
        self.watched.contains_key(folder)
    }

    /// Returns why not every folder is watched, if so.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}
