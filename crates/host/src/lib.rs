//! What Switchboard does to the machine: files, backups, locks, children, secrets.

#[cfg(unix)]
pub mod child;
pub mod resolve;
pub mod secret;
