//! Scripted servers: of MCP, and switchboards to be followed.

pub mod config;
pub mod http;
pub mod login;
pub mod stdio;
