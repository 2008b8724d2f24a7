//! Reading and writing YAML: tables with a story, then laws.

mod laws;
mod reading;
mod writing;
