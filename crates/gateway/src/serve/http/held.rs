//! A session, as long as a client can come back to it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::stream::Stream;
use super::Asked;
use crate::face::Face;
use crate::session::Session;

/// A session without a stream that is not used for so long is over (requirement L9).
pub(super) const IDLE: Duration = Duration::from_secs(300);

/// A stream that was sent in full can be had again for so long.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// So many streams of one session are kept.
const MOST_STREAMS: usize = 256;

/// One session, and what a client can come back to.
pub(super) struct Held {
    pub(super) session: Arc<Session>,
    pub(super) face: Face,
    /// Whoever began it: nobody else can use it.
    pub(super) owner: Box<str>,
    pub(super) used: Mutex<Instant>,
    streams: Mutex<HashMap<u64, Arc<Stream>>>,
    pub(super) next: AtomicU64,
    /// So many read a stream of it.
    pub(super) readers: AtomicU64,
}

/// Somebody waits for an answer in a session, which is use.
pub(super) struct Busy<'h>(pub(super) &'h Held);

impl Busy<'_> {
    /// They go on waiting elsewhere.
    pub(super) fn goes_on(self) {
        std::mem::forget(self);
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

impl Held {
    pub(super) fn new(session: Arc<Session>, asked: &Asked<'_>) -> Arc<Self> {
        Arc::new(Self {
            session,
            face: asked.face.clone(),
            owner: asked.owner.into(),
            used: Mutex::new(Instant::now()),
            streams: Mutex::default(),
            next: AtomicU64::new(1),
            readers: AtomicU64::new(0),
        })
    }

    pub(super) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn stream(&self, number: u64) -> Option<Arc<Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    pub(super) fn remember(&self, number: u64, stream: &Arc<Stream>) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.len() >= MOST_STREAMS
            && let Some(oldest) = streams.keys().copied().filter(|number| *number > 0).min()
        {
            streams.remove(&oldest);
        }
        streams.insert(number, Arc::clone(stream));
    }

    /// The session is over: whoever waits for something on a stream of it is told by its end.
    pub(super) fn end(&self) {
        self.session.close();
        for stream in self.streams.lock().unwrap_or_else(PoisonError::into_inner).values() {
            stream.mail.close();
        }
    }

    pub(super) fn forget(&self, now: Instant) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|_, stream| stream.over().is_none_or(|over| now.duration_since(over) < AFTERWARDS));
    }
}
