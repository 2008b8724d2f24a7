//! One watched file: what is known of it, and what is going on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Content;
use super::inbox::Look;
use super::settle::{self, Action, Hint, Input, Phase, Sight};
use super::way::Way;
use crate::file::{self, Stamp};

/// The coarsest clock of a file system (FAT): a stamp says nothing about what came so soon after it.
const TICK: Duration = Duration::from_secs(2);
/// The largest content that is kept to be compared, in bytes. Of larger files it is not noticed that they were cut.
const KEPT: usize = 256 * 1024;

/// A file as it was read.
pub(super) struct Reading {
    pub(super) content: Content,
    bytes: Vec<u8>,
}

impl Reading {
    /// Reads the file that `path` leads to.
    pub(super) fn take(path: &Path) -> Self {
        let read = file::read(path);
        Self { content: Content::of(&read), bytes: read.map(|snapshot| snapshot.bytes).unwrap_or_default() }
    }
}

/// One watched file.
pub(super) struct Watched {
    /// As it was asked for.
    pub(super) path: PathBuf,
    pub(super) way: Way,
    /// Since when the last of its folders is watched.
    pub(super) in_sight: Option<Instant>,
    /// What was told last, or is known otherwise.
    known: Content,
    /// The bytes of it, if they are few.
    bytes: Option<Vec<u8>>,
    /// The stamp that was seen last, since when, and when the file was last read.
    stamp: Option<Stamp>,
    stamped: Instant,
    read: Option<Instant>,
    phase: Phase,
    /// When the first sign of the present change came.
    since: Option<Instant>,
}

impl Watched {
    pub(super) fn new(path: PathBuf, now: Instant) -> Self {
        Self {
            path,
            way: Way::default(),
            in_sight: None,
            known: Content::Missing,
            bytes: None,
            stamp: None,
            stamped: now,
            read: None,
            phase: Phase::Still(None),
            since: None,
        }
    }

    /// Reads the file for the first time. What is there is taken as known, unless the caller knows something else:
    /// then that has changed since.
    pub(super) fn begin(&mut self, known: Option<Content>, now: Instant) {
        self.stamp(now);
        self.read = Some(now);
        let reading = Reading::take(&self.path);
        if known.is_none_or(|known| known == reading.content) {
            self.know(reading);
        } else if let Some(known) = known {
            self.known = known;
            self.hint(Hint::Appeared, now, now);
        }
    }

    fn know(&mut self, reading: Reading) {
        self.known = reading.content;
        self.bytes = Some(reading.bytes).filter(|bytes| bytes.len() <= KEPT);
    }

    /// Takes over the stamp at the end of the way; returns whether it is another one.
    fn stamp(&mut self, now: Instant) -> bool {
        if self.stamp == self.way.stamp {
            return false;
        }
        self.stamp = self.way.stamp;
        self.stamped = now;
        true
    }

    /// Returns whether the stamp stands for the content. It does once the file was read well after the stamp was
    /// first seen. What could not be read may become readable without a new stamp.
    fn is_stamp_trusted(&self) -> bool {
        self.known != Content::Unreadable
            && self.read.is_some_and(|read| read.saturating_duration_since(self.stamped) >= TICK)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.phase.deadline()
    }

