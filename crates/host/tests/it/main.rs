//! What switchboard-host promises, shown on a real machine: one binary, one module per promise.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "these tests play the other programs")]

#[cfg(feature = "dbus")]
#[cfg(test)]
mod dbus;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod race;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod strace;
#[cfg(test)]
mod watch;
