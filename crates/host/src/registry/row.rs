//! What stands in the registry, as those see it who ask.

use switchboard_core::launch::Fingerprint;
use switchboard_core::mcp::revision::Era;
use switchboard_core::registry::Kind;

use crate::hash::Hash;

/// What a server has just said that it offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen<'s> {
    /// The revision of the protocol that it speaks.
    pub revision: &'s str,
    /// Its capabilities, as it wrote them.
    pub capabilities: &'s str,
    /// Who it is (`serverInfo`), as it wrote it.
    pub info: Option<&'s str>,
    /// What it says about its use, as a JSON text.
    pub instructions: Option<&'s str>,
    /// What it offers, in its own order.
    pub items: Vec<SeenItem<'s>>,
}

/// One thing that a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenItem<'s> {
    /// What kind of thing it is.
    pub kind: Kind,
    /// What it is known by: a name or an address.
    pub name: &'s str,
    /// The object that describes it, as the server wrote it.
    pub raw: &'s [u8],
}

/// A server in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What the catalogue calls it.
    pub name: String,
    /// How it was started or reached when it was seen.
    pub fingerprint: Fingerprint,
    /// When it said what it offers, in seconds since 1970; `None` where it never did.
    pub seen: Option<u64>,
    /// Whether that is as good as asking it.
    pub state: State,
    /// The revision of the protocol that it speaks.
    pub revision: Option<String>,
    /// Its capabilities, as it wrote them.
    pub capabilities: Option<String>,
    /// Who it is (`serverInfo`), as it wrote it.
    pub info: Option<String>,
    /// What it says about its use, as a JSON text.
    pub instructions: Option<String>,
    /// How many things of each [`Kind`] it offers, in the order of [`Kind::ALL`].
    pub counts: [u64; 4],
}

impl Server {
    /// Returns how the server speaks; `None` where that is not known.
    pub fn era(&self) -> Option<Era> {
        Era::of(self.revision.as_deref()?)
    }
}

/// Whether what is known of a server is as good as asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It answered when it was asked last.
    Fresh,
    /// It did not.
    Stale {
        /// When it was asked and did not answer for the first time, in seconds since 1970.
        since: u64,
        /// Why it did not, the last time.
        why: String,
    },
}

/// One thing that a server offers, in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The server.
    pub server: String,
    /// Whether the server did not answer when it was asked last.
    pub stale: bool,
    /// What it is known by: a name or an address.
    pub name: String,
    /// What it is called for people.
    pub title: Option<String>,
    /// The first line of its description, or the beginning of that.
    pub brief: Option<String>,
    /// The hash of its description as the server wrote it.
    pub hash: Hash,
}

/// One thing that a server offers, as it wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As in a list.
    pub line: Line,
    /// The object that describes it, as the server wrote it.
    pub raw: Vec<u8>,
}

/// A tool that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The tool.
    pub line: Line,
    /// How well it fits: more is better.
    pub score: f64,
}
