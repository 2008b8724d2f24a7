//! What the thread of a watch is to know, from events and from callers.
//!
//! Everything here is a set or a newest value, never a queue: however much comes, it stays small.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{self, Meaning};
use super::expected::Expected;
use super::settle::Hint;
use super::way::Way;
use super::{Content, Health};
use crate::hash::Hash;

/// The files to be watched, and what the caller knows of each.
pub(super) type Wanted = BTreeMap<PathBuf, Option<Content>>;

/// All hints of one name since they were last taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hinted {
    pub(super) first: Instant,
    pub(super) last: Instant,
    pub(super) hint: Hint,
}

/// How closely everything is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// A file is read if its stamp is another one: events were lost.
    Stamps,
    /// Every file is read: somebody asks for it.
    Contents,
}

/// What has come since it was last taken.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The watch is dropped.
    pub(super) stop: bool,
    /// Other files are to be watched.
    pub(super) wanted: Option<Wanted>,
    /// Everything is to be looked at.
    pub(super) look: Option<Look>,
    /// A watched folder went away, and the system's watch perhaps with it.
    pub(super) unwatched: bool,
    /// What happened to which name.
    pub(super) hints: BTreeMap<PathBuf, Hinted>,
    /// How many orders of callers this carries out.
    orders: u64,
}

impl News {
    fn is_nothing(&self) -> bool {
        let Self { stop, wanted, look, unwatched, hints, orders: _ } = self;
        !stop && wanted.is_none() && look.is_none() && !unwatched && hints.is_empty()
    }
}

#[derive(Debug, Default)]
struct State {
    news: News,
    /// How many orders of callers are carried out.
    done: u64,
    /// The names whose events are news.
    names: HashSet<PathBuf>,
    /// The folders that the system watches, or is to watch.
    folders: BTreeSet<PathBuf>,
    /// A folder that we have opened, until the event of that comes.
    opening: Option<PathBuf>,
    expected: Expected,
    health: Health,
}

