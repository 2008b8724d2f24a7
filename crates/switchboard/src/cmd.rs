//! The commands, one file each.

pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod connect;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod listen;
pub(crate) mod policy;
pub(crate) mod profile;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod token;
pub(crate) mod tool;
pub(crate) mod uninstall;
pub(crate) mod up;
