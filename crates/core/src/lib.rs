//! What Switchboard decides: the catalogue, documents, relations and the plan.
//!
//! Nothing here touches the machine: no file, network, clock, environment, thread or log. Time and surroundings come
//! in as arguments; decisions go out as plain data. The crate's `clippy.toml` enforces it.

pub mod document;
pub mod launch;
pub mod place;
pub mod reference;
pub mod text;
pub mod value;
