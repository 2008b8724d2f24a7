//! How far another switchboard was followed, and whether what it says next is newer.

use serde::{Deserialize, Serialize};
use switchboard_host::dirs::Dirs;
use switchboard_host::hash::Hash;
use switchboard_host::record::{self, Loaded};

use super::news::News;
use crate::fail::Failure;
use crate::home::{now, save};

/// The revision that was taken last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The version as the other side writes it.
    pub(super) version: String,
    /// The revision; also the id of its event.
    pub(super) number: u64,
    /// The hash over what it said.
    pub(super) hash: String,
    /// What the answer with its servers was called, when it came as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// How many servers there were.
    pub(super) servers: usize,
}

impl Seen {
    /// Returns what is remembered of a revision.
    pub(super) fn of(news: &News) -> Self {
        Self {
            version: news.version.clone(),
            number: news.number,
            hash: news.hash.clone(),
            etag: news.etag.clone(),
            servers: news.count,
        }
    }
}

/// What news are, beside what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The first, or a later revision.
    Newer,
    /// The same.
    Same,
    /// An earlier revision: an echo, or the other side begins anew. Where it stands now tells.
    Older,
    /// The same revision says something else: the other side began anew.
    Another,
}

/// Returns what a revision with this number and hash is beside the last one that was taken.
///
/// A number grows with every change of one catalogue, so that under one number there is only ever one content.
pub(super) fn judge(seen: Option<&Seen>, number: u64, hash: &str) -> Judgement {
    match seen {
        None => Judgement::Newer,
        Some(seen) if seen.hash == hash && seen.number == number => Judgement::Same,
        Some(seen) if seen.number < number => Judgement::Newer,
        Some(seen) if seen.number == number => Judgement::Another,
        Some(_) => Judgement::Older,
    }
}

/// The place where one target's position at one address is kept.
#[derive(Clone, Debug)]
pub(super) struct Position {
    path: std::path::PathBuf,
    url: String,
    target: String,
}

/// The record on disk: for people it also says whose it is.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    target: String,
    /// In seconds since 1970.
    at: u64,
    #[serde(flatten)]
    seen: Seen,
}

impl Position {
    /// Returns the position of `target` at `url`.
    pub(super) fn new(dirs: &Dirs, url: &str, target: &str) -> Self {
        let path = dirs.following().join(format!("{}.json", key(url, target)));
        Self { path, url: url.to_owned(), target: target.to_owned() }
    }

    /// Returns what was last taken; a damaged record was set aside and counts as none.
    ///
    /// # Errors
    /// The state folder cannot be read.
    pub(super) fn load(&self) -> Result<Option<Seen>, Failure> {
        match record::load::<Kept>(&self.path) {
            Ok(Loaded::Found(kept)) => Ok(Some(kept.seen)),
            Ok(Loaded::Missing | Loaded::Damaged { .. }) => Ok(None),
            Err(error) => Err(Failure::failed("read the state").caused_by(&error).hint(error.help())),
        }
    }

    /// Keeps what was taken, once it was.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(super) fn save(&self, seen: &Seen) -> Result<(), Failure> {
        let kept = Kept { url: self.url.clone(), target: self.target.clone(), at: now(), seen: seen.clone() };
        save(&self.path, &kept)
    }
}

/// Returns what tells one target at one address from all others, in a few letters.
pub(super) fn key(url: &str, target: &str) -> String {
    let mut name = Hash::of(format!("{url}\0{target}").as_bytes()).to_string();
    name.truncate(12);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_content_and_only_grows() {
        let seen =
            Seen { version: "1.5.0".to_owned(), number: 5, hash: "e".to_owned(), etag: None, servers: 1 };
        for (number, hash, judgement) in [
            (5, "e", Judgement::Same),
            (6, "f", Judgement::Newer),
            // An undo makes a new revision with an old content.
            (6, "e", Judgement::Newer),
            (900, "x", Judgement::Newer),
            (5, "x", Judgement::Another),
            (4, "d", Judgement::Older),
            (4, "e", Judgement::Older),
            (0, "", Judgement::Older),
        ] {
            assert_eq!(judge(Some(&seen), number, hash), judgement, "{number} {hash}");
        }
        assert_eq!(judge(None, 0, "x"), Judgement::Newer);
    }
}
