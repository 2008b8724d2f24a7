//! Makes a connection: the process or the address, the handshake in the server's era, and what it offers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::launch::Remote;
use switchboard_core::mcp::revision::{Era, LATEST, LATEST_LEGACY};

use super::{Slot, lists};
use crate::gateway::Inside;
use crate::launch::Launched;
use crate::link::stdio::Stdio;
use crate::object::{Object, part};
use crate::offer::Offer;
use crate::trouble::{SAID_LAST, Trouble, said as quoted};
use crate::upstream::{Answer, Upstream};

/// How long a server may take to come up: some are downloaded first.
const COMING_UP: Duration = Duration::from_secs(120);

/// How long a server that does not know the question may take not to answer it (requirement L2). It is taken for one of
/// the older era then, and asked so, too.
const PROBE: Duration = Duration::from_secs(3);

/// A process that has answered neither question within so long is taken for one that the first has confused: the next is
/// spared it. Until then it may just be slow to start, as what is downloaded first.
const CONFUSED: Duration = Duration::from_secs(20);

/// A process that refuses the older question has said by then what it makes of the newer one, which came first.
const BESIDE: Duration = Duration::from_secs(1);

/// The same for one that is not on this machine.
const PROBE_FAR: Duration = Duration::from_secs(10);

/// MCP from 2026-07-28 on: the revision is not spoken here.
const VERSION_UNKNOWN: i64 = -32022;

/// Why a server of an older era was not found to be one.
enum Verdict {
    Modern(Box<serde_json::value::RawValue>),
    /// It speaks so, and was asked in the older way meanwhile, which some take as the last word: a fresh one is needed.
    ModernAfterAll,
    Legacy,
    /// It was asked in the older way, too, and has answered that.
    Greeted(Box<Offer>),
    /// It is gone, or in an unknown state: a fresh one is needed for a handshake.
    Spoiled,
    /// It is not to be spoken to in any era.
    Failed(Trouble),
}

/// Makes the connection of a slot.
pub(super) async fn connect(slot: Arc<Slot>) -> Result<(Arc<Upstream>, Arc<Offer>), Trouble> {
    // A process that takes another's place has its time, too.
    let limit = COMING_UP + CONFUSED;
    let made = tokio::time::timeout(limit, make(&slot)).await;
    let made = made
        .unwrap_or_else(|_| Err(Trouble::Down(format!("it did not come up within {} s", limit.as_secs()))));
    made.map_err(|trouble| with_last_words(&slot, trouble))
}

/// What a server said last on its standard error often says why it did not come up.
fn with_last_words(slot: &Slot, trouble: Trouble) -> Trouble {
    match (trouble, slot.generation.log.last_line()) {
        (Trouble::Lost(why) | Trouble::Down(why), Some(last)) => {
            Trouble::Down(format!("{why}{SAID_LAST}{last}"))
        }
        (Trouble::Lost(why), None) => Trouble::Down(why),
        (trouble, _) => trouble,
    }
}

