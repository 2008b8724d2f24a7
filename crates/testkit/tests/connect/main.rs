//! `connect` as a client sees it: a process with three streams.

#[cfg(unix)]
mod hygiene;
#[cfg(unix)]
mod pipe;
#[cfg(unix)]
mod remote;
