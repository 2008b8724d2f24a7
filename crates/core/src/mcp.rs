//! What is decided about the protocol without speaking it: its revisions, and the names by which things of several
//! servers are known.

mod label;
pub mod public_name;
pub mod public_task;
pub mod public_uri;
pub mod revision;
