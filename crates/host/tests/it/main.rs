//! What switchboard-host promises, shown on a real machine: one binary, one module per promise.
#![expect(clippy::disallowed_methods, reason = "these tests play the other programs")]

#[cfg(target_os = "linux")]
mod kill;
#[cfg(target_os = "linux")]
mod strace;
