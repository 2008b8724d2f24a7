//! The gateway as a whole, between clients and servers that a test plays: no process, no sleep, and no socket but for
//! the servers that are remote.
#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "what fails says why")]

mod announce;
mod asks;
mod client;
mod collisions;
mod discover;
mod eras;
mod exclusive;
mod faces;
mod health;
mod http;
mod isolation;
mod next;
mod odd;
mod order;
mod policed;
mod reload;
mod rogue;
mod slow;
mod stage;
mod still;
mod subscriptions;
mod tasks;
mod verbatim;

/// Returns the long form of a figure in a soak (`SWITCHBOARD_SOAK=1`), else the short one.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment how long they may take")]
fn soak(short: usize, long: usize) -> usize {
    let is_soak = std::env::var("SWITCHBOARD_SOAK").is_ok_and(|value| value == "1");
    if is_soak { long } else { short }
}
