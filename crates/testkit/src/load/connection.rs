//! One connection to a server over HTTP, which carries one request after the other.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Fault;
use super::check::{About, about};
use crate::wire::{Body, Chunked, Events, Head};

/// How much room there is at least when something is read.
const ROOM: usize = 16 * 1024;

/// How long an answer may take before it counts as none.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection; it is made when it is needed, and again when it has broken.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The message that was answered last.
    pub(super) answer: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) session: Option<String>,
    /// When the last byte of the answer was there.
    pub(super) at: Instant,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, input: Vec::new(), output: Vec::new(), answer: Vec::new() }
    }

    /// Sends a request, of which `head` lacks the length of its body, and reads its answer.
    pub(super) async fn post(&mut self, head: &str, body: &str) -> Result<Reply, Fault> {
        self.output.clear();
        self.output.extend_from_slice(head.as_bytes());
        write!(self.output, "{}\r\n\r\n{body}", body.len())?;
        let done = match tokio::time::timeout(LIMIT, self.exchange()).await {
            Ok(done) => done,
            Err(_) => Err(late()),
        };
        if done.is_err() {
            self.close();
        }
        done
    }

    /// Sends a request that opens a stream, and reads its head.
    pub(super) async fn open(&mut self, request: &str) -> Result<u16, Fault> {
        self.output.clear();
        self.output.extend_from_slice(request.as_bytes());
        tokio::time::timeout(LIMIT, self.begin()).await.unwrap_or_else(|_| Err(late()))
    }

    async fn begin(&mut self) -> Result<u16, Fault> {
        self.send().await?;
        let (status, length) = loop {
            if let Some(head) = Head::read(&self.input) {
                break (head.status().unwrap_or_default(), head.length);
            }
            self.fill().await?;
        };
        self.input.drain(..length);
        Ok(status)
    }

    /// Reads on in a stream that was opened, and appends what comes to `events`.
    pub(super) async fn more(&mut self, chunked: &mut Chunked, events: &mut Events) -> Result<(), Fault> {
        if self.input.is_empty() {
            self.fill().await?;
        }
        let used = chunked.read(&self.input, &mut events.pending).map_err(broken)?;
        self.input.drain(..used);
        if chunked.is_done() { Err(Fault::Failed("the stream has ended".to_owned())) } else { Ok(()) }
    }

    fn close(&mut self) {
        self.stream = None;
        self.input.clear();
    }

    async fn send(&mut self) -> Result<(), Fault> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        Ok(stream.write_all(&self.output).await?)
    }

    /// Reads what comes next.
    async fn fill(&mut self) -> Result<(), Fault> {
        let Some(stream) = &mut self.stream else { return Err(hung_up()) };
        self.input.reserve(ROOM);
        if stream.read_buf(&mut self.input).await? == 0 { Err(hung_up()) } else { Ok(()) }
    }

    async fn exchange(&mut self) -> Result<Reply, Fault> {
        self.send().await?;
        self.answer.clear();
        let (mut reply, body, length, is_stream, is_last) = loop {
            if let Some(head) = Head::read(&self.input) {
                let reply = Reply {
                    status: head.status().unwrap_or_default(),
                    session: head.header("mcp-session-id").map(str::to_owned),
                    at: Instant::now(),
                };
                let is_stream = head.says("content-type", "text/event-stream");
                break (reply, head.body(), head.length, is_stream, head.says("connection", "close"));
            }
            self.fill().await?;
        };
        if let (Body::Length(size), false) = (body, is_stream) {
            while self.input.len() < length + size {
                self.fill().await?;
            }
            reply.at = Instant::now();
            self.answer.extend_from_slice(&self.input[length..length + size]);
            self.input.drain(..length + size);
        } else {
            self.input.drain(..length);
            self.unpack(body, is_stream, &mut reply).await?;
        }
        if is_last {
            self.close();
        }
        Ok(reply)
    }

    /// Reads a body whose length is not known before.
    async fn unpack(&mut self, body: Body, is_stream: bool, reply: &mut Reply) -> Result<(), Fault> {
        let (mut chunked, mut events) = (Chunked::default(), Events::default());
        let mut left = if let Body::Length(size) = body { size } else { usize::MAX };
        loop {
            let used = if body == Body::Chunked {
                chunked.read(&self.input, &mut events.pending).map_err(broken)?
            } else {
                let used = left.min(self.input.len());
                events.pending.extend_from_slice(&self.input[..used]);
                left -= used;
                used
            };
            self.input.drain(..used);
            while is_stream && let Some(data) = events.next() {
                let at = Instant::now();
                // Only the first answer counts: what the server asks or tells beside it does not.
                if self.answer.is_empty() && matches!(about(&data)?, About::Answer(_)) {
                    (self.answer, reply.at) = (data, at);
                }
            }
            let is_answered = is_stream && !self.answer.is_empty();
            if chunked.is_done() || left == 0 {
                break;
            }
            // Where only the end of the connection says that a body is over, nothing needs to be waited for.
            if body == Body::Unknown && is_answered {
                self.close();
                return Ok(());
            }
            match self.fill().await {
                Err(_) if body == Body::Unknown => {
                    self.close();
                    break;
                }
                filled => filled?,
            }
        }
        if !is_stream {
            reply.at = Instant::now();
            self.answer = events.pending;
        }
        Ok(())
    }
}

fn broken(error: crate::wire::Broken) -> Fault {
    Fault::Failed(error.to_string())
}

fn late() -> Fault {
    Fault::Failed(format!("no answer within {} s", LIMIT.as_secs()))
}

fn hung_up() -> Fault {
    Fault::Failed("the server hung up".to_owned())
}
