//! Scripted servers: of MCP, and switchboards to be followed.

mod board;
pub mod config;
pub mod feed;
pub mod http;
pub mod login;
pub mod stdio;
