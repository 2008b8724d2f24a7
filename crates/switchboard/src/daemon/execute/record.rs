//! What servers offer, kept in the registry.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use switchboard_core::name::ServerName;
use tracing::{debug, error, warn};

use super::Hands;
use crate::sync;

impl Hands {
    /// Puts what servers offer into the registry. It is a cache: what cannot be kept now is asked for by the next sync.
    pub(super) fn record(&self, servers: &BTreeSet<ServerName>) {
        let (Some(home), Some(moment)) = (&self.home, &self.read_at) else { return };
        let offers = self.service.offers(servers);
        let recorded = catch_unwind(AssertUnwindSafe(|| sync::record(home, moment, &offers)));
        match recorded {
            Ok(Ok(())) => debug!(servers = offers.len(), "the registry has what servers offer now"),
            Ok(Err(failure)) => warn!(error = failure.sentence(), "the registry is not up to date"),
            Err(_) => error!("writing the registry failed inside"),
        }
    }
}
