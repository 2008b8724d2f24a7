//! The one flow of the daemon: an event is folded into the state, the state gives a plan, and what comes of the plan's
//! effects are events again.
//!
//! ```text
//! file changed ─┐                                ┌─> answer    commands that somebody asked for
//! ask, signal  ─┼──> Event ──fold──> State       ├─> read      our own files; a changed catalogue becomes a revision
//! time         ─┤     ^                │         ├─> open      the doors that the settings ask for
//! outcomes     ─┘     │              plan ──────>├─> start     new versions of servers, beside the old
//!                     │                          ├─> publish   the table of servers, swapped whole
//!                     │                          ├─> announce  the revision: HTTP, SSE, D-Bus
//!                     │                          ├─> rewrite   client files, compare-and-exchange
//!                     │                          ├─> retire    versions of servers that are wanted no more
//!                     └──── carried out ─────────┴─> watch     the files that matter now
//! ```
//!
//! Everything here is data and functions: no clock, no file. Time comes in as the time since the daemon began. An empty
//! [`Plan`] is rest.

mod event;
mod plan;
mod service;
mod state;

pub use event::{Client, Event, Outcome, Reading, Source};
pub use plan::Plan;
pub use service::Versions;
pub use state::State;

#[cfg(test)]
mod tests;
