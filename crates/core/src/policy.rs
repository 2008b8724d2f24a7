//! The policy: what each tool may do, who may call it, and how.
//!
//! [`infer()`] makes a [`Proposal`] of a tool's name, schema and annotations. Nothing in it is taken on a server's word
//! that could make a tool look more harmless than its name does.

mod infer;
mod permission;
mod reason;
mod risk;
mod skeleton;
mod tool;
mod verbs;
mod words;

pub use infer::{Proposal, Setting, infer};
pub use permission::{Held, Permission, PermissionError};
pub use reason::Reason;
pub use risk::{Decision, Decisions, Risk};
pub use tool::Tool;
pub use verbs::{Verb, Verbs};