    /// Returns whether the file has been changing for so long that it is told as it is.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.phase.is_overdue(now)
    }

    /// Takes in what events said; the first of them came at `first`.
    pub(super) fn hint(&mut self, hint: Hint, first: Instant, last: Instant) {
        self.since.get_or_insert(first);
        (self.phase, _) = settle::step(self.phase, Input::Hint(hint), last);
    }

    /// Looks whether anything changed of which no event told.
    pub(super) fn poll(&mut self, look: Look, now: Instant) {
        if matches!(self.phase, Phase::Moving(_)) {
            return;
        }
        if self.stamp(now) {
            self.hint(Hint::Unseen, now, now);
        } else if look == Look::Contents || !self.is_stamp_trusted() {
            self.read = Some(now);
            if Reading::take(&self.path).content != self.known {
                self.hint(Hint::Unseen, now, now);
            }
        }
    }

    /// Returns whether the file has been still for long enough to be looked at.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let (phase, action) = settle::step(self.phase, Input::Tick, now);
        self.phase = phase;
        if action != Action::Look {
            return false;
        }
        if let Some(since) = self.in_sight.take().filter(|since| self.phase.last() < Some(*since))
            && self.way.age().is_some_and(|age| age < Hint::Appeared.moment())
        {
            // All signs are older than the watch, so somebody may be writing who began unseen.
            self.hint(Hint::Appeared, since, since);
            return false;
        }
        let moved = self.stamp(now);
        if moved && self.phase.is_unseen() {
            // No event tells whether it is still, so the stamp has to.
            self.hint(Hint::Unseen, now, now);
            return false;
        }
        true
    }

    /// Takes in what a look found; returns what is to be told of it.
    pub(super) fn look(&mut self, reading: Reading, now: Instant) -> Option<Told> {
        self.read = Some(now);
        let sight = self.sight(&reading);
        let (last, unseen) = (self.phase.last().unwrap_or(now), self.phase.is_unseen());
        let (phase, action) = settle::step(self.phase, Input::Sight(sight), now);
        self.phase = phase;
        if matches!(phase, Phase::Still(_)) {
            let since = self.since.take().unwrap_or(now);
            let content = reading.content;
            self.know(reading);
            if action == Action::Tell {
                return Some(Told { content, since, last, unseen });
            }
        }
        None
    }

    fn sight(&self, reading: &Reading) -> Sight {
        let Content::Is(hash) = reading.content else {
            return if reading.content == self.known { Sight::Known } else { Sight::Gone };
        };
        if Content::Is(hash) == self.known {
            return Sight::Known;
        }
        let new = reading.bytes.as_slice();
        let was = self.bytes.as_deref().unwrap_or_default();
        if new.is_empty() || (new.len() < was.len() && was.starts_with(new)) {
            return Sight::Cut;
        }
        Sight::Other
    }
}

/// A change that is to be told.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) content: Content,
    /// When its first and its last sign came.
    pub(super) since: Instant,
    pub(super) last: Instant,
    /// No event told of it.
    pub(super) unseen: bool,
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests play the other programs")]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_trusted_once_the_file_was_read_long_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp.json");
        std::fs::write(&path, "one").unwrap();
        let begin = Instant::now();
        let after = |milliseconds| begin + Duration::from_millis(milliseconds);
        let mut file = Watched::new(path.clone(), begin);
        file.way = Way::walk(&path);
        file.begin(None, begin);

        // The way is not walked again in this test: as far as it says, the stamp stays what it was.
        file.poll(Look::Stamps, after(1_500));
        assert_eq!(file.deadline(), None, "nothing changed");
        std::fs::write(&path, "two").unwrap();
        file.poll(Look::Stamps, after(3_000));
        assert!(file.phase.is_unseen(), "the stamp was too young to be trusted");

        file.phase = Phase::Still(None);
        file.know(Reading::take(&path));
        std::fs::write(&path, "six").unwrap();
        file.poll(Look::Stamps, after(4_500));
        assert_eq!(file.deadline(), None, "nothing is read any more");
        file.poll(Look::Contents, after(6_000));
        assert!(file.phase.is_unseen(), "unless somebody asks for it");
    }

    #[test]
    fn what_is_cut_off_or_emptied_is_recognised() {
        let reading = |text: &str| Reading {
            content: Content::Is(crate::hash::Hash::of(text.as_bytes())),
            bytes: text.as_bytes().to_vec(),
        };
        let missing = || Reading { content: Content::Missing, bytes: Vec::new() };
        let check = |known: Reading, now: Reading, want: Sight| {
            let mut file = Watched::new(PathBuf::new(), Instant::now());
            let story = format!("from {:?} to {:?}", known.bytes, now.bytes);
            file.know(known);
            assert_eq!(file.sight(&now), want, "{story}");
        };
        check(reading("{ one, two }"), reading("{ one, two }"), Sight::Known);
        check(reading("{ one, two }"), reading("{ two }"), Sight::Other);
        check(reading("{ one, two }"), reading("{ one, t"), Sight::Cut);
        check(reading("{ one, two }"), reading("{ one, two } "), Sight::Other);
        check(reading("{ one, two }"), reading(""), Sight::Cut);
        check(reading("{ one, two }"), missing(), Sight::Gone);
        check(missing(), reading(""), Sight::Cut);
        check(missing(), reading("{"), Sight::Other);
        check(missing(), missing(), Sight::Known);
        check(reading(""), reading(""), Sight::Known);
    }
}
