//! Results of tools that only look, kept for as long as the policy says and nobody has changed anything since.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::envelope::Envelope;
use crate::object::Object;

/// So many bytes are kept of all servers together.
const MOST: u64 = 32 << 20;

/// A longer result is not kept, in bytes.
const LONGEST: usize = 1 << 20;

/// What a kept result costs beside its bytes.
const EACH: usize = 256;

/// Results that are kept. Cheap to clone: all clones are one.
#[derive(Clone)]
pub(crate) struct Results(Cache<Key, Kept>);

/// What a call is, so that two that are equal have the same result.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

#[derive(Clone)]
struct Kept {
    result: Bytes,
    /// The time is the runtime's, as everywhere here; what is out of date goes when there is need for room.
    until: Instant,
}

impl Default for Results {
    fn default() -> Self {
        let weight = |_: &Key, kept: &Kept| u32::try_from(kept.result.len() + EACH).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MOST).weigher(weight).build())
    }
}

impl Key {
    /// Returns what stands for a call: whose it is, of which state of which server, and what is asked.
    pub(crate) fn of<'p>(state: u64, parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(state.to_be_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl Results {
    /// Returns the result of a call that was made before, while it may be given again.
    pub(crate) fn get(&self, key: &Key) -> Option<Bytes> {
        let kept = self.0.get(key)?;
        (kept.until > Instant::now()).then_some(kept.result)
    }

    fn put(&self, key: Key, ttl: Duration, result: Bytes) {
        self.0.insert(key, Kept { result, until: Instant::now() + ttl });
    }
}

/// Keeps the result of a call once it is there.
pub(crate) struct Keep {
    results: Results,
    key: Key,
    ttl: Duration,
}

impl Keep {
    /// Returns what keeps the result of this call for so long.
    pub(crate) fn new(results: Results, key: Key, ttl: Duration) -> Self {
        Self { results, key, ttl }
    }

    /// Keeps what stands in an answer, as the client gets it; nothing where the call failed, or is not at its end.
    pub(crate) fn answered(&self, answer: &Bytes) {
        let envelope = Envelope::read(answer).ok();
        let Some(result) = envelope.and_then(|envelope| envelope.result) else { return };
        let Some(said) = Object::read(result.get()) else { return };
        let is_whole = said.member("resultType").is_none_or(|kind| kind == "\"complete\"");
        let is_good = said.member("isError").is_none_or(|is| is == "false");
        // A task is only begun by its call.
        if is_whole && is_good && said.member("task").is_none() && result.get().len() <= LONGEST {
            self.results.put(self.key, self.ttl, answer.slice_ref(result.get().as_bytes()));
        }
    }
}

/// Which state of a server results are of: another one as soon as a tool that may change something is called, and again
/// when that call has ended.
#[derive(Clone)]
pub(crate) struct State(Arc<AtomicU64>);

/// Servers, and versions of them, are so far apart that none comes to the numbers of the next.
const APART: u64 = 1 << 40;

impl Default for State {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(Arc::new(AtomicU64::new(NEXT.fetch_add(APART, Ordering::Relaxed))))
    }
}

impl State {
    /// Returns the number of the state.
    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Something may change, for as long as what is returned is kept.
    pub(crate) fn changes(&self) -> Changing {
        self.0.fetch_add(1, Ordering::AcqRel);
        Changing(self.clone())
    }
}

/// A call that may change something is under way.
pub(crate) struct Changing(State);

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}
