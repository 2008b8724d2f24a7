//! What the client sees of the servers, as one value that is exchanged whole.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use switchboard_core::mcp::public_name::public_prefix;
use switchboard_core::mcp::revision::Era;
use switchboard_core::upstream::Event;

use super::{Request, Session};
use crate::caller::Caller;
use crate::envelope::text;
use crate::generation::Generation;
use crate::slot::Slot;
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
    ///
    /// Behind a joint face one that has had as much time already, or has failed, is waited for no more: it is tried again
    /// beside, and told of when it is there.
    pub(super) async fn known(self: &Arc<Self>, caller: &Caller, limit: Duration) -> Option<Trouble> {
        let view = self.view(caller);
        let unknown = view.servers.iter().filter(|(_, offer)| offer.is_none()).map(|(one, _)| one);
        let slots = unknown.map(|one| one.slot(&self.gateway, caller, self.id, self.root.as_ref()));
        let had_its_time = |slot: &Arc<Slot>| {
            let late = self.face.is_joint() && slot.standing().has_been_tried(limit);
            if late {
                slot.tell(Event::Wanted);
            }
            late
        };
        let waits =
            slots.filter(|slot| !had_its_time(slot)).map(|slot| async move { slot.wanted().await.err() });
        let ended = tokio::time::timeout(limit, join_all(waits)).await;
        ended.ok().and_then(|troubles| troubles.into_iter().flatten().next_back())
    }

    /// Returns the servers that may have what a request is about, of those that have not said yet what they offer: behind
    /// a joint face the name of a tool or a prompt says whose it is.
    pub(super) fn may_have(&self, view: &View, request: &Request<'_>) -> Vec<Arc<Generation>> {
        // What does not fit is cut, and gets a mark that is no longer than this.
        let kept = self.gateway.options().name_limit.saturating_sub(9);
        let name = match request.method {
            "tools/call" | "prompts/get" if view.joint => text(request.params.name),
            _ => None,
        };
        let begins = |one: &Generation| {
            let said = one.said();
            let prefix = public_prefix(said.server.prefix.as_deref(), one.name.as_str());
            let prefix = prefix.get(..kept).unwrap_or(&prefix);
            name.as_deref().is_none_or(|name| name.starts_with(prefix))
        };
        let unknown = view.servers.iter().filter(|(_, offer)| offer.is_none()).map(|(one, _)| one);
        unknown.filter(|one| begins(one)).cloned().collect()
    }
}
