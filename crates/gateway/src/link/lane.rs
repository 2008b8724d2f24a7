//! Keeps messages in order where nothing else does: each request of HTTP goes its own way.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Frame;
use crate::trouble::Trouble;

/// So many bytes may wait.
const BACKLOG: usize = 32 << 20;

/// Notifications and answers go one behind the other, and what is asked after them goes after them.
#[derive(Default)]
pub(super) struct Lane {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// One is on its way.
    busy: bool,
}

impl Lane {
    /// Returns a request that may go at once; everything else waits for its turn.
    ///
    /// # Errors
    /// Too much waits.
    pub(super) fn enter(&self, frame: Frame) -> Result<Option<Frame>, Trouble> {
        let mut waiting = self.waiting();
        if waiting.frames.is_empty() {
            if frame.call.is_some() && !waiting.busy {
                return Ok(Some(frame));
            }
        } else if waiting.bytes + frame.bytes.len() > BACKLOG {
            return Err(Trouble::Busy);
        }
        waiting.bytes += frame.bytes.len();
        waiting.frames.push_back(frame);
        drop(waiting);
        self.bell.notify_one();
        Ok(None)
    }

    /// Returns the next whose turn it is, once the one before has gone.
    pub(super) async fn next(&self) -> Frame {
        loop {
            {
                let mut waiting = self.waiting();
                waiting.busy = false;
                if let Some(frame) = waiting.frames.pop_front() {
                    waiting.bytes -= frame.bytes.len();
                    waiting.busy = true;
                    return frame;
                }
            }
            self.bell.notified().await;
        }
    }

    /// Takes a request out that has not gone yet, and says whether there was one.
    pub(super) fn take(&self, id: u64) -> bool {
        let mut waiting = self.waiting();
        let is_it = |frame: &Frame| frame.call.as_ref().is_some_and(|call| call.id == id);
        let Some(frame) =
            waiting.frames.iter().position(is_it).and_then(|place| waiting.frames.remove(place))
        else {
            return false;
        };
        waiting.bytes -= frame.bytes.len();
        true
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::FutureExt as _;

    use super::*;

    fn plain(text: &'static str) -> Frame {
        Frame::plain(Bytes::from_static(text.as_bytes()))
    }

    fn request(id: u64) -> Frame {
        Frame::request(Bytes::from_static(b"request"), id, "tools/call", None)
    }

    #[test]
    fn a_request_overtakes_nothing_and_waits_for_nothing_else() {
        let lane = Lane::default();
        assert!(lane.enter(request(1)).unwrap().is_some(), "nothing is before it");
        assert!(lane.enter(plain("one")).unwrap().is_none());
        assert!(lane.enter(request(2)).unwrap().is_none());
        assert!(lane.enter(request(3)).unwrap().is_none());
        assert!(lane.enter(plain("two")).unwrap().is_none());
        assert!(lane.take(3) && !lane.take(3) && !lane.take(1));
        let mut order = Vec::new();
        while let Some(frame) = lane.next().now_or_never() {
            let after = lane.enter(request(9)).unwrap();
            order.push(String::from_utf8(frame.bytes.to_vec()).unwrap());
            assert!(after.is_none() && lane.take(9), "the one before is on its way");
        }
        assert_eq!(order, ["one", "request", "two"]);
        assert!(lane.enter(request(4)).unwrap().is_some(), "all have gone");
    }

    #[test]
    fn what_waits_is_bounded() {
        let lane = Lane::default();
        let large = || Frame::plain(Bytes::from(vec![b' '; BACKLOG / 2 + 1]));
        assert!(lane.enter(large()).is_ok());
        assert_eq!(lane.enter(large()).err(), Some(Trouble::Busy));
        assert!(lane.enter(plain("short")).is_ok());
    }
}
