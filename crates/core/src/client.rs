//! The client applications that we know: where their files are, and how they say a server.

pub mod dialect;
pub mod known;
