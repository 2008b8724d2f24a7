//! A stream of server-sent events to one client, which can be taken up again where it broke off (requirement T1).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::mailbox::{Letter, Mailbox};

/// So many events can be had again.
const KEPT: usize = 256;

/// So many bytes of them.
const KEPT_BYTES: usize = 1 << 20;

/// A comment is sent this often, so that both ends know that the other is there.
const BEAT: Duration = Duration::from_secs(15);

/// How soon a client whose stream broke should come back, in milliseconds.
const RETRY: u32 = 1000;

/// A stream of one session's.
#[derive(Debug)]
pub struct Stream {
    /// Its number in the session; 0 for the one that belongs to no request.
    number: u64,
    pub(super) mail: Arc<Mailbox>,
    /// So many answers end it; 0 for one that does not end by itself.
    answers: usize,
    kept: Mutex<Kept>,
    /// Who reads it: a new reader takes the place of the one before.
    reader: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    next: u64,
    events: VecDeque<(u64, Bytes)>,
    bytes: usize,
    answered: usize,
    over: Option<Instant>,
}

impl Stream {
    /// Returns a stream of what comes into `mail`, until so many answers have.
    pub(super) fn new(number: u64, mail: Arc<Mailbox>, answers: usize) -> Self {
        Self { number, mail, answers, kept: Mutex::default(), reader: watch::Sender::new(0) }
    }

    /// Returns since when all of it was sent; `None` while it goes on.
    pub(super) fn over(&self) -> Option<Instant> {
        self.kept().over
    }

    /// Takes the place of whoever reads it. Returns the number of the new reader, and how it hears of the next.
    fn take_over(&self) -> (u64, watch::Receiver<u64>) {
        let mut turn = 0;
        self.reader.send_modify(|reader| {
            *reader += 1;
            turn = *reader;
        });
        (turn, self.reader.subscribe())
    }

    /// Takes a letter in as the next event, and returns it as it is sent. It is kept where it has an id to come back by.
    fn event(&self, letter: &Letter, ids: bool) -> Bytes {
        let mut kept = self.kept();
        kept.answered += usize::from(letter.last);
        if self.answers > 0 && kept.answered >= self.answers {
            kept.over = Some(Instant::now());
        }
        if !ids {
            return event(None, &letter.bytes);
        }
        kept.next += 1;
        let event = event(Some((self.number, kept.next)), &letter.bytes);
        kept.bytes += event.len();
        let number = kept.next;
        kept.events.push_back((number, event.clone()));
        while kept.events.len() > 1 && (kept.events.len() > KEPT || kept.bytes > KEPT_BYTES) {
            kept.bytes -= kept.events.pop_front().map_or(0, |(_, event)| event.len());
        }
        event
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who reads a stream.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Arc<Stream>,
    turn: u64,
    turns: watch::Receiver<u64>,
    /// What is to be sent before anything new.
    first: VecDeque<Bytes>,
    /// Events have ids, so that the stream can be taken up again.
    ids: bool,
}

impl Reader {
    /// Begins to read a stream whose first letter was taken already. With `priming` the client is told first of all
    /// where it would go on.
    pub(super) fn begin(stream: Arc<Stream>, first: Option<Letter>, ids: bool, priming: bool) -> Self {
        let mut events = VecDeque::new();
        if ids && priming {
            let mut prime = BytesMut::new();
            prime.put_slice(format!("id: {}.0\nretry: {RETRY}\ndata: \n\n", stream.number).as_bytes());
            events.push_back(prime.freeze());
        }
        let (turn, turns) = stream.take_over();
        let mut reader = Self { stream, turn, turns, first: events, ids };
        if let Some(letter) = first {
            let event = reader.told(&letter);
            reader.first.push_back(event);
        }
        reader
    }

    /// Takes a stream up behind the event `last`. What is not kept any more is lost, which the numbers tell.
    pub(super) fn resume(stream: Arc<Stream>, last: u64) -> Self {
        let (turn, turns) = stream.take_over();
        let first = {
            let kept = stream.kept();
            kept.events.iter().filter(|(number, _)| *number > last).map(|(_, event)| event.clone()).collect()
        };
        Self { stream, turn, turns, first, ids: true }
    }

