//! How a server is started or reached: the data that makes two servers the same.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The two remote transports of MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remote {
    /// Streamable HTTP.
    Http,
    /// HTTP with server-sent events, the transport of protocol revision 2024-11-05.
    Sse,
}

/// How a server is started or reached, whoever's file says so.
///
/// References (`${env:NAME}` and the like) stand here unresolved.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Launch {
    /// A child process that speaks over its standard input and output.
    Stdio {
        /// The program: a name looked up in `PATH`, or a path.
        command: String,
        /// Its arguments. No shell is involved.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<String>,
        /// Variables set for it on top of the allow-listed environment.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        env: BTreeMap<String, String>,
        /// Its working directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cwd: Option<String>,
    },
    /// An HTTP endpoint.
    Remote {
        /// Which transport it speaks.
        kind: Remote,
        /// Its address.
        url: String,
        /// Headers sent with each request.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
}

impl Launch {
    /// Returns a child process without environment or working directory of its own.
    pub fn stdio<A: Into<String>>(command: impl Into<String>, args: impl IntoIterator<Item = A>) -> Self {
        Self::Stdio {
            command: command.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: None,
        }
    }

    /// Returns a Streamable HTTP endpoint without headers.
    pub fn http(url: impl Into<String>) -> Self {
        Self::Remote { kind: Remote::Http, url: url.into(), headers: BTreeMap::new() }
    }

    /// Returns whether both say the same in the six fields that are ours in a client's file. The working directory of
    /// an entry belongs to the client.
    pub fn same_fields(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Stdio { command, args, env, .. },
                Self::Stdio { command: other_command, args: other_args, env: other_env, .. },
            ) => command == other_command && args == other_args && env == other_env,
            _ => self == other,
        }
    }

    /// Returns the fingerprint over all of the launch data.
    ///
    /// Equal launch data gives an equal fingerprint whatever file, order of keys or spelling it came from. One changed
    /// byte of any field gives another.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        // Each part is preceded by its length, so that no two different lists of parts give the same bytes.
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        match self {
            Self::Stdio { command, args, env, cwd } => {
                part("stdio");
                part(command);
                part(&args.len().to_string());
                for arg in args {
                    part(arg);
                }
                part(&env.len().to_string());
                for (key, value) in env {
                    part(key);
                    part(value);
                }
                part(cwd.as_deref().map_or("", |_| "cwd"));
                part(cwd.as_deref().unwrap_or_default());
            }
            Self::Remote { kind, url, headers } => {
                part(match kind {
                    Remote::Http => "http",
                    Remote::Sse => "sse",
                });
                part(url);
                part(&headers.len().to_string());
                for (key, value) in headers {
                    part(&key.to_ascii_lowercase());
                    part(value);
                }
            }
        }
        Fingerprint(hash.finalize().into())
    }
}

/// Names and places, never values that may be secrets.
impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, args, env, cwd } => f
                .debug_struct("Stdio")
                .field("command", command)
                .field("args", &args.len())
                .field("env", &env.keys().collect::<Vec<_>>())
                .field("cwd", cwd)
                .finish(),
            Self::Remote { kind, headers, .. } => f
                .debug_struct("Remote")
                .field("kind", kind)
                .field("headers", &headers.keys().collect::<Vec<_>>())
                .finish_non_exhaustive(),
        }
    }
}

/// The SHA-256 over a server's launch data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
