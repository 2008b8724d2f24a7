//! A server reached over HTTP.
//!
//! ```text
//! stdin -> input (thread) -> one exchange per line -> output (thread) -> stdout
//! ```
//!
//! Messages pass as they are; only line breaks between their tokens become blanks, because a line is a message. What
//! is read out of them is what the transport asks for: ids, methods, the revision of the protocol.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard_core::launch::Remote;
use switchboard_host::secret::Secret;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::ConnectError;
use super::say;
use crate::login::Tokens;
use endpoint::Endpoint;
use link::Link;
use message::NotAMessage;

mod body;
mod endpoint;
mod error;
mod exchange;
mod headers;
mod http;
mod input;
mod link;
mod message;
mod output;
mod sse;
mod trouble;

pub use error::RemoteError;

/// The longest message, in either direction.
const MESSAGE_LIMIT: usize = 16 << 20;

/// How long calls in flight are waited for once the client has closed its side.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a token that is on its way is waited for at the end: it would be lost.
const SETTLE: Duration = Duration::from_secs(5);

pub(super) fn run(
    server: &str,
    kind: Remote,
    url: &Secret,
    headers: &BTreeMap<String, Secret>,
    tokens: Option<Tokens>,
) -> Result<u8, ConnectError> {
    let setup = |source| ConnectError::Setup { server: server.to_owned(), source };
    let remote = |source| ConnectError::Remote { server: server.to_owned(), source };
    let endpoint = Endpoint::new(server, url, headers, tokens.clone()).map_err(remote)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(setup)?;
    let (gone_sender, gone) = channel(1);
    let output = output::start(gone_sender.clone()).map_err(setup)?;
    let input = input::start(gone_sender).map_err(setup)?;
    let pipe = Pipe { input, output: output.lines.clone(), gone };
    let code = runtime.block_on(async {
        let code = match kind {
            Remote::Http => http::run(endpoint, pipe).await,
            Remote::Sse => sse::run(endpoint, pipe).await,
        };
        if let Some(tokens) = tokens {
            tokens.settle(SETTLE).await;
        }
        code
    });
    // The thread that reads our input may be waiting for a client that says nothing more.
    runtime.shutdown_background();
    output.finish();
    code.map_err(remote)
}

/// The client's side: lines in, lines out, and whether it is still there.
struct Pipe {
    input: Receiver<input::Line>,
    output: Sender<Vec<u8>>,
    gone: Receiver<()>,
}

/// Returns the exit code once something other than the end of input asks us to end: the client is gone, or a signal.
async fn stopped(gone: &mut Receiver<()>) -> u8 {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{Signal, SignalKind, signal};
        async fn next(signal: Option<&mut Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let mut taken =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(|k| signal(k).ok());
        let [term, int, hup] = &mut taken;
        tokio::select! {
            _ = gone.recv() => 0,
            () = next(term.as_mut()) => 128 + 15,
            () = next(int.as_mut()) => 128 + 2,
            () = next(hup.as_mut()) => 128 + 1,
        }
    }
    #[cfg(not(unix))]
    tokio::select! {
        _ = gone.recv() => 0,
        _ = tokio::signal::ctrl_c() => 130,
    }
}

/// Why a line is not sent.
enum Refusal {
    NotAMessage(NotAMessage),
    /// It is too long; the id of the request in it, where there is one.
    TooLong(Option<String>),
}

/// Answers a line that is not sent.
async fn refuse(link: &Link, refusal: Refusal) {
    let (id, code, sentence) = match refusal {
        Refusal::NotAMessage(NotAMessage::Json) => (None, -32700, "a line on standard input is not JSON"),
        Refusal::NotAMessage(NotAMessage::Shape) => {
            (None, -32600, "a line on standard input is not a message of JSON-RPC")
        }
        Refusal::TooLong(id) => (id, -32600, "a message on standard input is longer than 16 MiB"),
    };
    say(sentence);
    link.write(message::error(id.as_deref().unwrap_or("null"), code, sentence)).await;
}
