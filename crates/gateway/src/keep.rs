//! What is kept of servers from one run to the next, so that lists are known before any server has started.

use std::time::Duration;

/// Keeps what servers offer. It is a cache: what is lost is discovered again.
pub trait Keeper: Send + Sync {
    /// Returns what was saved for a server, by its fingerprint and by what its callers can do.
    fn load(&self, fingerprint: &str, profile: &str) -> Option<Vec<u8>>;

    /// Returns how long ago that was saved.
    fn age(&self, _fingerprint: &str, _profile: &str) -> Duration {
        Duration::ZERO
    }

    /// Saves what a server offers, without waiting for it.
    fn save(&self, fingerprint: &str, profile: &str, offer: &[u8]);

    /// Returns what only this home knows, and knows from one run to the next; `None` where nothing of the kind is kept. It is
    /// asked for when it is first needed.
    fn secret(&self) -> Option<[u8; 32]> {
        None
    }
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl Keeper for Forgetful {
    fn load(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn save(&self, _: &str, _: &str, _: &[u8]) {}
}
