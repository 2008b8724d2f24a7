//! What the switchboard binary is made of; a library for its tests only.

pub mod connect;
