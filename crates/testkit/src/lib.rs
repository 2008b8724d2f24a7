//! What the tests of all crates share.

pub mod home;
pub mod servers;
