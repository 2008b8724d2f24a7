//! The commands, one file each.

pub mod client;
pub mod config;
pub mod connect;
pub mod demo;
pub mod doctor;
pub mod profile;
pub mod server;
pub mod status;
pub mod uninstall;
pub mod up;
