//! One connection: requests and answers in turn, within bounds of size and time.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, DATE};
use axum::http::{HeaderMap, HeaderValue, Request};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use switchboard_gateway::Session;
use switchboard_gateway::serve::pipe;

#[cfg(unix)]
use crate::daemon::succession::Claim;

use super::super::flow::{Flow, Handover, Source};
use super::super::{Api, Peer};
use super::patient::{Patient, Stream};

/// How long the head of a request may take, and how long a connection may be silent between two requests.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long somebody who came in before the doors were closed may take to ask something.
const LATE: Duration = Duration::from_secs(1);

/// So many bytes are read away of what nobody wanted.
const UNWANTED: usize = 1 << 20;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 32 * 1024;

/// What somebody gets for whom there is no place.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Turns somebody away.
pub(super) fn refuse(stream: &Stream) {
    // It has just come in, so there is room for a line; who does not get it sees the connection close.
    let _ = match stream {
        Stream::Tcp(stream) => stream.try_write(FULL),
        #[cfg(unix)]
        Stream::Unix(stream) => stream.try_write(FULL),
    };
}

/// Answers the requests of one connection until it ends, until `drain` once the one under way is answered, or until
/// `cut`. A connection that asks for events, when all that was answered before is on its way, is given back to be
/// [`Live`].
pub(super) async fn converse(
    stream: Stream,
    peer: Peer,
    api: Api,
    drain: CancellationToken,
    cut: CancellationToken,
) -> Option<Live> {
    let (give, mut given) = mpsc::channel::<Given>(1);
    let waits = Arc::new(AtomicBool::new(false));
    let out = Arc::clone(&waits);
    let (asked, has_asked) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (first, has_first) = (Arc::clone(&asked), Arc::clone(&has_asked));
    let service = service_fn(move |request: Request<Incoming>| {
        let (api, peer, give) = (api.clone(), peer.clone(), give.clone());
        if !has_first.swap(true, Ordering::Relaxed) {
            first.notify_one();
        }
        // What was answered before was written before this request was read, unless the other end does not take it: then the
        // events have to wait behind it.
        let is_clear = !out.load(Ordering::Relaxed);
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            // Apart from the connection, which would else be as large as all that may be answered, for as long as it lasts.
            let mut reply = Box::pin(api.answer(request)).await;
            let handover = reply.extensions_mut().remove::<Handover>().filter(|_| is_clear);
            // There is room for one, and there is one at most.
            if let Some(flow) = handover.and_then(|handover| handover.take()) {
                let _ = give.try_send(Given::Flow(std::mem::take(reply.headers_mut()), Box::new(flow)));
                std::future::pending::<()>().await;
            }
            #[cfg(unix)]
            if let Some(claim) = reply.extensions_mut().remove::<Claim>() {
                let _ = give.try_send(Given::Claim(claim));
                std::future::pending::<()>().await;
            }
            if let Some(session) = reply.extensions_mut().remove::<Arc<Session>>() {
                let _ = give.try_send(Given::Pipe(session));
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(reply)
        }
    });
    let mut talk = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream, waits)), service);
    tokio::select! {
        // What goes wrong on a connection concerns the one at its other end, who sees it end.
        _ = &mut talk => {
            linger(talk.into_parts().io.into_inner()).await;
            return None;
        }
        Some(given) = given.recv() => {
            let parts = talk.into_parts();
            let stream = parts.io.into_inner();
            return Some(match given {
                Given::Flow(headers, flow) => Live::Flow { stream, headers, flow },
                // What the client said already is behind the head of its request.
                Given::Pipe(session) => Live::Pipe { stream, first: parts.read_buf, session },
                #[cfg(unix)]
                Given::Claim(claim) => Live::Claim { stream, claim },
            });
        }
        () = drain.cancelled() => {}
    }
    if !has_asked.load(Ordering::Relaxed) {
        // Whoever came in just now has something to ask, which may be on its way.
        tokio::select! {
            _ = &mut talk => return None,
            () = asked.notified() => {}
            () = tokio::time::sleep(LATE) => {}
        }
    }
    Pin::new(&mut talk).graceful_shutdown();
    tokio::select! {
        _ = &mut talk => {}
        // Whoever asks for events by now comes too late for any; HTTP would wait for the end of the answer.
        Some(_) = given.recv() => {}
        () = cut.cancelled() => {}
    }
    None
}