/// Shared by the thread of the watch, the system's events, and callers.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    /// There is news.
    came: Condvar,
    /// An order was carried out, or the event that was waited for came.
    went: Condvar,
    /// Holds up the system's events for as long as a test has it locked.
    #[cfg(test)]
    pub(super) gate: Mutex<()>,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half-done under this lock, so a panic elsewhere does not make it worthless.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an event of the system, or what it says in the place of one.
    pub(super) fn event(&self, event: notify::Result<notify::Event>) {
        #[cfg(test)]
        let _gate = self.gate.lock();
        self.sort(event);
    }

    pub(super) fn sort(&self, event: notify::Result<notify::Event>) {
        let now = Instant::now();
        let mut state = self.state();
        let Ok(event) = event else {
            state.news.look = state.news.look.max(Some(Look::Stamps));
            return self.came.notify_one();
        };
        if event.need_rescan() {
            state.news.look = state.news.look.max(Some(Look::Stamps));
            state.health.overflows += 1;
            self.came.notify_one();
        }
        for path in &event.paths {
            self.of_name(&mut state, path, event.kind, now);
        }
    }

    fn of_name(&self, state: &mut State, path: &Path, kind: notify::EventKind, now: Instant) {
        if event::ends_watches(kind) && state.folders.iter().any(|folder| folder.starts_with(path)) {
            state.news.unwatched = true;
            self.came.notify_one();
        }
        match event::meaning(kind) {
            Meaning::Nothing => {}
            Meaning::Opened => {
                if state.opening.as_deref() == Some(path) {
                    state.opening = None;
                    self.went.notify_all();
                }
            }
            Meaning::Change(_) if !state.names.contains(path) => {}
            Meaning::Change(hint) => {
                if let Some(hinted) = state.news.hints.get_mut(path) {
                    // Its thread knows already that there is news: who writes much does not wake it each time.
                    hinted.last = now;
                    let known = hinted.hint;
                    hinted.hint = known.and(hint);
                    if hinted.hint == known {
                        return;
                    }
                } else {
                    state.news.hints.insert(path.to_owned(), Hinted { first: now, last: now, hint });
                }
                self.came.notify_one();
            }
        }
    }

    /// Gives an order to the thread, and returns its number.
    pub(super) fn order(&self, order: impl FnOnce(&mut News)) {
        let mut state = self.state();
        state.news.orders += 1;
        order(&mut state.news);
        self.came.notify_one();
    }

    /// Waits until all orders given so far are carried out, or `limit` has passed.
    pub(super) fn wait_done(&self, limit: Duration) -> bool {
        let state = self.state();
        let orders = state.news.orders.max(state.done);
        let waited = self.went.wait_timeout_while(state, limit, |state| state.done < orders);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.done >= orders
    }

    /// Takes the news, waiting for some until `until`; then what is returned may be nothing.
    pub(super) fn take(&self, until: Instant) -> News {
        let mut state = self.state();
        while state.news.is_nothing() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) = self.came.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        let orders = state.news.orders;
        std::mem::replace(&mut state.news, News { orders, ..News::default() })
    }

    /// Notes that what `news` ordered is done.
    pub(super) fn done(&self, news: &News) {
        let mut state = self.state();
        if state.done < news.orders {
            state.done = news.orders;
            self.went.notify_all();
        }
    }

    /// From now on, events on that way are news.
    pub(super) fn listen(&self, way: &Way) {
        let mut state = self.state();
        state.names.extend(way.names().cloned());
        state.folders.extend(way.folders.keys().cloned());
    }

    /// Events on other ways than these are no news any more.
    pub(super) fn listen_only<'w>(&self, ways: impl Iterator<Item = &'w Way>) {
        let (mut names, mut folders) = (HashSet::new(), BTreeSet::new());
        for way in ways {
            names.extend(way.names().cloned());
            folders.extend(way.folders.keys().cloned());
        }
        let mut state = self.state();
        (state.names, state.folders) = (names, folders);
    }

    /// Notes that we are about to open a folder.
    pub(super) fn opening(&self, folder: &Path) {
        self.state().opening = Some(folder.to_owned());
    }

    /// Returns whether the event of our opening is still to come.
    #[cfg(test)]
    pub(super) fn is_opening(&self) -> bool {
        self.state().opening.is_some()
    }

    /// Waits for the event of our opening a folder, but not for longer than `limit`.
    pub(super) fn wait_opened(&self, limit: Duration) {
        let state = self.state();
        let waited = self.went.wait_timeout_while(state, limit, |state| state.opening.is_some());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.opening = None;
    }

    /// Returns whether there is news of a name for which `concerns` holds.
    pub(super) fn has_hint(&self, concerns: impl Fn(&Path) -> bool) -> bool {
        let state = self.state();
        state.news.hints.iter().any(|(name, hinted)| hinted.hint != Hint::Touched && concerns(name))
    }

    /// Notes that a caller is about to write that content.
    pub(super) fn expect(&self, path: &Path, hash: Hash) {
        self.state().expected.add(path, hash, Instant::now());
    }

    /// Returns whether the change that ended at `last` is one that a caller made.
    pub(super) fn is_expected(&self, path: &Path, content: Content, last: Instant) -> bool {
        let mut state = self.state();
        if let Content::Is(hash) = content
            && state.expected.take(path, hash)
        {
            return true;
        }
        state.expected.end(path, last);
        false
    }

    /// Forgets what is expected of files that are not watched.
    pub(super) fn expect_only(&self, is_watched: impl Fn(&Path) -> bool) {
        self.state().expected.keep(is_watched);
    }

    pub(super) fn health(&self) -> Health {
        self.state().health.clone()
    }

    pub(super) fn note(&self, note: impl FnOnce(&mut Health)) {
        note(&mut self.state().health);
    }
}
