//! How a client sees the gateway.

use switchboard_core::name::ServerName;

/// Which servers a client sees, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One server, as it is.
    Server(ServerName),
    /// All servers behind one entry, their names prefixed.
    All,
    /// Those of a profile behind one entry, their names prefixed.
    Profile(String),
}

/// How a client sees the gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Face {
    /// Which servers.
    pub scope: Scope,
    /// Three tools that search, describe and call, instead of the list of all.
    pub search: bool,
}

impl Face {
    /// Returns the face of one server.
    pub fn server(name: ServerName) -> Self {
        Self { scope: Scope::Server(name), search: false }
    }

    /// Returns the face of all servers.
    pub fn all() -> Self {
        Self { scope: Scope::All, search: false }
    }

    /// Returns whether names of several servers stand beside each other.
    pub fn is_joint(&self) -> bool {
        !matches!(self.scope, Scope::Server(_))
    }
}
