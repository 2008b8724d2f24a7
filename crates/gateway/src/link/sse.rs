//! HTTP with server-sent events, the transport of revision 2024-11-05: one stream down, an address to post to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use url::Url;

use super::body::{self, Kind, Stream, forget, too_long};
use super::endpoint::Endpoint;
use super::events::Event;
use super::lane::Lane;
use super::{Frame, Link};
use crate::gateway::Tasks;
use crate::slot::Slot;
use crate::trouble::Trouble;
use crate::upstream::Upstream;

/// So long a server may take to name the address to post to.
const OPENING: Duration = Duration::from_secs(10);

/// What must not be overtaken is waited for no longer than this.
const ORDER: Duration = Duration::from_secs(5);

/// So long may a message take to be taken.
const POSTING: Duration = Duration::from_secs(30);

/// So many messages may be on their way at once.
const MOST: usize = 1024;

/// The way to a server over the transport of 2024.
pub(crate) struct Sse(Arc<Inside>);

struct Inside {
    endpoint: Endpoint,
    /// Where messages are posted.
    target: Url,
    headers: HeaderMap,
    tasks: Tasks,
    slot: Weak<Slot>,
    upstream: OnceLock<Weak<Upstream>>,
    lane: Lane,
    /// Requests that are being posted; none is kept once it is taken.
    posting: Mutex<HashMap<u64, AbortHandle>>,
    closing: CancellationToken,
}

impl Sse {
    /// Opens the stream, and returns a connection on which nothing was said yet.
    ///
    /// # Errors
    /// There is no such stream.
    pub(super) async fn open(
        endpoint: Endpoint,
        slot: &Arc<Slot>,
        gateway: &crate::gateway::Inside,
    ) -> Result<Arc<Upstream>, Trouble> {
        let opened = tokio::time::timeout(OPENING, opened(&endpoint)).await;
        let late = || Trouble::Down(format!("it named no address to post to within {} s", OPENING.as_secs()));
        let (stream, target) = opened.unwrap_or_else(|_| Err(late()))?;
        let mut headers = endpoint.headers().clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        let inside = Arc::new(Inside {
            endpoint,
            target,
            headers,
            tasks: gateway.tasks.clone(),
            slot: Arc::downgrade(slot),
            upstream: OnceLock::new(),
            lane: Lane::default(),
            posting: Mutex::default(),
            closing: CancellationToken::new(),
        });
        let link = Box::new(Self(Arc::clone(&inside)));
        let name = slot.generation.name.clone();
        let upstream = Upstream::new(name, link, Arc::downgrade(slot), gateway.sweep.clone());
        let _ = inside.upstream.set(upstream.me());
        let this = Arc::clone(&inside);
        inside.spawn(async move { this.run().await });
        let this = Arc::clone(&inside);
        inside.spawn(async move { this.hear(stream).await });
        Ok(upstream)
    }
}

impl Link for Sse {
    fn send(&self, frame: Frame) -> Result<(), Trouble> {
        if self.0.closing.is_cancelled() {
            return Err(Trouble::Lost("its connection was closed".to_owned()));
        }
        match self.0.lane.enter(frame)? {
            Some(Frame { bytes, call: Some(call) }) => self.0.begin(bytes, call.id),
            _ => Ok(()),
        }
    }

    fn cancel(&self, id: u64, notice: Bytes) {
        if !self.0.lane.take(id) && !self.0.closing.is_cancelled() {
            // One that takes nothing more has other worries than this call.
            let _ = self.0.lane.enter(Frame::plain(notice));
        }
    }

    fn close(&self) {
        self.0.closing.cancel();
        let posting = std::mem::take(&mut *self.0.posting());
        posting.into_values().for_each(|posting| posting.abort());
    }
}

impl Drop for Sse {
    fn drop(&mut self) {
        self.close();
    }
}

