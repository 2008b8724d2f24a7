//! Somebody who reads the event stream of a daemon, and remembers what came.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What a follower was told, in order.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// The number of the revision.
    pub id: u64,
    /// The data, as it came.
    pub data: String,
}

/// A follower; it leaves when it is dropped.
#[derive(Debug)]
pub struct Follower {
    stream: TcpStream,
    seen: Arc<Mutex<Vec<Event>>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Follows the daemon at an address, from after the revision `last` where one is given.
    ///
    /// # Panics
    /// Nobody listens there.
    pub fn new(address: &str, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(address).expect("a daemon listens");
        let last = last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        // The older protocol has no chunks in its bodies: what comes is the stream itself.
        let request = format!(
            "GET /api/mcp/_config/events HTTP/1.0\r\nHost: {address}\r\nAccept: text/event-stream\r\n{last}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (reader, notes) = (stream.try_clone().expect("a second handle"), Arc::clone(&seen));
        let thread = thread::spawn(move || read(reader, &notes));
        Self { stream, seen, thread: Some(thread) }
    }

    /// Returns what came so far.
    pub fn seen(&self) -> Vec<Event> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of the last revision that came; 0 for none.
    pub fn last(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).last().map_or(0, |event| event.id)
    }
}

fn read(stream: TcpStream, notes: &Mutex<Vec<Event>>) {
    let mut event = Event::default();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if let Some(id) = line.strip_prefix("id:") {
            event.id = id.trim().parse().expect("a number");
        } else if let Some(data) = line.strip_prefix("data:") {
            data.trim_start().clone_into(&mut event.data);
        } else if line.is_empty() && !event.data.is_empty() {
            notes.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut event));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // The reader wakes up and leaves.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
