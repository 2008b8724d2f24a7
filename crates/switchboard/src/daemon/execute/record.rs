//! What servers offer, kept in the registry.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use switchboard_core::name::ServerName;
use switchboard_host::stamp;
use tracing::{debug, error, warn};

use super::Hands;
use crate::sync;

impl Hands {
    /// A feed was given up: the next sync is to try it again, though nothing has changed.
    pub(crate) fn misses_feed(&self) {
        let Ok(dirs) = crate::home::dirs(&self.env) else { return };
        if let Err(error) = stamp::doubt(&dirs.sync_stamp()) {
            debug!(%error, "the stamp of the registry stays as it is");
        }
    }

    /// Tries feeds again that were given up.
    pub(crate) fn listen_again(&self) {
        self.service.listen_again();
    }

    /// Puts what servers offer into the registry. It is a cache: what cannot be kept now is asked for by the next sync.
    pub(super) fn record(&self, servers: &BTreeSet<ServerName>) {
        let (Some(home), Some(moment)) = (&self.home, &self.read_at) else { return };
        let offers = self.service.offers(servers);
        let recorded = catch_unwind(AssertUnwindSafe(|| {
            sync::record(home, moment, &offers, !self.service.misses_feed())
        }));
        match recorded {
            Ok(Ok(())) => debug!(servers = offers.len(), "the registry has what servers offer now"),
            Ok(Err(failure)) => warn!(error = failure.sentence(), "the registry is not up to date"),
            Err(_) => error!("writing the registry failed inside"),
        }
    }
}
