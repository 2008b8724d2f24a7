//! The thread of a watch: it waits, follows the files, and tells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::inbox::{Hinted, Inbox, Look, News, Wanted};
use super::native::Native;
use super::settle::Hint;
use super::watched::{Reading, Told, Watched};
use super::way::Way;
use super::{Content, Options, Seen};
use crate::system;

/// How often a way is walked anew because it changed while its folders were being watched. Who moves folders about
/// that fast is found by the next look.
const WALKS: usize = 8;
/// How long to wait for the event of our own opening a folder. It comes at once, unless the machine is very busy.
const OPENING: Duration = Duration::from_millis(500);

pub(super) struct Task {
    inbox: Arc<Inbox>,
    sink: Box<dyn FnMut(Seen) + Send>,
    options: Options,
    native: Native,
    files: BTreeMap<PathBuf, Watched>,
    next_poll: Instant,
    next_retry: Instant,
}

impl Task {
    pub(super) fn new(inbox: Arc<Inbox>, options: Options, sink: Box<dyn FnMut(Seen) + Send>) -> Self {
        let now = Instant::now();
        let native = Native::new(Arc::clone(&inbox));
        let (next_poll, next_retry) = (now + options.poll, now + options.retry);
        Self { inbox, sink, options, native, files: BTreeMap::new(), next_poll, next_retry }
    }

    pub(super) fn run(mut self) {
        if self.options.native {
            self.native.retry();
        }
        self.note();
        loop {
            let news = self.inbox.take(self.next_deadline());
            if news.stop {
                return;
            }
            self.take_in(&news);
            self.tell_what_is_still();
            self.inbox.done(&news);
        }
    }

    fn next_deadline(&self) -> Instant {
        let moments = self.files.values().filter_map(Watched::deadline);
        moments.fold(self.next_poll, Instant::min)
    }

    fn take_in(&mut self, news: &News) {
        // Whom a hint concerns is asked first: the ways may be others soon.
        let mut hints: Vec<_> =
            news.hints.iter().flat_map(|(name, hinted)| self.concerned(name, *hinted)).collect();
        // The last one counts.
        hints.sort_by_key(|(_, _, hinted)| hinted.last);
        if let Some(wanted) = &news.wanted {
            self.watch(wanted);
        }
        if news.unwatched {
            self.renew();
        }
        for (path, name, hinted) in hints {
            self.take_hint(&path, name, hinted);
        }
        let now = Instant::now();
        if now >= self.next_retry {
            self.retry(now);
        }
        if news.look.is_some() || now >= self.next_poll {
            self.poll(news.look.unwrap_or(Look::Stamps));
            self.next_poll = Instant::now() + self.options.poll;
        }
    }

