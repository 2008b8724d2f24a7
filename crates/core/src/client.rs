//! Clients: whose files we keep in step, how those are written, and what becomes of each entry.

pub mod bridge;
pub mod dialect;
pub mod hidden;
pub mod import;
pub mod known;
pub mod reconcile;
pub mod relation;
pub mod render;
pub mod scan;
pub mod undo;