    /// Returns the next bytes to send; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        if let Some(bytes) = self.first.pop_front() {
            return Some(bytes);
        }
        if self.stream.over().is_some() || *self.turns.borrow() != self.turn {
            return None;
        }
        let letter = tokio::select! {
            biased;
            // Whoever reads on takes nothing from the one who has come in its place.
            _ = self.turns.changed() => return None,
            letter = tokio::time::timeout(BEAT, self.stream.mail.next()) => letter,
        };
        match letter {
            Ok(Some(letter)) => {
                let mut event = self.told(&letter);
                // What is there already goes with it.
                if self.stream.over().is_none()
                    && let Some(more) = self.stream.mail.take()
                {
                    let mut both = BytesMut::from(&event[..]);
                    let mut next = Some(more);
                    while let Some(letter) = next {
                        both.put_slice(&self.told(&letter));
                        let on = both.len() < 64 << 10 && self.stream.over().is_none();
                        next = if on { self.stream.mail.take() } else { None };
                    }
                    event = both.freeze();
                }
                Some(event)
            }
            Ok(None) => None,
            Err(_) => Some(Bytes::from_static(b": beat\n\n")),
        }
    }

    fn told(&self, letter: &Letter) -> Bytes {
        self.stream.event(letter, self.ids)
    }
}

/// Returns an event; the data is one line, because a message is.
fn event(id: Option<(u64, u64)>, data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 64);
    if let Some((stream, number)) = id {
        out.put_slice(format!("id: {stream}.{number}\n").as_bytes());
    }
    out.put_slice(b"event: message\ndata: ");
    for (at, line) in data.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
        if at > 0 {
            out.put_u8(b' ');
        }
        out.put_slice(line);
    }
    out.put_slice(b"\n\n");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &'static str, last: bool) -> Letter {
        Letter { bytes: Bytes::from_static(text.as_bytes()), last }
    }

    #[tokio::test]
    async fn a_stream_that_broke_off_goes_on_behind_the_last_event() {
        let mail = Arc::new(Mailbox::default());
        let stream = Arc::new(Stream::new(7, Arc::clone(&mail), 1));
        let mut reader = Reader::begin(Arc::clone(&stream), Some(letter("1", false)), true, true);
        assert!(reader.next().await.unwrap().starts_with(b"id: 7.0\n"));
        assert_eq!(&reader.next().await.unwrap()[..], b"id: 7.1\nevent: message\ndata: 1\n\n");
        mail.put(letter("2", false));
        reader.next().await.unwrap();
        mail.put(letter("3", true));
        let mut again = Reader::resume(Arc::clone(&stream), 1);
        assert!(reader.next().await.is_none(), "the one before has had its turn");
        assert_eq!(&again.next().await.unwrap()[..], b"id: 7.2\nevent: message\ndata: 2\n\n");
        assert_eq!(&again.next().await.unwrap()[..], b"id: 7.3\nevent: message\ndata: 3\n\n");
        assert!(again.next().await.is_none() && stream.over().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_while_another_takes_over_takes_nothing_from_it() {
        let mail = Arc::new(Mailbox::default());
        let stream = Arc::new(Stream::new(0, Arc::clone(&mail), 0));
        let mut before = Reader::begin(Arc::clone(&stream), None, true, false);
        let (gone, now) = tokio::join!(before.next(), async {
            tokio::task::yield_now().await;
            let mut after = Reader::resume(Arc::clone(&stream), 0);
            // The one before would beat, and ask the mailbox once more, had it gone on.
            tokio::time::sleep(BEAT * 3 / 2).await;
            mail.put(letter("1", false));
            after.next().await
        });
        assert_eq!(gone, None);
        assert_eq!(&now.unwrap()[..], b"id: 0.1\nevent: message\ndata: 1\n\n");
    }

    #[tokio::test]
    async fn what_is_kept_of_a_stream_is_bounded() {
        let mail = Arc::new(Mailbox::default());
        let stream = Arc::new(Stream::new(1, Arc::clone(&mail), 0));
        let mut reader = Reader::begin(Arc::clone(&stream), None, true, false);
        for _ in 0..1000 {
            mail.put(letter("x", false));
            reader.next().await.unwrap();
        }
        assert_eq!(stream.kept().events.len(), KEPT);
        let large = Letter { bytes: vec![b'x'; KEPT_BYTES].into(), last: false };
        mail.put(large.clone());
        mail.put(large);
        while stream.kept().next < 1002 {
            reader.next().await.unwrap();
        }
        assert_eq!(stream.kept().events.len(), 1);
    }
}
