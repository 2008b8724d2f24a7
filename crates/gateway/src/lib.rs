//! Speaks MCP: up to servers, down to clients, and passes messages between them as the bytes they are.
//!
//! ```text
//!  client ── door ── Session ── View (which name is whose) ── Slot ── Upstream ── Link ── server
//!                      │                                       │          │
//!                  what it sees                        phases, lists   who waits for what
//! ```
//!
//! The gateway starts no process, reads no file and knows no secret: a [`Launcher`] does that for it. Which servers
//! there are is said by whoever owns the catalogue: [`Gateway::start`], [`Gateway::publish`], [`Gateway::retire`].

mod bridge;
mod caller;
pub mod envelope;
mod era;
pub mod face;
mod gateway;
mod generation;
mod keep;
mod launch;
mod link;
mod log;
pub mod mailbox;
pub mod message;
mod object;
pub mod offer;
pub mod policy;
mod public;
mod running;
pub mod scan;
pub mod serve;
mod session;
mod slot;
mod stats;
pub mod trouble;
mod upstream;
mod view;

pub use gateway::{Announced, Coming, Gateway, Options, Seen, Table};
pub use keep::{Forgetful, Keeper};
pub use launch::{Child, LaunchError, Launched, Launcher};
pub use link::MESSAGE_LIMIT;
pub use link::encoding::encoded;
pub use link::events;
pub use link::http::mirror::Mirror;
pub use log::{Happened, Log, Transition, Way, What};
pub use session::{Extra, Received, Session};
pub use stats::{Counts, Stats};
