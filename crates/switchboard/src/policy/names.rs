//! What servers were called when the policy was looked at last: what is said of their tools follows their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use switchboard_core::catalogue::Catalogue;

/// The names of servers, each with the fingerprint of its launch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let servers = catalogue.servers().iter();
        Self(
            servers
                .map(|server| (server.name.to_string(), server.launch.fingerprint().to_string()))
                .collect(),
        )
    }

    /// Returns the servers that are called otherwise now, each with what it was called and what it is.
    ///
    /// A name that is gone is another one that is new, where both are launched in the same way.
    pub(super) fn renamed(&self, now: &Self) -> Vec<(String, String)> {
        let gone = self.0.iter().filter(|(name, _)| !now.0.contains_key(*name));
        let mut new: Vec<_> = now.0.iter().filter(|(name, _)| !self.0.contains_key(*name)).collect();
        let pair = |(from, way): (&String, &String)| {
            let at = new.iter().position(|(_, other)| *other == way)?;
            Some((from.clone(), new.remove(at).0.clone()))
        };
        gone.filter_map(pair).collect()
    }

    /// Returns these with those of now: one that is gone, and launched as no other, may come back under another name.
    pub(super) fn with(&self, now: &Self) -> Self {
        let gone = self.0.iter().filter(|(_, way)| !now.0.values().any(|other| other == *way));
        Self(gone.chain(&now.0).map(|(name, way)| (name.clone(), way.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    fn names(text: &str) -> Names {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        Names(pairs.map(|(name, way)| (name.to_owned(), way.to_owned())).collect())
    }

    #[test]
    fn a_server_is_who_it_was_while_it_is_launched_as_it_was() {
        for (before, now, renamed, with) in [
            ("", "a=1", "", "a=1"),
            ("a=1 b=2", "a=1 c=2", "b>c", "a=1 c=2"),
            ("a=1", "b=2", "", "a=1 b=2"),
            ("a=1", "", "", "a=1"),
            ("a=1", "a=2", "", "a=2"),
            // A second one of the same kind is another server, and whoever exchanges names means it.
            ("a=1", "a=1 b=1", "", "a=1 b=1"),
            ("a=1 b=1", "b=1", "", "b=1"),
            ("a=1 b=2", "a=2 b=1", "", "a=2 b=1"),
            ("a=1 b=1", "c=1 d=1", "a>c b>d", "c=1 d=1"),
        ] {
            let (before, now) = (names(before), names(now));
            let found: Vec<String> =
                before.renamed(&now).iter().map(|(from, to)| format!("{from}>{to}")).collect();
            assert_eq!(found.join(" "), renamed, "{before:?} {now:?}");
            assert_eq!(before.with(&now), names(with), "{before:?} {now:?}");
        }
    }
}
