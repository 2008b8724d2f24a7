//! A server asked what it offers, for those who only want to know that.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;

use super::Gateway;
use crate::generation::Generation;
use crate::offer::Offer;
use crate::trouble::{SAID_LAST, Trouble};

/// How long a server may take to go that was there for a question only; what is left of it then goes by itself.
const LEAVE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

impl Gateway {
    /// Brings a server up for this alone, returns what it offers, and lets it go again.
    ///
    /// # Errors
    /// It could not be brought up, or was not within `limit`.
    pub async fn discover(
        &self,
        server: Arc<Server>,
        fingerprint: String,
        limit: Duration,
    ) -> Result<Arc<Offer>, Trouble> {
        let guest = self.guest(server, fingerprint);
        let offer = self.asked(&guest, limit).await;
        self.dismiss(&guest).await;
        offer
    }

    /// Returns what a server in service offers, which is brought up where it does not run; `None` where there is none in
    /// this version. One that answers is not asked again: its lists are followed.
    pub async fn discover_served(
        &self,
        name: &str,
        fingerprint: &str,
        limit: Duration,
    ) -> Option<Result<Arc<Offer>, Trouble>> {
        let is_it = |one: &&Arc<Generation>| one.name.as_str() == name && one.fingerprint == fingerprint;
        let serving = self.0.table.load().generations().find(is_it).cloned()?;
        Some(self.asked(&serving, limit).await)
    }

    async fn asked(&self, generation: &Arc<Generation>, limit: Duration) -> Result<Arc<Offer>, Trouble> {
        let ready = generation.all().into_iter().find(|slot| slot.ready().is_some());
        let slot = ready.unwrap_or_else(|| generation.plain_slot(&self.0));
        match tokio::time::timeout(limit, slot.tried()).await {
            Ok(Ok(())) => {
                slot.own_offer().ok_or_else(|| Trouble::Lost("it went right after it came up".to_owned()))
            }
            Ok(Err(trouble)) => Err(trouble),
            Err(_) => {
                let last = generation.log.last_line().map(|last| format!("{SAID_LAST}{last}"));
                let seconds = limit.as_secs_f64();
                Err(Trouble::Down(format!(
                    "it did not come up within {seconds} s{}",
                    last.unwrap_or_default()
                )))
            }
        }
    }

    /// Returns a server that is started beside those in service, and never takes a place among them.
    fn guest(&self, server: Arc<Server>, fingerprint: String) -> Arc<Generation> {
        let (stats, log) = self.0.kept(&server);
        let guest = Arc::new(Generation::new(server, fingerprint, LEAVE, stats, log));
        self.0.beside().push(Arc::clone(&guest));
        guest
    }

    async fn dismiss(&self, guest: &Arc<Generation>) {
        guest.retire();
        let gone = async {
            while !(guest.is_gone() && guest.has_ended()) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = tokio::time::timeout(LEAVE, gone).await;
        self.0.beside().retain(|one| !Arc::ptr_eq(one, guest));
    }
}