async fn make(slot: &Arc<Slot>) -> Result<(Arc<Upstream>, Arc<Offer>), Trouble> {
    let gateway = slot.gateway.upgrade().ok_or(Trouble::Gone)?;
    let is_legacy = slot.offer().is_some_and(|offer| offer.era == Era::Legacy)
        && slot.generation.is_believed(gateway.sweep.now());
    let (mut upstream, kind) = open(slot, &gateway, None).await?;
    let answer = match (is_legacy, kind) {
        (true, _) | (_, Some(Remote::Sse)) => None,
        _ => match probe(slot, &upstream, kind).await {
            Verdict::Greeted(offer) => {
                slot.found_legacy(gateway.sweep.now());
                return Ok((upstream, Arc::new(*offer)));
            }
            Verdict::Modern(result) => Some(result),
            Verdict::ModernAfterAll => {
                upstream.link.close();
                upstream = open(slot, &gateway, None).await?.0;
                Some(discovered(&upstream).await?)
            }
            Verdict::Legacy => None,
            Verdict::Spoiled => {
                upstream.link.close();
                upstream = open(slot, &gateway, None).await?.0;
                None
            }
            Verdict::Failed(trouble) => {
                upstream.link.close();
                return Err(trouble);
            }
        },
    };
    let made = match answer {
        Some(result) => modern(slot, &upstream, result.get()).await,
        None => legacy(slot, &upstream).await,
    };
    match made {
        Ok(offer) => {
            if offer.era == Era::Legacy && !is_legacy {
                slot.found_legacy(gateway.sweep.now());
            }
            Ok((upstream, Arc::new(offer)))
        }
        Err(trouble) => {
            upstream.link.close();
            match (&trouble, kind) {
                // Requirement L2: it may be of the first transport.
                (Trouble::Status(400 | 404 | 405, _), Some(Remote::Http)) => {
                    first(slot, &gateway).await.map_err(|_| no_mcp(&trouble))
                }
                _ => Err(trouble),
            }
        }
    }
}

/// Tries the transport of 2024 with a server that does not know the one after it.
async fn first(slot: &Arc<Slot>, gateway: &Arc<Inside>) -> Result<(Arc<Upstream>, Arc<Offer>), Trouble> {
    let (upstream, _) = open(slot, gateway, Some(Remote::Sse)).await?;
    match legacy(slot, &upstream).await {
        Ok(offer) => Ok((upstream, Arc::new(offer))),
        Err(trouble) => {
            upstream.link.close();
            Err(trouble)
        }
    }
}

fn no_mcp(trouble: &Trouble) -> Trouble {
    Trouble::Down(format!("it {trouble}, and does not speak MCP at its `url`; check that"))
}

/// Starts the process or finds the address, and returns a connection on which nothing was said yet.
/// A remote server is spoken to over `transport`, where that is given.
async fn open(
    slot: &Arc<Slot>,
    gateway: &Arc<Inside>,
    transport: Option<Remote>,
) -> Result<(Arc<Upstream>, Option<Remote>), Trouble> {
    slot.generation.may_begin().await;
    let said = slot.generation.said().clone();
    let server = &said.server;
    slot.generation.log.begins();
    let launched = gateway.launcher.launch(server, slot.key.root.as_deref()).await;
    let weak = Arc::downgrade(slot);
    match launched.map_err(|error| Trouble::Down(error.to_string()))? {
        Launched::Child(child) => {
            let (link, ends) = Stdio::new(child);
            let upstream =
                Upstream::new(server.name.clone(), Box::new(link), weak.clone(), gateway.sweep.clone());
            ends.attend(&upstream, &weak, &gateway.tasks);
            Ok((upstream, None))
        }
        Launched::Remote { kind, url, headers } => {
            let kind = transport.unwrap_or(kind);
            let upstream = crate::link::remote(slot, gateway, kind, &url, &headers).await?;
            Ok((upstream, Some(kind)))
        }
    }
}

/// Finds out whether a server speaks without sessions. What it does with the question is no evidence of anything but
/// that: many older servers end over a question before the handshake.
async fn probe(slot: &Arc<Slot>, upstream: &Arc<Upstream>, kind: Option<Remote>) -> Verdict {
    let params = params_of(LATEST, "{}", None);
    let answer = if kind.is_some() {
        upstream.ask("server/discover", Some(&params), PROBE_FAR).await
    } else {
        let asked = upstream.ask("server/discover", Some(&params), CONFUSED);
        tokio::pin!(asked);
        match tokio::time::timeout(PROBE, &mut asked).await {
            Ok(answer) => answer,
            Err(_) => return late(slot, upstream, asked).await,
        }
    };
    judged(answer)
}

