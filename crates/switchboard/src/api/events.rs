//! The event stream: every revision to everyone who follows, in order, and never back.
//!
//! A follower is a cursor into the board and nothing more: what it is sent is the bulletin that all of them share. One
//! that reads slowly finds the newest state when it comes back, not a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::flow::{Flow, Source};
use super::problem::Problem;
use super::{Inside, Reply, metrics};
use crate::daemon::board::{Board, Next};

/// How many may follow at once.
const MOST: usize = 20_000;

/// A comment is sent this often, so that both ends and whatever lies between know that the other is there.
const BEAT: Duration = Duration::from_secs(15);

/// How soon a follower whose stream broke should come back, in milliseconds.
const GREETING: &[u8] = b"retry: 2000\n\n";

/// The comment.
const PING: &[u8] = b": ping\n\n";

/// The streams that are open.
#[derive(Default)]
pub(super) struct Streams(AtomicUsize);

/// The place of one stream among them.
struct Place(Arc<Streams>);

impl Streams {
    /// Returns how many are open.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>) -> Option<Place> {
        let entered = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < MOST).then_some(count + 1));
        let place = entered.ok().map(|_| Place(Arc::clone(self)));
        metrics::subscribers(self.count());
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let before = self.0.0.fetch_sub(1, Ordering::Relaxed);
        metrics::subscribers(before - 1);
    }
}

/// Somebody who follows.
pub(super) struct Follower {
    /// The last revision that was told; `None` where none was, and there is one.
    seen: Option<u64>,
    greeted: bool,
    news: watch::Receiver<Arc<Board>>,
    drain: CancellationToken,
    _place: Option<Place>,
}

/// Returns the event for somebody who has seen `seen`, if there is one, and how far it brings them.
fn tell(seen: Option<u64>, board: &Board) -> Option<(u64, Bytes)> {
    let Some(seen) = seen else {
        let now = board.now()?;
        return Some((now.number(), now.current()));
    };
    match board.after(seen) {
        Next::Nothing => None,
        Next::Revision(next) => Some((next.number(), next.event())),
        Next::Whole(now, changed) => Some((now.number(), now.caught_up(&changed))),
    }
}

impl Source for Follower {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(GREETING));
        }
        let beat = tokio::time::sleep(BEAT);
        tokio::pin!(beat);
        loop {
            let told = {
                let board = self.news.borrow_and_update();
                if self.drain.is_cancelled() || !board.settings.client_sync.sse_push_enabled {
                    return None;
                }
                tell(self.seen, &board)
            };
            if let Some((number, event)) = told {
                self.seen = Some(number);
                metrics::sent();
                return Some(event);
            }
            tokio::select! {
                () = self.drain.cancelled() => return None,
                changed = self.news.changed() => changed.ok()?,
                () = &mut beat => return Some(Bytes::from_static(PING)),
            }
        }
    }
}

/// `GET _config/events`.
pub(super) fn follow(inside: &Inside, call: &Call) -> Result<Reply, Box<Problem>> {
    if !inside.desk.board().settings.client_sync.sse_push_enabled {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the event stream is switched off")
            .hint("set `sse_push_enabled = true` in `[client_sync]` of the settings"));
    }
    let place = inside.streams.enter().ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many follow already").header(RETRY_AFTER, "10")
    })?;
    let follower = Follower {
        // Whoever was there before the first revision is told it as the news that it is.
        seen: last_event(call).or((inside.desk.board().number() == 0).then_some(0)),
        greeted: false,
        news: inside.desk.news(),
        drain: inside.drain.clone(),
        _place: Some(place),
    };
    Ok(Flow::Revisions(follower).reply())
}

/// The revision that the follower saw last; what is no revision was never seen.
fn last_event(call: &Call) -> Option<u64> {
    let header = call.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let id = header.or_else(|| call.query("last_event_id"))?;
    id.parse().ok().filter(|&number| number > 0)
}
