//! Subscribers of the event stream, many of them, in one thread.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Connections that read the event stream.
pub(super) struct Followers {
    streams: Vec<TcpStream>,
    /// What of a connection was read and may be the beginning of what is looked for.
    rests: Vec<Vec<u8>>,
}

impl Followers {
    /// Connects so many, and waits until each has its first event.
    pub(super) fn connect(address: &str, count: usize) -> Result<Self, String> {
        let mut streams = Vec::with_capacity(count);
        for at in 0..count {
            let mut stream =
                TcpStream::connect(address).map_err(|error| format!("subscriber {at}: {error}"))?;
            let request = format!(
                "GET /api/mcp/_config/events HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
            streams.push(stream);
        }
        let mut followers = Self { rests: vec![Vec::new(); streams.len()], streams };
        for stream in &followers.streams {
            stream.set_nonblocking(true).map_err(|error| error.to_string())?;
        }
        followers.all("config_updated", Instant::now() + Duration::from_secs(30))?;
        // What else comes with the first event is of no interest.
        std::thread::sleep(Duration::from_millis(500));
        followers.drain();
        Ok(followers)
    }

    /// Waits until the first subscriber reads `text`.
    pub(super) fn first(&mut self, text: &str, until: Instant) -> Result<(), String> {
        while !self.has(0, text)? {
            check(until)?;
            std::thread::sleep(Duration::from_micros(100));
        }
        self.drain();
        Ok(())
    }

    /// Waits until every subscriber has read `text`.
    pub(super) fn all(&mut self, text: &str, until: Instant) -> Result<(), String> {
        let mut waiting: Vec<usize> = (0..self.streams.len()).collect();
        while !waiting.is_empty() {
            let mut still = Vec::new();
            for at in waiting {
                if !self.has(at, text)? {
                    still.push(at);
                }
            }
            waiting = still;
            check(until)?;
        }
        self.rests.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// Reads what there is at one subscriber, and returns whether `text` was in it.
    fn has(&mut self, at: usize, text: &str) -> Result<bool, String> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.streams[at].read(&mut buffer) {
                Ok(0) => return Err(format!("subscriber {at} was dropped")),
                Ok(read) => {
                    let rest = &mut self.rests[at];
                    rest.extend_from_slice(&buffer[..read]);
                    if rest.windows(text.len()).any(|window| window == text.as_bytes()) {
                        return Ok(true);
                    }
                    // Only what may be the beginning of it is kept.
                    let keep = rest.len().saturating_sub(text.len());
                    rest.drain(..keep);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn drain(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        for stream in &mut self.streams {
            while matches!(stream.read(&mut buffer), Ok(read) if read > 0) {}
        }
        self.rests.iter_mut().for_each(Vec::clear);
    }
}

fn check(until: Instant) -> Result<(), String> {
    if Instant::now() > until { Err("not every subscriber was told in time".to_owned()) } else { Ok(()) }
}