/// Waits for a process that has not said in time whether it speaks without sessions: whichever question it answers first
/// counts.
async fn late(
    slot: &Arc<Slot>,
    upstream: &Arc<Upstream>,
    mut asked: Pin<&mut impl Future<Output = Result<Answer, Trouble>>>,
) -> Verdict {
    let greeting = greeting(slot, upstream);
    tokio::pin!(greeting);
    let first = tokio::time::timeout(CONFUSED, async {
        tokio::select! {
            biased;
            answer = &mut asked => match judged(answer) {
                Verdict::Modern(_) => Err(Verdict::ModernAfterAll),
                // It does not know that question; the other one is under way.
                Verdict::Legacy => Ok((&mut greeting).await),
                verdict => Err(verdict),
            },
            greeted = &mut greeting => Ok(greeted),
        }
    });
    let made = match first.await {
        Err(_) | Ok(Ok(Err(Trouble::Lost(_)))) => return Verdict::Spoiled,
        Ok(Err(verdict)) => return verdict,
        Ok(Ok(Ok(result))) => legacy_with(slot, upstream, &result).await,
        // It may speak in the newer way alone.
        Ok(Ok(Err(_))) => {
            let answer = tokio::time::timeout(BESIDE, asked).await;
            return match answer.map(judged) {
                Ok(Verdict::Modern(_)) => Verdict::ModernAfterAll,
                _ => Verdict::Spoiled,
            };
        }
    };
    match made {
        Ok(offer) => Verdict::Greeted(Box::new(offer)),
        Err(Trouble::Lost(_)) => Verdict::Spoiled,
        Err(trouble) => Verdict::Failed(trouble),
    }
}

/// Returns what a server says of itself that speaks without sessions.
async fn discovered(upstream: &Arc<Upstream>) -> Result<Box<serde_json::value::RawValue>, Trouble> {
    let params = params_of(LATEST, "{}", None);
    match upstream.ask("server/discover", Some(&params), COMING_UP).await? {
        Answer::Result(result) => Ok(result),
        Answer::Error { message, .. } => {
            Err(Trouble::Down(format!("it refused server/discover: {}", quoted(&message))))
        }
    }
}

/// Returns what the answer says of a server's era.
fn judged(answer: Result<Answer, Trouble>) -> Verdict {
    match answer {
        // Some answer anything with an empty object.
        Ok(Answer::Result(result)) if part(result.get(), &["supportedVersions"]).is_none() => Verdict::Legacy,
        Ok(Answer::Result(result)) => Verdict::Modern(result),
        Ok(Answer::Error { code: VERSION_UNKNOWN, whole, .. }) => match no_revision(whole.get()) {
            Some(trouble) => Verdict::Failed(trouble),
            None => Verdict::Legacy,
        },
        Ok(Answer::Error { .. }) | Err(Trouble::Status(400..=499, _)) => Verdict::Legacy,
        // Neither a server that wants a login nor one that is not there says anything of its era.
        Err(trouble @ (Trouble::Login(_) | Trouble::Down(_))) => Verdict::Failed(trouble),
        Err(_) => Verdict::Spoiled,
    }
}

/// Returns what is the matter with a server that says which revisions it speaks, where we speak none of them.
fn no_revision(error: &str) -> Option<Trouble> {
    let supported =
        Object::read(error)?.member("data").and_then(Object::read)?.member("supported")?.to_owned();
    let supported: Vec<String> = serde_json::from_str(&supported).ok()?;
    if supported.is_empty() || supported.iter().any(|revision| Era::of(revision).is_some()) {
        return None;
    }
    let shown: Vec<_> = supported.iter().take(8).map(|revision| format!("{revision:?}")).collect();
    Some(Trouble::Down(format!("it speaks only {}, which is not known", shown.join(", "))))
}

