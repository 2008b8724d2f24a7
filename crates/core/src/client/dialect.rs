//! How one client writes servers down: where in its file they stand, and how it spells each of the six core fields.
//!
//! A [`Dialect`] is plain data, one per client (see [`super::known`]). Its functions turn an entry of a client's
//! file into a [`Launch`] and back, over [`Value`]s and without knowledge of files:
//!
//! ```
//! use switchboard_core::client::dialect::{MAP_JSON, apply};
//! use switchboard_core::launch::Launch;
//! use switchboard_core::value::Value;
//!
//! let mut entry = MAP_JSON.fresh_entry("time", &Launch::stdio("uvx", ["mcp-server-time"]))?;
//! let remote = Launch::http("https://time.example/mcp");
//! let changes = MAP_JSON.write_entry(&remote, Some(&entry))?;
//! apply(&mut entry, &changes);
//! assert_eq!(entry.get("command"), None);
//! assert_eq!(MAP_JSON.read_entry(&entry)?.launch, remote);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base;
mod draft;
mod field;
mod header;
mod read;
mod variables;
mod write;

pub use base::*;
pub use field::{FieldChange, KeyPath, apply};
pub use read::{Entry, EntryProblem};
pub use variables::{Note, Syntax, Variables, header_to_ours, to_ours, without_default};
pub use write::Unspeakable;

use crate::document::Format;
use crate::launch::{Launch, Remote};
use crate::value::Value;
use field::at;

/// How one client writes servers down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// How the file is written, as strictly as the client itself reads it.
    pub format: Format,
    /// Where servers may stand. Keys are literal: a dot is a part of one. The first is used where none exists.
    pub containers: &'static [KeyPath],
    /// Further containers in the same file, one per project; `*` stands for any key.
    pub sections: &'static [KeyPath],
    /// Lists elsewhere in the file that name the entries which the client uses, or does not.
    pub name_lists: &'static [NameList],
    /// How a container holds its entries.
    pub shape: Shape,
    /// How an entry is spelt.
    pub spelling: Spelling,
}

/// How a container holds its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A map from alias to entry.
    Map,
    /// A list of entries that carry their alias themselves.
    Items {
        /// The key that holds the alias.
        name_key: &'static str,
    },
}

/// A list that decides by name which entries a client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameList {
    /// Where it stands; `*` stands for the project whose entries it is about.
    pub path: KeyPath,
    /// What becomes of the entries that it names.
    pub names: Names,
}

/// What becomes of the entries that a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// They are used, and no others.
    Used,
    /// They are not used.
    Hidden,
}

/// How a client spells the core fields of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The key of the program.
    pub command: &'static str,
    /// Whether the program is a text or a list together with its arguments.
    pub hand: Hand,
    /// The key of the arguments.
    pub args: &'static str,
    /// The key of the variables.
    pub env: &'static str,
    /// The key of the working folder, where the client is known to have one. `cwd` is understood everywhere.
    pub cwd: Option<&'static str>,
    /// The client also reads `command: { path, args, env }` (old Zed).
    pub nested_command: bool,
    /// How the transport is named.
    pub kind: Kind,
    /// The key of the address.
    pub url: KeyPath,
    /// The key of a Streamable HTTP address, where that has one of its own.
    pub http_url: Option<KeyPath>,
    /// Keys under which the client accepts an address too.
    pub other_urls: &'static [KeyPath],
    /// What an address means where nothing names the transport.
    pub bare: Remote,
    /// The key of the headers.
    pub headers: KeyPath,
    /// Keys under which the client accepts headers too.
    pub other_headers: &'static [KeyPath],
    /// How headers are written.
    pub header_hand: HeaderHand,
    /// Keys beside those for headers whose values come from variables, where the client has such.
    pub env_headers: Option<EnvHeaders>,
    /// Headers that the client does not take as plain text; lower case.
    pub refused_headers: &'static [&'static str],
    /// Whether an entry may name a Streamable HTTP address.
    pub http: Support,
    /// Whether an entry may name an HTTP+SSE address.
    pub sse: Support,
    /// What turns an entry off.
    pub switches: &'static [Switch],
    /// What a new entry needs beside the core fields.
    pub extras: &'static [(&'static str, Extra)],
    /// What tells entries that are no MCP servers and must be left alone.
    pub not_servers: NotServers,
    /// Keys beside which the client refuses a command.
    pub fatal_with_stdio: &'static [&'static str],
    /// Keys beside which the client refuses an address.
    pub fatal_with_url: &'static [&'static str],
}

