//! Asks a server for all that it offers: every page, within bounds.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::mcp::revision::{Era, LATEST};
use tracing::warn;

use super::{Slot, handshake};
use crate::object::Object;
use crate::offer::{Item, Offer, Sort, item};
use crate::trouble::{Trouble, said};
use crate::upstream::{Answer, Upstream};

/// So many things of one sort are taken from one server.
const MOST: usize = 50_000;

/// So many bytes of them.
const MOST_BYTES: usize = 64 << 20;

/// So many pages in a row may bring nothing new, before there is no end to be hoped for.
const BARREN: usize = 100;

/// So long may one page take.
const PAGE: Duration = Duration::from_secs(30);

/// Returns everything that a server with these capabilities offers.
pub(super) async fn all(
    slot: &Slot,
    upstream: &Arc<Upstream>,
    capabilities: &str,
) -> Result<[Vec<Item>; 4], Trouble> {
    let has = Object::read(capabilities).unwrap_or_default();
    let wanted = |sort: Sort| has.member(sort.capability()).is_some();
    let list =
        |sort| async move { if wanted(sort) { one(slot, upstream, sort).await } else { Ok(Vec::new()) } };
    let (tools, prompts, resources, templates) =
        tokio::join!(list(Sort::Tools), list(Sort::Prompts), list(Sort::Resources), list(Sort::Templates));
    Ok([tools?, prompts?, resources?, templates?])
}

/// Returns what a server offers after some of its lists changed; `None` where that could not be found out.
pub(super) async fn again(slot: &Arc<Slot>, upstream: &Arc<Upstream>) -> Option<Arc<Offer>> {
    let before = slot.own_offer()?;
    let mut fresh = Vec::new();
    // Only now: what changes from here on is looked at in the next round.
    for sort in slot.take_stale() {
        if before.has(sort.capability()) {
            match one(slot, upstream, sort).await {
                Ok(items) => fresh.push((sort, items)),
                // The others may be had, and this one in the next round.
                Err(_) => slot.is_stale(&[sort]),
            }
        }
    }
    // What was learnt otherwise in the meantime stays.
    let now = slot.own_offer()?;
    let Offer { era, revision, capabilities, info, instructions, mut items, .. } = (*now).clone();
    for (sort, list) in fresh {
        items[sort.at()] = list;
    }
    Some(Arc::new(Offer::new(era, revision, capabilities, info, instructions, items)))
}

/// Returns all of one sort. A server that does not know the method after all has none.
async fn one(slot: &Slot, upstream: &Arc<Upstream>, sort: Sort) -> Result<Vec<Item>, Trouble> {
    let mut items = Vec::new();
    let mut known = HashSet::new();
    pages(upstream, sort.method(), sort.member(), |raw| {
        if sort == Sort::Tools
            && let Err(why) = upstream.link.offered(raw)
        {
            let server = slot.generation.name.as_str();
            warn!(server, why, "a tool cannot be called over HTTP, and is left out");
            slot.generation.stats.dropped();
            return false;
        }
        match item(sort, raw) {
            // Of two with one name the first counts: a call could not say which is meant.
            Some(item) if known.insert(item.key.clone()) => items.push(item),
            _ => {
                slot.generation.stats.dropped();
                return false;
            }
        }
        true
    })
    .await?;
    Ok(items)
}

/// Reads every page of a list, within bounds: `take` gets each item, and says whether it is a new one. A server that does
/// not know the method has none.
pub(crate) async fn pages(
    upstream: &Upstream,
    method: &str,
    member: &str,
    mut take: impl FnMut(&str) -> bool,
) -> Result<(), Trouble> {
    let mut items = 0;
    let mut bytes = 0;
    let mut cursor: Option<String> = None;
    let mut cursors = HashSet::new();
    let mut barren = 0;
    loop {
        let more = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let params = match upstream.era() {
            Era::Modern => Some(handshake::params_of(LATEST, "{}", more)),
            Era::Legacy => more.map(|(name, value)| format!(r#"{{"{name}":{value}}}"#)),
        };
        let result = match upstream.ask(method, params.as_deref(), PAGE).await? {
            Answer::Result(result) => result,
            Answer::Error { code: -32601, .. } => return Ok(()),
            Answer::Error { message, .. } => {
                return Err(Trouble::Down(format!("it refused {method}: {}", said(&message))));
            }
        };
        let page =
            Object::read(result.get()).ok_or_else(|| Trouble::Answer(format!("no object to {method}")))?;
        let list: Vec<&serde_json::value::RawValue> =
            page.member(member).and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
        let before = items;
        for raw in list {
            bytes += raw.get().len();
            items += usize::from(take(raw.get()));
        }
        // A cursor may be any text, even an empty one; its absence is the end.
        cursor = page.member("nextCursor").filter(|next| *next != "null").map(str::to_owned);
        let Some(next) = &cursor else { return Ok(()) };
        barren = if items > before { 0 } else { barren + 1 };
        let circle = !cursors.insert(next.clone()) || barren >= BARREN;
        if circle || items > MOST || bytes > MOST_BYTES || cursors.len() > MOST {
            let server = upstream.server.as_str();
            warn!(server, items, circle, "a server's list has no end; the rest is left out");
            return Ok(());
        }
    }
}
