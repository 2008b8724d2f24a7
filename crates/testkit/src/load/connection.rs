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
pub(super) const LIMIT: Duration = Duration::from_secs(20);

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
        let exchanged = async {
            self.send(head, body).await?;
            self.reply().await
        };
        let done = tokio::time::timeout(LIMIT, exchanged).await.unwrap_or_else(|_| Err(late()));
        if done.is_err() {
            self.close();
        }
        done
    }

    /// Sends a request, of which `head` lacks the length of its body.
    pub(super) async fn send(&mut self, head: &str, body: &str) -> Result<(), Fault> {
        self.output.clear();
        self.output.extend_from_slice(head.as_bytes());
        write!(self.output, "{}\r\n\r\n{body}", body.len())?;
        self.flush().await
    }

    /// Sends a request without a body, and reads the head of its answer: the status, and how the rest ends.
    pub(super) async fn open(&mut self, request: &str) -> Result<(u16, Body), Fault> {
        self.output.clear();
        self.output.extend_from_slice(request.as_bytes());
        let opened = async {
            self.flush().await?;
            loop {
                if let Some(head) = Head::read(&self.input) {
                    let told = (head.status().unwrap_or_default(), head.body(), head.length);
                    return Ok(told);
                }
                self.fill().await?;
            }
        };
        let (status, body, length) =
            tokio::time::timeout(LIMIT, opened).await.unwrap_or_else(|_| Err(late()))?;
        self.input.drain(..length);
        Ok((status, body))
    }

    /// Reads on in the body of an answer that goes on and on, and appends what comes.
    pub(super) async fn more(
        &mut self,
        chunked: Option<&mut Chunked>,
        into: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if self.input.is_empty() {
            self.fill().await?;
        }
        let Some(chunked) = chunked else {
            into.append(&mut self.input);
            return Ok(());
        };
        let used = chunked.read(&self.input, into).map_err(broken)?;
        self.input.drain(..used);
        if chunked.is_done() { Err(Fault::Failed("the stream has ended".to_owned())) } else { Ok(()) }
    }

    fn close(&mut self) {
        self.stream = None;
        self.input.clear();
    }

    async fn flush(&mut self) -> Result<(), Fault> {
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

    /// Reads the answer to what was sent.
    pub(super) async fn reply(&mut self) -> Result<Reply, Fault> {
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

pub(super) fn late() -> Fault {
    Fault::Failed(format!("no answer within {} s", LIMIT.as_secs()))
}

fn hung_up() -> Fault {
    Fault::Failed("the server hung up".to_owned())
}
