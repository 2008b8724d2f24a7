//! How long backups are kept, and which are kept for as long as they may be needed.

use std::collections::HashSet;

use switchboard_host::backup::Limits;
use switchboard_host::hash::Hash;

use crate::execute::hash_of;
use crate::home::Home;

/// Bounds of the store, beside what is pinned: 2,000 backups, 90 days, 512 MiB.
const LIMITS: Limits = Limits { count: 2_000, age: 90 * 24 * 60 * 60 * 1_000, bytes: 512 * 1024 * 1024 };

/// After so many writes of client files the store is looked through.
const EVERY: usize = 16;

/// Returns what `undo`, `uninstall`, `config undo`, `policy undo` and the check for files that were cut off rely on: for each client
/// its first write and its last, what was last seen of it, and the text of every revision and of
/// every policy.
fn pinned(home: &Home) -> HashSet<Hash> {
    let mut pinned: HashSet<Hash> = home.history.entries.iter().map(|entry| entry.text).collect();
    for (id, record) in &home.relations.clients {
        pinned.extend(hash_of(record.seen.as_ref()));
        let mut writes = home.journal.of(id.as_str());
        let ends = [writes.next(), writes.last()];
        pinned.extend(
            ends.into_iter()
                .flatten()
                .flat_map(|write| write.before.into_iter().chain([write.after, write.record])),
        );
    }
    pinned.extend(crate::policy::pinned(home));
    pinned
}

/// Removes backups that nobody needs any more, every now and then.
///
/// A store that cannot be looked through is left as it is: nothing is lost by keeping too much.
pub(crate) fn prune_now_and_then(home: &Home) {
    if home.journal.entries.len().is_multiple_of(EVERY) {
        let _ = home.backups().prune(LIMITS, &pinned(home));
    }
}
