//! Keeps what servers offer in the state folder.

use std::path::PathBuf;
use std::time::Duration;

use switchboard_gateway::Keeper;
use switchboard_host::offers::Offers;
use tokio::runtime::Handle;
use tracing::warn;

/// What servers offer, on the disk.
pub(super) struct Kept {
    handle: Handle,
    offers: Offers,
}

impl Kept {
    pub(super) fn new(handle: Handle, folder: PathBuf) -> Self {
        Self { handle, offers: Offers::new(folder) }
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
        let (offers, key, offer) = (self.offers.clone(), key(fingerprint, profile), offer.to_vec());
        // The disk takes its time, and nobody waits for it.
        self.handle.spawn_blocking(move || {
            if let Err(error) = offers.save(&key, &offer) {
                warn!(%error, "what a server offers could not be kept; it is asked again after the next start");
            }
        });
    }
}

fn key(fingerprint: &str, profile: &str) -> String {
    format!("{fingerprint}\n{profile}")
}
