//! A server of HTTP written by hand, byte by byte, so that it can misbehave at will.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::Heard;

/// What a server does with one connection.
type Script = Arc<dyn Fn(Line) -> BoxFuture<'static, ()> + Send + Sync>;

/// A server on a port of this machine, which listens for as long as it is not stopped.
pub(crate) struct Rogue {
    at: SocketAddr,
    script: Script,
    /// Dropped, it ends everything.
    running: Mutex<Option<JoinSet<()>>>,
    /// Has it take nothing new.
    deaf: Mutex<CancellationToken>,
}

impl Rogue {
    /// Returns a server that does with each connection what the script says.
    pub(crate) async fn start<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Line) -> F + Send + Sync + 'static,
    ) -> Self {
        let script: Script = Arc::new(move |line| script(line).boxed());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let deaf = CancellationToken::new();
        let running = Mutex::new(Some(listen(listener, &script, deaf.clone())));
        Self { at, script, running, deaf: Mutex::new(deaf) }
    }

    /// Returns the address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Ends the server as `SIGKILL` does: every connection breaks, and no new one comes about.
    pub(crate) async fn kill(&self) {
        let running = self.running.lock().unwrap().take();
        if let Some(mut running) = running {
            running.shutdown().await;
        }
    }

    /// Has it take nothing new, neither connections nor requests, and end what it has.
    pub(crate) fn deafen(&self) {
        self.deaf.lock().unwrap().cancel();
    }

    /// Starts it again, at the same port.
    pub(crate) async fn revive(&self) {
        self.kill().await;
        let listener = TcpListener::bind(self.at).await.unwrap();
        let deaf = CancellationToken::new();
        *self.running.lock().unwrap() = Some(listen(listener, &self.script, deaf.clone()));
        *self.deaf.lock().unwrap() = deaf;
    }
}

fn listen(listener: TcpListener, script: &Script, deaf: CancellationToken) -> JoinSet<()> {
    let script = Arc::clone(script);
    let mut running = JoinSet::new();
    running.spawn(async move {
        let mut lines = JoinSet::new();
        while let Some(Ok((stream, _))) = deaf.run_until_cancelled(listener.accept()).await {
            let _ = stream.set_nodelay(true);
            lines.spawn(script(Line { stream, buffer: Vec::new(), deaf: deaf.clone() }));
            while lines.try_join_next().is_some() {}
        }
        drop(listener);
        while lines.join_next().await.is_some() {}
    });
    running
}

/// The server's end of one connection. Dropped, it closes.
pub(crate) struct Line {
    stream: TcpStream,
    /// What has come and was not looked at.
    buffer: Vec<u8>,
    deaf: CancellationToken,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) verb: String,
    headers: BTreeMap<String, String>,
}

impl Head {
    /// Returns a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns how many bytes come behind the head.
    pub(crate) fn length(&self) -> usize {
        self.header("content-length").map_or(0, |length| length.parse().expect("a number"))
    }
}

impl Line {
    /// Reads the head of the next request; nothing once the other end is closed.
    pub(crate) async fn head(&mut self) -> Option<Head> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            let reading = self.stream.read_buf(&mut self.buffer);
            if self.deaf.run_until_cancelled(reading).await?.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).expect("UTF-8");
        let mut lines = head.lines();
        let verb = lines.next()?.split(' ').next()?.to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Head { verb, headers })
    }

    /// Reads what comes behind a head: a message, where there is one.
    pub(crate) async fn message(&mut self, head: &Head) -> Option<Heard> {
        while self.buffer.len() < head.length() {
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
        let body: Vec<u8> = self.buffer.drain(..head.length()).collect();
        Some(Heard::read(String::from_utf8(body).expect("UTF-8")))
    }

    /// Reads what has come, whatever it is; nothing once the other end is closed.
    pub(crate) async fn bytes(&mut self) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.buffer);
        if bytes.is_empty() && self.stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        Some(bytes)
    }

    /// Says these bytes, and whether there is still somebody to hear them.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says a piece over and over, until nobody hears it or so many bytes were said; returns how many were.
    pub(crate) async fn flood(&mut self, piece: &[u8], most: usize) -> usize {
        let mut said = 0;
        while said < most && self.say(piece).await {
            said += piece.len();
        }
        said
    }

    /// Says a byte now and then, until nobody hears it.
    pub(crate) async fn drip(&mut self, byte: u8) {
        while self.say([byte]).await {
            crate::still::rest().await;
        }
    }

    /// Waits until the other end hangs up.
    pub(crate) async fn left(&mut self) {
        while !matches!(self.stream.read_buf(&mut self.buffer).await, Ok(0) | Err(_)) {
            self.buffer.clear();
        }
    }

    /// Ends the connection as a crash does: what was under way is lost, and the other end is told that it is.
    pub(crate) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }
}

/// Returns a whole answer.
pub(crate) fn whole(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} X"), format!("Content-Length: {}", body.len())];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

/// Returns an answer that is a message.
pub(crate) fn json(body: &str) -> Vec<u8> {
    whole(200, &[("Content-Type", "application/json")], body)
}

/// The beginning of an answer that is a message and comes in pieces.
pub(crate) const JSON: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The beginning of a stream of events.
pub(crate) const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The end of what comes in pieces.
pub(crate) const END: &str = "0\r\n\r\n";

/// Returns a piece of what comes in pieces.
pub(crate) fn piece(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
