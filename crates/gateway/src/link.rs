//! The transports to servers, as far as messages are concerned: frames out; what comes in goes to the connection.

mod body;
mod client;
pub(crate) mod encoding;
mod endpoint;
pub mod events;
pub(crate) mod http;
mod lane;
mod sse;
pub(crate) mod stdio;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::launch::Remote;

use crate::gateway::Inside;
use crate::slot::Slot;
use crate::trouble::Trouble;
use crate::upstream::Upstream;
use endpoint::Endpoint;
use http::Http;
use sse::Sse;

/// The longest message, in either direction, in bytes.
pub const MESSAGE_LIMIT: usize = 16 << 20;

/// One message to a server.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The message, on one line.
    pub(crate) bytes: Bytes,
    /// What it asks for, where it is a request.
    pub(crate) call: Option<Call>,
}

/// What a transport has to know of a request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Its id on the server's side.
    pub(crate) id: u64,
    /// Its method.
    pub(crate) method: Box<str>,
    /// The name of the tool or prompt, the address of the resource or the id of the task that it is about.
    pub(crate) name: Option<Box<str>>,
    /// Headers that the client sent for the server alone (`Mcp-Param-*`), with lower-case names.
    pub(crate) headers: Vec<(Box<str>, Box<str>)>,
}

impl Frame {
    /// Returns a request.
    pub(crate) fn request(bytes: Bytes, id: u64, method: &str, name: Option<&str>) -> Self {
        let call = Call { id, method: method.into(), name: name.map(Into::into), headers: Vec::new() };
        Self { bytes, call: Some(call) }
    }

    /// Returns a notification, or an answer to a request of the server's.
    pub(crate) fn plain(bytes: Bytes) -> Self {
        Self { bytes, call: None }
    }
}

/// The way to one server.
///
/// What the server sends is given to [`Upstream::receive`](crate::upstream::Upstream::receive); a call that the
/// transport itself knows to be lost to [`Upstream::fail`](crate::upstream::Upstream::fail); the end of the whole
/// connection is told to its slot.
pub(crate) trait Link: Send + Sync {
    /// Sends a message, without waiting. Messages arrive in the order in which they are sent, as far as the transport
    /// knows an order.
    ///
    /// # Errors
    /// It was not sent.
    fn send(&self, frame: Frame) -> Result<(), Trouble>;

    /// Gives a call up. `notice` is the notification that says so, for transports that have no other way.
    fn cancel(&self, id: u64, notice: Bytes);

    /// Says which revision both have settled on.
    fn settle(&self, _revision: &str) {}

    /// Is shown the description of a tool that the server offers.
    ///
    /// # Errors
    /// The tool cannot be called over this transport; the sentence says why.
    fn offered(&self, _tool: &str) -> Result<(), String> {
        Ok(())
    }

    /// Ends the connection. Nothing is sent or received from then on.
    fn close(&self);

    /// Returns the process behind it, where there is one.
    fn pid(&self) -> Option<u32> {
        None
    }
}

/// Returns a connection to a remote server, on which nothing was said yet.
///
/// # Errors
/// There is no way to it.
pub(crate) async fn remote(
    slot: &Arc<Slot>,
    gateway: &Arc<Inside>,
    kind: Remote,
    url: &str,
    headers: &[(String, String)],
) -> Result<Arc<Upstream>, Trouble> {
    let server = Arc::clone(&slot.generation.said().server);
    let endpoint = Endpoint::new(server, Arc::clone(&gateway.launcher), url, headers).await?;
    match kind {
        Remote::Http => Ok(Http::open(endpoint, slot, gateway)),
        Remote::Sse => Sse::open(endpoint, slot, gateway).await,
    }
}
