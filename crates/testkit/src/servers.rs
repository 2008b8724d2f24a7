//! Scripted MCP servers.

pub mod http;
pub mod stdio;
