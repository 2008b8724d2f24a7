//! Which feeds are listened to.

use std::collections::BTreeMap;

use crate::catalogue::Feed;
use crate::name::ServerName;

/// Where the tools of one server are announced, and which version of the server they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The version of the server in service. Another one may have other tools, so that its feed is heard from the start.
    pub version: String,
    /// Its feed.
    pub feed: Feed,
}

/// What is to be done so that the right feeds are listened to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Listeners that end; all of them before any other begins.
    pub end: Vec<ServerName>,
    /// Listeners that begin.
    pub begin: Vec<(ServerName, Source)>,
}

/// Compares the feeds that are listened to with those that are to be. What is the same goes on untouched.
pub fn follow<'s>(
    running: impl Iterator<Item = (&'s ServerName, &'s Source)>,
    wanted: &BTreeMap<ServerName, Source>,
) -> Change {
    let mut begin = wanted.clone();
    let mut end = Vec::new();
    for (name, source) in running {
        if wanted.get(name) == Some(source) {
            begin.remove(name);
        } else {
            end.push(name.clone());
        }
    }
    Change { end, begin: begin.into_iter().collect() }
}
