//! What switchboard-host promises, shown on a real machine: one binary, one module per promise.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "these tests play the other programs")]

mod kill;
mod metadata;
mod odd;
mod race;
mod stop;
mod stores;
mod strace;
