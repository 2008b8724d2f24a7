//! `connect` as a client sees it: a process with three streams.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that fails should say where")]

#[cfg(unix)]
mod hygiene;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod remote;
