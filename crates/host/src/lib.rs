//! What Switchboard does to the machine: files, backups, locks, children, secrets.
//!
//! Every file of another program is read by [`file::read`] and changed by [`file::replace`], which never leaves a torn
//! file and never loses a byte that somebody else wrote. Switchboard's own small files go through [`record`]. Servers
//! are started by [`child`], which leaves no process behind. What other programs change is told by a [`watch`].

pub mod audit;
pub mod backup;
#[cfg(unix)]
pub mod child;
pub mod dbus;
pub mod dirs;
pub mod file;
pub mod hash;
pub mod limits;
pub mod lock;
pub mod memory;
pub mod offers;
mod own;
pub mod record;
pub mod registry;
pub mod resolve;
pub mod secret;
mod show;
#[cfg(unix)]
pub mod socket;
pub mod stamp;
mod system;
mod temp;
mod time;
pub mod watch;
