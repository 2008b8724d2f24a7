//! Entries of real shapes, and the laws that hold for every client.

mod entries;
mod laws;
