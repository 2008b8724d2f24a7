//! Reading and writing YAML: tables with a story, then laws.

mod aliases;
mod laws;
mod reading;
mod writing;
