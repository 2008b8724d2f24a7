//! Keeps what servers offer in the state folder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use switchboard_gateway::Keeper;
use switchboard_host::dirs::Dirs;
use switchboard_host::offers::Offers;
use switchboard_host::record::{self, Loaded};
use tokio::runtime::Handle;
use tracing::warn;

/// What servers offer, on the disk.
pub(super) struct Kept {
    handle: Handle,
    offers: Offers,
    waiting: Arc<Waiting>,
    key: PathBuf,
}

/// What the ids of tasks are marked with.
#[derive(Serialize, Deserialize)]
struct TaskKey {
    key: [u8; 32],
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
    pub(super) fn new(handle: Handle, dirs: &Dirs) -> Self {
        let offers = Offers::new(dirs.offers());
        Self { handle, offers, waiting: Arc::default(), key: dirs.task_key() }
    }
}

impl Keeper for Kept {
    fn load(&self, fingerprint: &str, profile: &str) -> Option<Vec<u8>> {
        self.offers.load(&key(fingerprint, profile))
    }

    fn age(&self, fingerprint: &str, profile: &str) -> Duration {
        self.offers.age(&key(fingerprint, profile))
    }

    fn secret(&self) -> Option<[u8; 32]> {
        if let Ok(Loaded::Found(TaskKey { key })) = record::load(&self.key) {
            return Some(key);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        if let Err(error) = record::save(&self.key, &TaskKey { key }) {
            warn!(%error, "tasks of those who may not do everything are known to them until the next start only");
        }
        Some(key)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_only_this_home_knows_is_the_same_after_a_restart_and_another_in_another_home() {
        let secret_of = |home: &tempfile::TempDir| {
            Kept::new(Handle::current(), &Dirs::below(home.path())).secret().expect("a secret")
        };
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = secret_of(&home);
        assert_eq!(secret_of(&home), secret);
        assert_ne!(secret_of(&other), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = std::fs::metadata(Dirs::below(home.path()).task_key()).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        // One that is damaged is made anew.
        record::save(&Dirs::below(home.path()).task_key(), &"no key").unwrap();
        assert_ne!(secret_of(&home), secret);
    }
}
