//! Why there is no token.

use switchboard_core::login::scopes::{Scopes, text};

use crate::approval::quoted;

/// Why a server cannot be called with a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// A person has to do something about it.
    #[error("`{server}` needs a login: {why}")]
    LoginNeeded {
        /// What the catalogue calls the server.
        server: String,
        /// What happened.
        why: Why,
    },
    /// The server wants what another login would not give.
    #[error("`{server}` does not permit this{}", shown(scopes))]
    Denied {
        /// What the catalogue calls the server.
        server: String,
        /// What it wants, all of which was asked for.
        scopes: Scopes,
    },
    /// The token is over, and a new one cannot be had at this moment. It is tried again with the next call.
    #[error("the token for `{server}` could not be renewed: {why}")]
    Away {
        /// What the catalogue calls the server.
        server: String,
        /// What happened.
        why: String,
    },
}

/// Why a login is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The token is over, and came without the means to renew it.
    #[error("the last one is over")]
    Over,
    /// Whoever gave the tokens gives no more.
    #[error("the last one is no longer good ({0})")]
    Ended(String),
    /// The server takes the token for none, though it is new.
    #[error("it does not take the token of the last one")]
    Refused,
    /// The server wants a token that is good for more.
    #[error("it asks for more than the last one permits ({})", text(.0))]
    Scopes(Scopes),
    /// What is kept of the last one cannot be read.
    #[error("what is kept of the last one cannot be read")]
    Damaged,
}

fn shown(scopes: &Scopes) -> String {
    if scopes.is_empty() { String::new() } else { format!(", though the login asked for {}", text(scopes)) }
}

impl NoToken {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Denied { server, .. } => format!("ask whoever runs `{server}` for the permission"),
            Self::LoginNeeded { server, .. } => format!("run `switchboard server login {}`", quoted(server)),
            Self::Away { .. } => "try again in a moment".to_owned(),
        }
    }
}
