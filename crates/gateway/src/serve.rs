//! The doors that clients come in by, as far as the protocol is concerned: what is read and what is answered, without a
//! socket.

pub mod http;
pub mod pipe;
pub mod sse;
mod stream;
mod validate;

use bytes::Bytes;

use crate::message;
use crate::trouble::{INVALID_REQUEST, error};

pub use stream::Stream;

/// Returns what whoever sent too long a message is told (requirement E6): with the id of their request, as it was written,
/// where that is known. `limit` is in bytes.
pub fn too_long(id: Option<&str>, limit: usize) -> Bytes {
    let what = format!("a message is longer than {} MiB", limit >> 20);
    message::error(id.unwrap_or("null"), &error(INVALID_REQUEST, &what, None))
}
