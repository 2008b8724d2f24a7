//! What is on its way to one reader: a queue that is bounded in bytes, and closes rather than grows.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// So many bytes may wait for a reader. One that lets more come together does not read, and is let go.
pub const LIMIT: usize = 64 << 20;

/// One message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The message, on one line, without a line end.
    pub bytes: Bytes,
    /// It answers a request.
    pub last: bool,
}

/// A queue of messages with one reader. Whoever writes never waits.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    queue: VecDeque<Letter>,
    bytes: usize,
    closed: bool,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Puts a message in, and says whether it will be read. A message that is too much closes the box.
    pub fn put(&self, letter: Letter) -> bool {
        let mut inside = self.inside();
        if inside.closed {
            return false;
        }
        inside.bytes += letter.bytes.len();
        inside.queue.push_back(letter);
        if inside.bytes > LIMIT {
            inside.closed = true;
            inside.queue.clear();
        }
        let open = !inside.closed;
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
        open
    }

    /// Takes nothing in from now on; what waits can still be read.
    pub fn close(&self) {
        let mut inside = self.inside();
        inside.closed = true;
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns whether nothing more will come in.
    pub fn is_closed(&self) -> bool {
        self.inside().closed
    }

    /// Returns the next message if there is one, without waiting.
    pub fn take(&self) -> Option<Letter> {
        let mut inside = self.inside();
        let letter = inside.queue.pop_front()?;
        inside.bytes -= letter.bytes.len();
        Some(letter)
    }

    /// Waits for the next message; `None` once the box is closed and empty.
    pub async fn next(&self) -> Option<Letter> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next message.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Letter>> {
        let mut inside = self.inside();
        if let Some(letter) = inside.queue.pop_front() {
            inside.bytes -= letter.bytes.len();
            return Poll::Ready(Some(letter));
        }
        if inside.closed {
            return Poll::Ready(None);
        }
        if !inside.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            inside.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &'static str) -> Letter {
        Letter { bytes: Bytes::from_static(text.as_bytes()), last: false }
    }

    #[tokio::test]
    async fn what_is_put_in_comes_out_in_order_until_it_is_closed() {
        let mailbox = Mailbox::default();
        assert!(mailbox.put(letter("a")) && mailbox.put(letter("b")));
        mailbox.close();
        assert!(!mailbox.put(letter("c")));
        assert_eq!(mailbox.next().await, Some(letter("a")));
        assert_eq!(mailbox.take(), Some(letter("b")));
        assert_eq!(mailbox.next().await, None);
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let mailbox = std::sync::Arc::new(Mailbox::default());
        let reader = std::sync::Arc::clone(&mailbox);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move { reader.next().await });
        tokio::task::yield_now().await;
        mailbox.put(letter("a"));
        assert_eq!(tasks.join_next().await.unwrap().unwrap(), Some(letter("a")));
    }

    #[test]
    fn who_does_not_read_is_let_go_and_keeps_no_memory() {
        let mailbox = Mailbox::default();
        let large = Letter { bytes: Bytes::from(vec![b'x'; LIMIT / 4]), last: false };
        let taken = (0..10).filter(|_| mailbox.put(large.clone())).count();
        assert_eq!(taken, 4);
        assert_eq!(mailbox.take(), None);
    }
}
