//! What is decided about the protocol without speaking it: its revisions, and the names by which tools are known.

pub mod public_name;
pub mod revision;