    fn concerned<'n>(&self, name: &'n Path, hinted: Hinted) -> Vec<(PathBuf, &'n Path, Hinted)> {
        let files = self.files.values().filter(|file| file.way.has(name));
        files.map(|file| (file.path.clone(), name, hinted)).collect()
    }

    /// Watches these files and no others. A file that is watched already stays as it is.
    fn watch(&mut self, wanted: &Wanted) {
        self.files.retain(|path, _| wanted.contains_key(path));
        self.inbox.expect_only(|path| wanted.contains_key(path));
        for (path, known) in wanted {
            if self.files.contains_key(path) {
                continue;
            }
            let mut file = Watched::new(path.clone(), Instant::now());
            // First the folders, then the file: what changes in between is seen by one or the other.
            (file.way, _) = self.follow(path);
            file.begin(*known, Instant::now());
            self.files.insert(path.clone(), file);
        }
        self.settle_names();
    }

    /// Walks a way and has its folders watched, until both agree; returns also whether one was not watched before.
    fn follow(&mut self, path: &Path) -> (Way, bool) {
        let (mut way, mut any_fresh) = (Way::walk(path), false);
        for _ in 0..WALKS {
            self.inbox.listen(&way);
            let mut fresh = false;
            for (folder, identity) in &way.folders {
                fresh |= self.native.watch(folder, *identity);
            }
            if !fresh {
                break;
            }
            any_fresh = true;
            way = Way::walk(path);
        }
        (way, any_fresh)
    }

    /// Walks the way of a watched file anew.
    fn follow_again(&mut self, path: &Path) {
        let (way, is_fresh) = self.follow(path);
        let Some(file) = self.files.get_mut(path) else { return };
        let other_names = !way.names().eq(file.way.names());
        file.way = way;
        if is_fresh {
            file.in_sight = Some(Instant::now());
        }
        if other_names {
            self.settle_names();
        }
    }

    /// Lets go of names and folders that no file needs any more.
    fn settle_names(&mut self) {
        let needed: BTreeSet<_> = self.files.values().flat_map(|file| file.way.folders.keys()).collect();
        self.native.keep(&needed);
        self.inbox.listen_only(self.files.values().map(|file| &file.way));
        self.note();
    }

    /// Takes in what happened to `name`, which is on the way to the file.
    fn take_hint(&mut self, path: &Path, name: &Path, Hinted { first, last, hint }: Hinted) {
        let is_end = |file: &Watched| file.way.end() == Some(name);
        let Some(file) = self.files.get_mut(path) else { return };
        if is_end(file) && file.way.stamp.is_some() && matches!(hint, Hint::Written | Hint::Closed) {
            // The content changed, and the way did not.
            return file.hint(hint, first, last);
        }
        self.follow_again(path);
        let Some(file) = self.files.get_mut(path) else { return };
        let hint = match hint {
            // A link is whole as soon as it is there.
            Hint::Written if file.way.is_link(name) => Hint::Replaced,
            // A folder was made, and what stands in it was begun unseen.
            Hint::Written if !is_end(file) => Hint::Appeared,
            _ => hint,
        };
        file.hint(hint, first, last);
    }

    /// Looks at every file for what no event told.
    fn poll(&mut self, look: Look) {
        let paths: Vec<_> = self.files.keys().cloned().collect();
        for path in paths {
            self.follow_again(&path);
            if let Some(file) = self.files.get_mut(&path) {
                file.poll(look, Instant::now());
            }
        }
    }

    /// Has every folder watched once more: some watches may be gone without a sign.
    fn renew(&mut self) {
        self.native.renew();
        let paths: Vec<_> = self.files.keys().cloned().collect();
        for path in paths {
            self.follow_again(&path);
        }
        self.settle_names();
    }

    /// Tries to have what the system refused before.
    fn retry(&mut self, now: Instant) {
        self.next_retry = now + self.options.retry;
        if self.options.native && self.native.why().is_some() {
            self.native.retry();
            self.renew();
        }
    }

    fn tell_what_is_still(&mut self) {
        let paths: Vec<_> = self.files.keys().cloned().collect();
        for path in paths {
            if let Some(told) = self.look(&path) {
                self.tell(&path, told);
            }
        }
    }

    /// Looks at a file, if it has been still for long enough; returns what is to be told.
    fn look(&mut self, path: &Path) -> Option<Told> {
        let now = Instant::now();
        if self.files.get(path)?.deadline()? > now {
            return None;
        }
        self.follow_again(path);
        if !self.files.get_mut(path)?.is_due(now) {
            return None;
        }
        let reading = self.read(path)?;
        self.files.get_mut(path)?.look(reading, Instant::now())
    }

    /// Reads a file; returns nothing if events tell that it had begun to change again before it was read.
    fn read(&self, path: &Path) -> Option<Reading> {
        let file = self.files.get(path)?;
        let reading = Reading::take(path);
        if system::TELLS_OPENING && matches!(reading.content, Content::Is(_)) {
            self.catch_up(file);
        }
        let is_late = !file.is_overdue(Instant::now()) && self.inbox.has_hint(|name| file.way.has(name));
        (!is_late).then_some(reading)
    }

    /// Waits until the events of everything that happened to a file before now have come: they come in order, and the
    /// last is that of our own opening the folder. Opening the file would not do, as who writes does that too.
    fn catch_up(&self, file: &Watched) {
        let folder = file.way.end().and_then(Path::parent);
        let Some(folder) = folder.filter(|folder| self.native.is_watched(folder)) else { return };
        self.inbox.opening(folder);
        if system::open_folder(folder).is_ok() {
            self.inbox.wait_opened(OPENING);
        }
    }

    fn tell(&mut self, path: &Path, Told { content, since, last, unseen }: Told) {
        if self.inbox.is_expected(path, content, last) {
            return;
        }
        self.inbox.note(|health| {
            health.told += 1;
            health.polled_changes += u64::from(unseen);
        });
        (self.sink)(Seen { path: path.to_owned(), content, since });
        if unseen {
            self.renew();
        }
    }

    fn note(&self) {
        let needed: BTreeSet<_> = self.files.values().flat_map(|file| file.way.folders.keys()).collect();
        let watched = needed.iter().filter(|folder| self.native.is_watched(folder)).count();
        let why = self.native.why().map(str::to_owned);
        self.inbox.note(|health| {
            health.files = self.files.len();
            health.watched_folders = watched;
            health.unwatched_folders = needed.len() - watched;
            health.native = why.is_none() && health.unwatched_folders == 0;
            health.why = why;
        });
    }
}