/// Opens the stream and waits for the address to post to, which must be of the same origin.
async fn opened(endpoint: &Endpoint) -> Result<(Stream, Url), Trouble> {
    let headers = || {
        let mut headers = endpoint.headers().clone();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers
    };
    let answered = endpoint.send(endpoint.url(), Method::GET, &headers, None).await?;
    let (response, base) = (answered.response, answered.from);
    if !response.status().is_success() {
        return Err(Trouble::Status(response.status().as_u16(), String::new()));
    }
    if Kind::of(&response) != Kind::Events {
        return Err(Trouble::Answer("something other than a stream of events".to_owned()));
    }
    let mut stream = Stream::for_one(response);
    while let Some(event) = stream.next().await {
        let Event::Data { kind, data } = event else { return Err(too_long()) };
        if kind != "endpoint" {
            continue;
        }
        let target = std::str::from_utf8(&data).ok().and_then(|target| base.join(target.trim()).ok());
        let target =
            target.ok_or_else(|| Trouble::Answer("an address to post to that is none".to_owned()))?;
        endpoint.may_follow(&target)?;
        return Ok((stream.for_many(), target));
    }
    Err(Trouble::Down("its stream ended before it had named an address to post to".to_owned()))
}

impl Inside {
    /// Passes on what the server says, until it says no more: that is the end of the connection.
    async fn hear(&self, mut stream: Stream) {
        while let Some(event) = stream.next().await {
            let Some(upstream) = self.upstream() else { return };
            body::pass_on(event, &upstream);
        }
        self.lost("it closed its stream");
    }

    /// Sends what has to keep its order.
    async fn run(self: Arc<Self>) {
        loop {
            let Frame { bytes, call } = self.lane.next().await;
            if let Some(call) = call {
                if let (Err(trouble), Some(upstream)) = (self.begin(bytes, call.id), self.upstream()) {
                    upstream.fail(call.id, trouble);
                }
                continue;
            }
            let this = Arc::clone(&self);
            let mut telling = Box::pin(async move {
                if let Err(trouble) = this.post(&bytes).await {
                    debug!(%trouble, "a server is not told something");
                }
            });
            if tokio::time::timeout(ORDER, &mut telling).await.is_err() {
                self.spawn(telling);
            }
        }
    }

    /// Posts a request; its answer comes on the stream.
    fn begin(self: &Arc<Self>, bytes: Bytes, id: u64) -> Result<(), Trouble> {
        let mut posting = self.posting();
        if posting.len() >= MOST {
            return Err(Trouble::Busy);
        }
        let this = Arc::clone(self);
        // Within the lock, so that it cannot end before it is known.
        let task = self.tasks.spawn(async move {
            let posted = this.post(&bytes).await;
            this.posting().remove(&id);
            if let (Err(trouble), Some(upstream)) = (posted, this.upstream()) {
                upstream.fail(id, trouble.clone());
                // What others wait for may come on the stream still.
                let waits = upstream.with_relays(|relays| relays.next().is_some());
                if let (Trouble::Down(why), false) = (trouble, waits) {
                    this.lost(&why);
                }
            }
        });
        posting.insert(id, task);
        Ok(())
    }

    async fn post(&self, bytes: &Bytes) -> Result<(), Trouble> {
        let headers = || self.headers.clone();
        let posting = self.endpoint.send(&self.target, Method::POST, &headers, Some(bytes));
        let answered = tokio::time::timeout(POSTING, posting).await;
        let response = answered.map_err(|_| Trouble::Timeout(POSTING))??.response;
        let status = response.status();
        forget(response.into_body()).await;
        match status {
            _ if status.is_success() => Ok(()),
            // Whoever takes messages knows nothing of our stream.
            StatusCode::NOT_FOUND => Err(Trouble::Down("its session is over".to_owned())),
            _ => Err(Trouble::Status(status.as_u16(), String::new())),
        }
    }

    /// Spawns a task that ends with the connection.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            closing.run_until_cancelled(task).await;
        });
    }

    /// Nothing more comes on this connection: nobody who waits is left waiting.
    fn lost(&self, why: &str) {
        if let Some(upstream) = self.upstream() {
            if let Some(slot) = self.slot.upgrade() {
                slot.lost(&upstream.me(), why.to_owned());
            }
            upstream.fail_all(&Trouble::Lost(why.to_owned()));
        }
    }

    fn upstream(&self) -> Option<Arc<Upstream>> {
        self.upstream.get()?.upgrade()
    }

    fn posting(&self) -> MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.posting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