/// Reads away what the other end still sends, such as a body that nobody wanted: where a connection closes over that,
/// the answer may go with it.
async fn linger(mut stream: Patient) {
    let mut left = [0; 4096];
    let reads = async {
        stream.shutdown().await?;
        for _ in 0..UNWANTED / left.len() {
            if stream.read(&mut left).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    // Whoever goes on for longer than that does not care for the answer.
    let _ = tokio::time::timeout(LATE, reads).await;
}

/// What is to be done with a connection that is taken from HTTP.
enum Given {
    Flow(HeaderMap, Box<Flow>),
    Pipe(Arc<Session>),
    #[cfg(unix)]
    Claim(Claim),
}

/// A connection that HTTP is not spoken on any more.
pub(super) enum Live {
    /// Nothing but events is sent.
    Flow { stream: Patient, headers: HeaderMap, flow: Box<Flow> },
    /// A client of MCP converses, one message a line.
    Pipe { stream: Patient, first: Bytes, session: Arc<Session> },
    /// Another daemon takes the place of this one.
    #[cfg(unix)]
    Claim { stream: Patient, claim: Claim },
}

impl Live {
    /// Goes on until either end has enough, or until `cut`. From `drain` on, a client of MCP is asked to go elsewhere with
    /// what it has to say.
    pub(super) async fn run(self, drain: CancellationToken, cut: CancellationToken) {
        // Each as large as it is, and not as the largest.
        match self {
            Self::Flow { stream, headers, flow } => match *flow {
                Flow::Revisions(source) => Box::pin(flow_on(stream, headers, source, cut)).await,
                Flow::Messages(source) => Box::pin(flow_on(stream, headers, source, cut)).await,
                Flow::Talk(source) => Box::pin(flow_on(stream, headers, source, cut)).await,
                Flow::Passing(source) => Box::pin(flow_on(stream, headers, source, cut)).await,
            },
            #[cfg(unix)]
            Self::Claim { stream, claim } => Box::pin(give_way(stream, claim)).await,
            Self::Pipe { stream, first, session } => {
                Box::pin(talk_on(stream, first, session, drain, cut)).await;
            }
        }
    }
}

/// The head of an answer behind which a pipe begins.
const PIPE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: mcp\r\n\r\n";

/// Speaks with a client of MCP until either end has enough, or until `cut`.
async fn talk_on(
    stream: Patient,
    first: Bytes,
    session: Arc<Session>,
    drain: CancellationToken,
    cut: CancellationToken,
) {
    let (input, mut output) = tokio::io::split(stream);
    if output.write_all(PIPE).await.is_err() {
        return session.close();
    }
    tokio::select! {
        () = pipe::converse(session.clone(), input, output, first, drain.cancelled()) => {}
        () = cut.cancelled() => session.close(),
    }
}

/// The head of an answer behind which sockets come.
#[cfg(unix)]
const GIVES_WAY: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: switchboard\r\n\r\n";

/// Has the daemon end, and pass on what it has by this connection.
#[cfg(unix)]
async fn give_way(mut stream: Patient, claim: Claim) {
    if stream.write_all(GIVES_WAY).await.is_err() {
        return;
    }
    let Stream::Unix(stream) = stream.into_inner() else { return };
    if let Ok(stream) = stream.into_std()
        && stream.set_nonblocking(false).is_ok()
    {
        claim.taken(stream);
    }
}

/// Sends the head of an answer and what flows behind it, until either end has enough, or until `cut`.
async fn flow_on(mut stream: Patient, headers: HeaderMap, mut source: impl Source, cut: CancellationToken) {
    let head = head(headers);
    tokio::select! {
        sent = stream.write_all(&head) => if sent.is_err() { return },
        () = cut.cancelled() => return,
    }
    drop(head);
    while let Some(bytes) = next(&mut stream, &mut source, &cut).await {
        let sent = tokio::select! {
            sent = stream.write_all(&bytes) => sent,
            () = cut.cancelled() => return,
        };
        if sent.is_err() {
            return;
        }
    }
    // The other end sees it in any case.
    let _ = stream.shutdown().await;
}

/// Waits for what is to be sent next; `None` when there is no more, or the other end has gone.
async fn next(stream: &mut Patient, source: &mut impl Source, cut: &CancellationToken) -> Option<Bytes> {
    let mut next = std::pin::pin!(source.next());
    // Whoever listens has nothing more to say: what comes is passed over, and the end is seen.
    let mut passed_over = [0; 64];
    loop {
        tokio::select! {
            biased;
            () = cut.cancelled() => return None,
            bytes = &mut next => return bytes,
            read = stream.read(&mut passed_over) => {
                if !read.is_ok_and(|length| length > 0) {
                    return None;
                }
            }
        }
    }
}

/// The head of an answer that ends with its connection.
fn head(mut headers: HeaderMap) -> Vec<u8> {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Ok(date) = HeaderValue::from_str(&crate::when::http(crate::home::now())) {
        headers.insert(DATE, date);
    }
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    for (name, value) in &headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
