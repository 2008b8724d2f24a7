//! What servers were last seen to offer, kept from one run to the next: a cache, one file for each.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::hash::Hash;
use crate::{own, system};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 128 << 20;

/// So many are kept; the oldest go.
const MOST: usize = 512;

/// The folder of what servers were last seen to offer.
#[derive(Clone, Debug)]
pub struct Offers(PathBuf);

impl Offers {
    /// Returns the offers in this folder, which need not be there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Returns what was kept under this key; `None` where that is nothing, or cannot be read.
    pub fn load(&self, key: &str) -> Option<Vec<u8>> {
        let file = std::fs::File::open(self.path(key)).ok()?;
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 <= LARGEST).then_some(bytes)
    }

    /// Returns how long ago something was kept under this key. Where the clock was set back since, that is long ago.
    pub fn age(&self, key: &str) -> Duration {
        let since = std::fs::metadata(self.path(key)).and_then(|file| file.modified());
        since.ok().and_then(|since| since.elapsed().ok()).unwrap_or(Duration::MAX)
    }

    /// Keeps `offer` under this key, readable for the owner only, in place of what was kept before.
    ///
    /// # Errors
    /// It cannot be written; what was kept before stays.
    pub fn save(&self, key: &str, offer: &[u8]) -> io::Result<()> {
        let path = self.path(key);
        if !path.exists() {
            system::make_folder(&self.0)?;
            self.prune();
        }
        own::publish(&path, offer).map_err(own::PublishError::into_io)
    }

    /// Has the oldest go while there are too many: servers change and go, and nobody says so here.
    fn prune(&self) {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return };
        let mut all: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        all.sort();
        let too_many = all.len().saturating_sub(MOST - 1);
        for (_, path) in all.into_iter().take(too_many) {
            // One that cannot be removed is in nobody's way.
            let _ = system::remove(&path);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        let hash = Hash::of(key.as_bytes()).to_string();
        self.0.join(format!("{}.json", hash.trim_start_matches("sha256:")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_the_oldest_go() {
        let home = tempfile::tempdir().unwrap();
        let offers = Offers::new(home.path().join("offers"));
        assert_eq!(offers.load("a"), None);
        offers.save("a", b"1").unwrap();
        offers.save("a", b"2").unwrap();
        assert_eq!(offers.load("a").unwrap(), b"2");
        assert!(offers.age("a") < Duration::from_secs(3600) && offers.age("b") == Duration::MAX);
        for number in 0..MOST {
            offers.save(&number.to_string(), b"x").unwrap();
        }
        assert_eq!(std::fs::read_dir(home.path().join("offers")).unwrap().count(), MOST);
    }
}