async fn modern(slot: &Arc<Slot>, upstream: &Arc<Upstream>, result: &str) -> Result<Offer, Trouble> {
    let said =
        Object::read(result).ok_or_else(|| Trouble::Answer("no object to server/discover".to_owned()))?;
    upstream.greeted(Era::Modern);
    upstream.link.settle(LATEST);
    let capabilities = said.member("capabilities").unwrap_or("{}").to_owned();
    let meta = said.member("_meta").and_then(Object::read);
    let info = meta.as_ref().and_then(|meta| meta.member("io.modelcontextprotocol/serverInfo"));
    let info = info.or(said.member("serverInfo")).map(str::to_owned);
    let instructions = said.member("instructions").map(str::to_owned);
    let items = lists::all(slot, upstream, &capabilities).await?;
    Ok(Offer::new(Era::Modern, LATEST.to_owned(), capabilities, info, instructions, items))
}

async fn legacy(slot: &Arc<Slot>, upstream: &Arc<Upstream>) -> Result<Offer, Trouble> {
    let result = greeting(slot, upstream).await?;
    legacy_with(slot, upstream, &result).await
}

/// Asks for a session, and returns what the server says to that.
async fn greeting(
    slot: &Arc<Slot>,
    upstream: &Arc<Upstream>,
) -> Result<Box<serde_json::value::RawValue>, Trouble> {
    let capabilities = slot.key.profile.capabilities();
    let us = us();
    let params =
        format!(r#"{{"protocolVersion":"{LATEST_LEGACY}","capabilities":{capabilities},"clientInfo":{us}}}"#);
    match upstream.ask("initialize", Some(&params), COMING_UP).await? {
        Answer::Result(result) => Ok(result),
        Answer::Error { message, .. } => {
            Err(Trouble::Down(format!("it refused the handshake: {}", quoted(&message))))
        }
    }
}

/// Goes on in a session from what the server said to the question for one.
async fn legacy_with(
    slot: &Arc<Slot>,
    upstream: &Arc<Upstream>,
    result: &serde_json::value::RawValue,
) -> Result<Offer, Trouble> {
    let said =
        Object::read(result.get()).ok_or_else(|| Trouble::Answer("no object to initialize".to_owned()))?;
    let revision = said.member("protocolVersion").and_then(|text| serde_json::from_str::<String>(text).ok());
    let revision = revision.unwrap_or_else(|| LATEST_LEGACY.to_owned());
    if Era::of(&revision) != Some(Era::Legacy) && revision != "2024-10-07" {
        return Err(Trouble::Down(format!("it wants to speak revision {revision:?}, which is not known")));
    }
    upstream.greeted(Era::Legacy);
    upstream.link.settle(&revision);
    upstream.tell(crate::message::notification("notifications/initialized", None));
    let capabilities = said.member("capabilities").unwrap_or("{}").to_owned();
    let items = lists::all(slot, upstream, &capabilities).await?;
    let info = said.member("serverInfo").map(str::to_owned);
    let instructions = said.member("instructions").map(str::to_owned);
    Ok(Offer::new(Era::Legacy, revision, capabilities, info, instructions, items))
}

/// Returns what every question of our own says about us, where the server's era asks for it.
pub(super) fn own_params(upstream: &Upstream) -> Option<String> {
    match upstream.era() {
        Era::Legacy => None,
        Era::Modern => Some(params_of(LATEST, "{}", None)),
    }
}

/// Returns the parameters of a stateless question of our own; `more` is a further member, as JSON.
pub(super) fn params_of(revision: &str, capabilities: &str, more: Option<(&str, &str)>) -> String {
    let us = us();
    let more = more.map(|(name, value)| format!(r#""{name}":{value},"#)).unwrap_or_default();
    format!(
        r#"{{{more}"_meta":{{"io.modelcontextprotocol/protocolVersion":"{revision}","io.modelcontextprotocol/clientCapabilities":{capabilities},"io.modelcontextprotocol/clientInfo":{us}}}}}"#
    )
}

/// Who we are, for servers.
fn us() -> String {
    format!(r#"{{"name":"switchboard","version":"{}"}}"#, env!("CARGO_PKG_VERSION"))
}
