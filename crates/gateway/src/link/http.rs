//! Streamable HTTP: with sessions (2025-03-26 to 2025-11-25) and stateless (2026-07-28).

mod exchange;
mod headers;
mod listen;
pub(crate) mod mirror;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderValue;
use switchboard_core::mcp::revision::Era;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::lane::Lane;
use super::{Call, Frame, Link};
use crate::gateway::Tasks;
use crate::slot::Slot;
use crate::trouble::Trouble;
use crate::upstream::Upstream;
use headers::Terms;
use mirror::Mirror;

/// So many calls may be on their way to one server: each has a connection of its own.
const MOST: usize = 1024;

/// What must not be overtaken is waited for no longer than this: the server is slow then, and does not hold up
/// everything else.
const ORDER: Duration = Duration::from_secs(5);

/// So long may a notification or an answer take at all.
const TELLING: Duration = Duration::from_secs(30);

/// So long is tried to tell a server that its session is over.
const GOODBYE: Duration = Duration::from_secs(2);

/// The way to a server over Streamable HTTP.
pub(crate) struct Http(Arc<Inside>);

/// What all exchanges with one server share.
struct Inside {
    endpoint: Endpoint,
    tasks: Tasks,
    slot: Weak<Slot>,
    upstream: OnceLock<Weak<Upstream>>,
    terms: ArcSwap<Terms>,
    changing: Mutex<()>,
    mirror: Mutex<Mirror>,
    lane: Lane,
    exchanges: Mutex<Exchanges>,
    closing: CancellationToken,
}

/// The calls that are on their way.
#[derive(Default)]
struct Exchanges {
    running: HashMap<u64, AbortHandle>,
    closed: bool,
}

impl Http {
    /// Returns a connection on which nothing was said yet.
    pub(super) fn open(
        endpoint: Endpoint,
        slot: &Arc<Slot>,
        gateway: &crate::gateway::Inside,
    ) -> Arc<Upstream> {
        let terms = Terms::new(endpoint.headers());
        let inside = Arc::new(Inside {
            endpoint,
            tasks: gateway.tasks.clone(),
            slot: Arc::downgrade(slot),
            upstream: OnceLock::new(),
            terms: ArcSwap::from_pointee(terms),
            changing: Mutex::default(),
            mirror: Mutex::default(),
            lane: Lane::default(),
            exchanges: Mutex::default(),
            closing: CancellationToken::new(),
        });
        let link = Box::new(Self(Arc::clone(&inside)));
        let name = slot.generation.name.clone();
        let upstream = Upstream::new(name, link, Arc::downgrade(slot), gateway.sweep.clone());
        let _ = inside.upstream.set(upstream.me());
        let this = Arc::clone(&inside);
        inside.spawn(async move { this.run().await });
        upstream
    }
}

impl Link for Http {
    fn send(&self, frame: Frame) -> Result<(), Trouble> {
        if self.0.closing.is_cancelled() {
            return Err(closed());
        }
        match self.0.lane.enter(frame)? {
            Some(Frame { bytes, call: Some(call) }) => self.0.begin(bytes, call),
            _ => Ok(()),
        }
    }

    fn cancel(&self, id: u64, notice: Bytes) {
        if self.0.lane.take(id) {
            return;
        }
        // A legacy server hears of it by the notice, a modern one by our hanging up.
        let running = self.0.exchanges().running.remove(&id);
        if let Some(running) = running {
            running.abort();
        }
        if self.0.terms.load().era != Some(Era::Modern) && !self.0.closing.is_cancelled() {
            // One that takes nothing more has other worries than this call.
            let _ = self.0.lane.enter(Frame::plain(notice));
        }
    }

    fn settle(&self, revision: &str) {
        let era = Era::of(revision).unwrap_or(Era::Legacy);
        let revision = HeaderValue::try_from(revision).ok();
        self.0.change(|terms| terms.settled(era, revision));
    }

    fn offered(&self, tool: &str) -> Result<(), String> {
        if self.0.terms.load().era != Some(Era::Modern) {
            return Ok(());
        }
        self.0.mirror().offered(tool)
    }

    fn close(&self) {
        let running = {
            let mut exchanges = self.0.exchanges();
            if std::mem::replace(&mut exchanges.closed, true) {
                return;
            }
            std::mem::take(&mut exchanges.running)
        };
        self.0.closing.cancel();
        running.into_values().for_each(|running| running.abort());
        if self.0.terms.load().session.is_some() {
            let this = Arc::clone(&self.0);
            self.0.tasks.spawn(async move {
                let terms = this.terms.load_full();
                let headers = || terms.plain();
                let end = this.endpoint.send(this.endpoint.url(), Method::DELETE, &headers, None);
                // It may not care to know.
                let _ = tokio::time::timeout(GOODBYE, end).await;
            });
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inside {
    /// Begins a call.
    fn begin(self: &Arc<Self>, bytes: Bytes, call: Call) -> Result<(), Trouble> {
        let id = call.id;
        let mut exchanges = self.exchanges();
        if exchanges.closed {
            return Err(closed());
        }
        if exchanges.running.len() >= MOST {
            return Err(Trouble::Busy);
        }
        let this = Arc::clone(self);
        // Within the lock, so that it cannot end before it is known.
        let running = self.tasks.spawn(async move {
            exchange::carry(&this, bytes, call).await;
            this.exchanges().running.remove(&id);
        });
        exchanges.running.insert(id, running);
        Ok(())
    }

    /// Sends what has to keep its order.
    async fn run(self: Arc<Self>) {
        let mut listening = false;
        loop {
            let Frame { bytes, call } = self.lane.next().await;
            if let Some(call) = call {
                let id = call.id;
                if let (Err(trouble), Some(upstream)) = (self.begin(bytes, call), self.upstream()) {
                    upstream.fail(id, trouble);
                }
                continue;
            }
            let this = Arc::clone(&self);
            let mut telling = Box::pin(async move { exchange::tell(&this, bytes).await });
            if tokio::time::timeout(ORDER, &mut telling).await.is_err() {
                self.spawn(async move {
                    let _ = tokio::time::timeout(TELLING, telling).await;
                });
            }
            // The first thing that is told to a legacy server is that both have settled on something.
            if !listening && self.terms.load().era == Some(Era::Legacy) {
                listening = true;
                let this = Arc::clone(&self);
                self.spawn(async move { listen::listen(&this).await });
            }
        }
    }

    /// Spawns a task that ends with the connection.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            closing.run_until_cancelled(task).await;
        });
    }

    /// The server has begun a session.
    fn begin_session(&self, session: Option<&HeaderValue>) {
        self.change(|terms| terms.in_session(session.cloned()));
    }

    fn change(&self, change: impl FnOnce(&Terms) -> Terms) {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.terms.store(Arc::new(change(&self.terms.load())));
    }

    /// The connection is of no use any more.
    fn lost(&self, why: &str) {
        if let (Some(slot), Some(upstream)) = (self.slot.upgrade(), self.upstream.get()) {
            slot.lost(upstream, why.to_owned());
        }
    }

    fn upstream(&self) -> Option<Arc<Upstream>> {
        self.upstream.get()?.upgrade()
    }

    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchanges(&self) -> MutexGuard<'_, Exchanges> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Trouble {
    Trouble::Lost("its connection was closed".to_owned())
}
