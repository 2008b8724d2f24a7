//! The catalogue: the only truth about servers.
//!
//! [`parse()`] reads the text of `mcp-servers.toml`, [`edit`] changes it by lossless splices.

pub mod edit;
mod offered;
pub mod parse;
mod server;

use std::collections::BTreeMap;

pub use offered::Offered;
pub use parse::parse;
pub use server::{Feed, Health, Isolation, Retry, Server, ServerFile, ToolFilter};

use crate::name::ServerName;

/// The servers and profiles that one catalogue file names, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    servers: Vec<Server>,
    /// Named subsets that a client or a URL can ask for: lists of selectors, as in `servers = [..]`.
    pub profiles: BTreeMap<String, Vec<String>>,
    by_name: BTreeMap<ServerName, usize>,
}

impl Catalogue {
    /// Returns the catalogue of these servers; of two with one name the first counts.
    pub fn new(servers: Vec<Server>, profiles: BTreeMap<String, Vec<String>>) -> Self {
        let mut by_name = BTreeMap::new();
        for (at, server) in servers.iter().enumerate() {
            by_name.entry(server.name.clone()).or_insert(at);
        }
        Self { servers, profiles, by_name }
    }

    /// Returns the servers in the order of the file.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Returns the server with this name.
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.by_name.get(name).map(|&at| &self.servers[at])
    }

    /// Returns whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }
}

/// The whole catalogue file, for the JSON Schema.
#[derive(schemars::JsonSchema)]
#[schemars(title = "Switchboard catalogue", rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CatalogueFile {
    /// The servers, by name.
    #[schemars(default)]
    servers: BTreeMap<String, ServerFile>,
    /// Named subsets of the servers.
    #[schemars(default)]
    profiles: BTreeMap<String, ProfileFile>,
}

/// A named subset of the servers.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ProfileFile {
    /// Names, globs, `tag:NAME` and `profile:NAME`.
    servers: Vec<String>,
}

#[cfg(test)]
mod laws;
