//! What TOML documents say, and what edits make of them.

mod laws;
mod reading;
mod writing;
