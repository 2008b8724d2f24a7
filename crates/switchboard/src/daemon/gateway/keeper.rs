//! Keeps what servers offer in the state folder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use switchboard_gateway::Keeper;
use switchboard_host::offers::Offers;
use tokio::runtime::Handle;
use tracing::warn;

/// What servers offer, on the disk.
pub(super) struct Kept {
    handle: Handle,
    offers: Offers,
    waiting: Arc<Waiting>,
}

/// What is to be written, one after the other: what is older never comes after what is newer.
#[derive(Default)]
struct Waiting {
    /// The newest of each.
    newest: Mutex<HashMap<String, Vec<u8>>>,
    /// Held by whoever writes.
    turn: Mutex<()>,
}

impl Kept {
    pub(super) fn new(handle: Handle, folder: PathBuf) -> Self {
        Self { handle, offers: Offers::new(folder), waiting: Arc::default() }
    }
}

impl Keeper for Kept {
    fn load(&self, fingerprint: &str, profile: &str) -> Option<Vec<u8>> {
        self.offers.load(&key(fingerprint, profile))
    }

    fn age(&self, fingerprint: &str, profile: &str) -> Duration {
        self.offers.age(&key(fingerprint, profile))
    }

    fn save(&self, fingerprint: &str, profile: &str, offer: &[u8]) {
        let key = key(fingerprint, profile);
        self.waiting
            .newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), offer.to_vec());
        let (offers, waiting) = (self.offers.clone(), Arc::clone(&self.waiting));
        // The disk takes its time, and nobody waits for it.
        self.handle.spawn_blocking(move || {
            let _turn = waiting.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let newest = waiting.newest.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            if let Some(offer) = newest
                && let Err(error) = offers.save(&key, &offer)
            {
                warn!(%error, "what a server offers could not be kept; it is asked again after the next start");
            }
        });
    }
}

fn key(fingerprint: &str, profile: &str) -> String {
    format!("{fingerprint}\n{profile}")
}
