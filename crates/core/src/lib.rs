//! What Switchboard decides: the catalogue, documents, relations and the plan.
//!
//! Nothing here touches the machine: no file, network, clock, environment, thread or log. Time and surroundings come
//! in as arguments; decisions go out as plain data. The crate's `clippy.toml` enforces it.

pub mod backoff;
pub mod catalogue;
pub mod client;
pub mod document;
pub mod duration;
pub mod export;
pub mod feed;
mod fields;
pub mod flow;
pub mod launch;
pub mod login;
pub mod mcp;
pub mod name;
pub mod nearest;
pub mod place;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod reference;
pub mod registry;
pub mod revision;
pub mod search;
pub mod secret;
pub mod select;
pub mod settings;
pub mod text;
pub mod upstream;
pub mod value;
