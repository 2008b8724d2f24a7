//! Streamable HTTP, on bytes.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{Kind, Server};
use crate::wire::{Body, Head};

/// How much room there is at least when something is read.
const ROOM: usize = 4 * 1024;

/// The sessions that are open.
#[derive(Debug, Default)]
struct Sessions {
    open: HashSet<String>,
    opened: u64,
}

#[derive(Debug)]
struct Shared {
    server: Server,
    sessions: Mutex<Sessions>,
}

/// Serves until it is ended.
///
/// # Errors
/// Nobody can connect any more.
pub async fn serve(server: Server, listener: TcpListener) -> io::Result<()> {
    let shared = Arc::new(Shared { server, sessions: Mutex::default() });
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        // What has ended is forgotten, so that only those who are there take up room.
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(Arc::clone(&shared), stream));
    }
}

async fn connection(shared: Arc<Shared>, mut stream: TcpStream) {
    // Whoever hangs up has said all there is to say.
    let _ = stream.set_nodelay(true);
    let (mut input, mut output, mut body) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let Some(request) = Request::read(&input) else {
            // Without room, what comes would be read in tiny pieces.
            input.reserve(ROOM);
            if !matches!(stream.read_buf(&mut input).await, Ok(read) if read > 0) {
                return;
            }
            continue;
        };
        body.clear();
        let kind = shared.answer(&request, &mut body, &mut output);
        if kind == Kind::Call && shared.server.options.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(shared.server.options.slow_ms)).await;
        }
        input.drain(..request.length);
        if stream.write_all(&output).await.is_err() {
            return;
        }
        output.clear();
    }
}

/// A request that has come whole.
struct Request<'b> {
    method: &'b str,
    session: Option<&'b str>,
    body: &'b [u8],
    length: usize,
}

impl<'b> Request<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let head = Head::read(bytes)?;
        let size = if let Body::Length(size) = head.body() { size } else { 0 };
        let body = bytes.get(head.length..head.length + size)?;
        let method = head.first.split(' ').next().unwrap_or_default();
        Some(Self { method, session: head.header("mcp-session-id"), body, length: head.length + size })
    }
}

impl Shared {
    /// Appends the response to `output`; `body` is room for its body.
    fn answer(&self, request: &Request<'_>, body: &mut Vec<u8>, output: &mut Vec<u8>) -> Kind {
        let is_known = || {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            request.session.is_some_and(|session| sessions.open.contains(session))
        };
        match request.method {
            "POST" => {}
            // A stream on which nothing is ever said.
            "GET" if is_known() => {
                output.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n3\r\n:\n\n\r\n");
                return Kind::Nothing;
            }
            "DELETE" if is_known() => {
                let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
                request.session.map(|session| sessions.open.remove(session));
                status("200 OK", output);
                return Kind::Nothing;
            }
            "GET" | "DELETE" if request.session.is_some() => {
                status("404 Not Found", output);
                return Kind::Nothing;
            }
            _ => {
                status("405 Method Not Allowed", output);
                return Kind::Nothing;
            }
        }
        let kind = self.server.answer(request.body, body);
        match kind {
            Kind::Broken => status("400 Bad Request", output),
            Kind::Nothing => status("202 Accepted", output),
            Kind::Opening => {
                let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
                sessions.opened += 1;
                let session = format!("echo-{:016x}", sessions.opened);
                json(&format!("mcp-session-id: {session}\r\n"), body, output);
                sessions.open.insert(session);
            }
            Kind::Call | Kind::Other if request.session.is_some() && !is_known() => {
                status("404 Not Found", output);
            }
            Kind::Call | Kind::Stateless | Kind::Other => json("", body, output),
        }
        kind
    }
}

fn status(status: &str, output: &mut Vec<u8>) {
    output.extend_from_slice(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes());
}

fn json(more: &str, body: &[u8], output: &mut Vec<u8>) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n",
        body.len()
    );
    output.extend_from_slice(head.as_bytes());
    output.extend_from_slice(body);
}
