//! What the client sees of the servers, as one value that is exchanged whole.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::mcp::revision::Era;

use super::Session;
use crate::caller::Caller;
use crate::trouble::Trouble;
use crate::view::View;

impl Session {
    /// Returns what a caller in this session sees now.
    pub(crate) fn view(&self, caller: &Caller) -> Arc<View> {
        let version = self.gateway.version();
        if let Some(view) = &*self.view.load()
            && view.version == version
            && caller.era == Era::Legacy
        {
            return Arc::clone(view);
        }
        let view = self.gateway.view(&self.face, caller);
        if caller.era == Era::Legacy {
            self.view.store(Some(Arc::clone(&view)));
        }
        view
    }

    /// Waits until it is known what all servers offer to this caller, or none of them is tried any more, or for so long.
    /// Returns what was the matter with the last one that failed.
    pub(super) async fn known(self: &Arc<Self>, caller: &Caller, limit: Duration) -> Option<Trouble> {
        let view = self.view(caller);
        let waits = view.servers.iter().filter(|(_, offer)| offer.is_none()).map(|(generation, _)| {
            let slot = generation.slot(&self.gateway, caller, self.id, self.root.as_ref());
            async move { slot.wanted().await.err() }
        });
        let all = futures_util::future::join_all(waits);
        let ended = tokio::time::timeout(limit, all).await;
        ended.ok().and_then(|troubles| troubles.into_iter().flatten().next_back())
    }
}
