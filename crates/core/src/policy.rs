//! The policy: what each tool may do, who may call it, and how.
//!
//! [`infer()`] makes a [`Proposal`] of a tool's name, schema and annotations. Nothing in it is taken on a server's word
//! that could make a tool look more harmless than its name does. [`parse()`] reads `tool-policy.toml`,
//! [`merge()`](merge::merge) brings it up to date, [`Rules`] decide on each call by it, [`explain()`] says which rule gave what,
//! and [`inert()`] and [`unheard_of()`] what stands there to no effect.
//! A [`Pin`](pin::Pin) is what a tool was when it was first seen, [`Pins`](pins::Pins) are those of all, and [`odd`] finds
//! what could deceive. [`export`] tells another
//! application of it all.

mod decide;
mod explain;
pub mod export;
mod file;
mod inert;
mod infer;
pub mod merge;
pub mod odd;
mod permission;
pub mod pin;
pub mod pins;
mod rate;
mod reason;
mod risk;
mod script;
mod skeleton;
#[cfg(test)]
mod stage;
mod tool;
mod unheard;
mod verbs;
mod words;

pub use decide::{Denial, Rules, Terms, Usual, Verdict, Why};
pub use explain::{Explanation, Part, Source, explain};
pub use file::{Rule, Said, ToolPolicy, ToolPolicyFile, parse};
pub use inert::inert;
pub use infer::{Proposal, Setting, infer, infer_raw};
pub use permission::{Held, Permission, PermissionError};
pub use rate::Rate;
pub use reason::Reason;
pub use risk::{Decision, Decisions, Risk};
pub use tool::Tool;
pub use unheard::unheard_of;
pub use verbs::{Verb, Verbs};
pub(crate) use words::words;
