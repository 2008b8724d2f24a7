//! The doors that clients come in by, as far as the protocol is concerned: what is read and what is answered, without a
//! socket.

pub mod http;
pub mod pipe;
pub mod sse;
mod stream;
mod validate;

pub use stream::Stream;