/// Whether the program is a text or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// A text; the arguments stand under their own key.
    Text,
    /// A list: the program, then its arguments.
    List,
    /// Either; a new entry gets a text.
    Either,
}

/// How headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderHand {
    /// A map from name to value.
    Map,
    /// A list of texts, `Name: value` each.
    Lines,
}

/// Keys for headers whose values come from variables, for a client that has no references within texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvHeaders {
    /// The name of the variable that holds a bearer token: `Authorization` is `Bearer ${env:NAME}`.
    pub bearer: &'static str,
    /// A map from headers to the names of the variables that hold their values.
    pub map: &'static str,
}

/// How the transport is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The key that names it.
    pub key: KeyPath,
    /// When it must be named.
    pub say: Say,
    /// What stands there for a child process; `None` where only addresses have it.
    pub stdio: Option<&'static str>,
    /// What stands there for Streamable HTTP.
    pub http: &'static str,
    /// What stands there for HTTP+SSE.
    pub sse: &'static str,
}

/// When an entry must name its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// In every entry.
    Always,
    /// In every entry with an address.
    ForUrls,
    /// Only where the entry would be taken for another transport without it.
    WhenNeeded,
    /// Never: the client does not look at it.
    Never,
}

/// Whether a client can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// Nobody knows; treated as if it could.
    Unknown,
}

/// A key that turns an entry off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The key.
    pub key: &'static str,
    /// The value with which the entry is off.
    pub off: bool,
}

/// The value of a field that a new entry needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The alias of the entry.
    Alias,
    /// A text.
    Text(&'static str),
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    Texts(&'static [&'static str]),
}

/// What tells entries that are no MCP servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotServers {
    /// Values of the transport's key.
    pub kinds: &'static [&'static str],
    /// Keys that only such entries have.
    pub keys: &'static [&'static str],
}

impl Dialect {
    /// Returns the container of a document: the most specific one that exists, else the first.
    ///
    /// So the layout found is kept (opencode has two). A server that is itself called like a part of a container's
    /// path is not taken for it.
    pub fn container(&self, root: Option<&Value>) -> KeyPath {
        let exists = |path: &&KeyPath| {
            root.and_then(|root| at(root, path)).is_some_and(|value| match self.shape {
                Shape::Map => matches!(value, Value::Map(_)) && self.read_entry(value).is_err(),
                Shape::Items { .. } => matches!(value, Value::List(_)),
            })
        };
        // The first of the longest: `max_by_key` alone would give the last.
        let found = self.containers.iter().filter(exists).rev().max_by_key(|path| path.len());
        found.or(self.containers.first()).copied().unwrap_or_default()
    }

    /// Returns what the client understands when it is told `launch`.
    ///
    /// The same, except that some clients try both remote transports and cannot be told which it is: there it is
    /// always [`Remote::Http`]. Compare with this, not with `launch`, to see whether an entry is up to date.
    #[must_use]
    pub fn heard(&self, launch: &Launch) -> Launch {
        match launch {
            Launch::Remote { kind: Remote::Sse, url, headers } if !self.tells_remotes_apart() => {
                Launch::Remote { kind: Remote::Http, url: url.clone(), headers: headers.clone() }
            }
            launch => launch.clone(),
        }
    }

    /// Returns whether an entry can say which of the two remote transports it means.
    pub fn tells_remotes_apart(&self) -> bool {
        let Spelling { kind, http_url, .. } = &self.spelling;
        http_url.is_some() || (kind.say != Say::Never && kind.http != kind.sse)
    }
}

#[cfg(test)]
mod tests;
