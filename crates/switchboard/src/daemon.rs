//! The daemon: one owner of what is served, and the doors by which it is reached.

pub(crate) mod board;
pub(crate) mod desk;
