//! Contents that we are about to write ourselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::hash::Hash;

/// How many contents of one file are expected at most: more writes than that are not on their way at once.
const MOST: usize = 4;

/// What is expected of each file, in the order in which it will be written.
#[derive(Debug, Default)]
pub(super) struct Expected(BTreeMap<PathBuf, Vec<(Instant, Hash)>>);

impl Expected {
    pub(super) fn add(&mut self, path: &Path, hash: Hash, now: Instant) {
        let hashes = self.0.entry(path.to_owned()).or_default();
        hashes.retain(|(_, known)| *known != hash);
        if hashes.len() == MOST {
            hashes.remove(0);
        }
        hashes.push((now, hash));
    }

    /// Returns whether the content was expected; it is no longer, nor is what should have come before it.
    pub(super) fn take(&mut self, path: &Path, hash: Hash) -> bool {
        let Some(hashes) = self.0.get_mut(path) else { return false };
        let Some(at) = hashes.iter().position(|(_, known)| *known == hash) else { return false };
        hashes.drain(..=at);
        true
    }

    /// Ends what was expected before a change of somebody else's, which ended at `last`: we write only over what we
    /// have read, so a write that has not come by then will not come.
    pub(super) fn end(&mut self, path: &Path, last: Instant) {
        if let Some(hashes) = self.0.get_mut(path) {
            hashes.retain(|(at, _)| *at >= last);
        }
    }

    /// Forgets files that are not watched.
    pub(super) fn keep(&mut self, is_watched: impl Fn(&Path) -> bool) {
        self.0.retain(|path, hashes| !hashes.is_empty() && is_watched(path));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hash(text: &str) -> Hash {
        Hash::of(text.as_bytes())
    }

    #[test]
    fn each_content_is_expected_once_and_in_order() {
        let (mut expected, path, now) = (Expected::default(), Path::new("/a"), Instant::now());
        for text in ["one", "two", "three"] {
            expected.add(path, hash(text), now);
        }
        assert!(!expected.take(path, hash("other")) && !expected.take(Path::new("/b"), hash("two")));
        assert!(expected.take(path, hash("two")));
        assert!(!expected.take(path, hash("two")) && !expected.take(path, hash("one")));
        assert!(expected.take(path, hash("three")));
    }

    #[test]
    fn a_write_that_did_not_come_is_not_expected_for_ever() {
        let (mut expected, path, now) = (Expected::default(), Path::new("/a"), Instant::now());
        expected.add(path, hash("never written"), now);
        let last = now + Duration::from_millis(1);
        expected.add(path, hash("on its way"), last + Duration::from_millis(1));
        expected.end(path, last);
        assert!(!expected.take(path, hash("never written")) && expected.take(path, hash("on its way")));
    }

    #[test]
    fn what_is_expected_is_bounded() {
        let (mut expected, path) = (Expected::default(), Path::new("/a"));
        for number in 0..100 {
            expected.add(path, hash(&number.to_string()), Instant::now());
        }
        assert_eq!(expected.0.values().map(Vec::len).sum::<usize>(), MOST);
        expected.keep(|_| false);
        assert!(expected.0.is_empty());
    }
}
