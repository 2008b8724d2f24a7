//! An entry of a client's file, read into what it launches.

use std::collections::BTreeMap;

use super::field::{KeyPath, at, says_something};
use super::{Dialect, Say, Shape, Spelling};
use crate::launch::{Launch, Remote};
use crate::value::Value;

/// Keys that name the transport in one client or another.
pub(super) const KIND_KEYS: &[KeyPath] = &[&["type"], &["transport"], &["transportType"]];

/// Keys that hold an address in one client or another.
const URL_KEYS: &[KeyPath] = &[&["url"], &["serverUrl"], &["httpUrl"], &["httpURL"], &["baseUrl"], &["uri"]];

/// Keys whose address is Streamable HTTP whatever else the entry says.
const HTTP_ONLY: &[KeyPath] = &[&["httpUrl"], &["httpURL"]];

/// What an entry of a client's file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it launches. References stand here as the client spells them (see [`super::to_ours`]).
    pub launch: Launch,
    /// Whether the client uses it.
    pub enabled: bool,
    /// The keys that we do not read, in the order of the text.
    pub foreign: Vec<String>,
}

/// Why an entry gives no launch data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryProblem {
    /// It is no MCP server (a built-in extension, settings of one, a bare switch): nothing to say about it.
    #[error("the entry is not an MCP server")]
    NotAServer,
    /// It is meant as a server but cannot be one.
    #[error("{what}")]
    Malformed {
        /// What is wrong, with the key in backticks.
        what: String,
    },
}

/// What a transport's name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A child process.
    Stdio,
    /// An address of this transport.
    Remote(Remote),
    /// An address; the client finds out which transport it speaks.
    AnyRemote,
}

impl Meaning {
    /// Returns what `name` means in any of the known clients.
    pub(super) fn of(name: &str) -> Option<Self> {
        let plain: String =
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        match plain.as_str() {
            "stdio" | "local" | "command" => Some(Self::Stdio),
            "http" | "streamablehttp" => Some(Self::Remote(Remote::Http)),
            "sse" => Some(Self::Remote(Remote::Sse)),
            "remote" => Some(Self::AnyRemote),
            _ => None,
        }
    }
}

pub(super) fn malformed(what: impl Into<String>) -> EntryProblem {
    EntryProblem::Malformed { what: what.into() }
}

pub(super) fn wrong_kind(path: &[&str], found: &Value, wanted: &str) -> EntryProblem {
    malformed(format!("`{}` is {}, not {wanted}", path.join("."), found.kind()))
}

impl Dialect {
    /// Reads an entry.
    ///
    /// The client's own spelling comes first; other clients' spellings of transport, address and headers are
    /// understood where the own ones are missing. Numbers and booleans among arguments and variables count as they
    /// are spelt.
    ///
    /// # Errors
    /// [`EntryProblem::NotAServer`] for entries to pass over in silence, [`EntryProblem::Malformed`] for those that
    /// a person should look at.
    pub fn read_entry(&self, entry: &Value) -> Result<Entry, EntryProblem> {
        let Value::Map(members) = entry else {
            return Err(malformed(format!("the entry is {}, not a map", entry.kind())));
        };
        let spelling = &self.spelling;
        if spelling.is_no_server(entry) {
            return Err(EntryProblem::NotAServer);
        }
        let launch = match self.meaning(entry)? {
            Some(Meaning::Stdio) => spelling.read_stdio(entry)?,
            Some(meaning) => self.read_remote(entry, meaning)?,
            None => return Err(spelling.neither(entry)),
        };
        let foreign = members.iter().filter(|(key, value)| !self.reads(entry, key, value));
        let foreign = foreign.map(|(key, _)| key.clone()).collect();
        Ok(Entry { launch, enabled: spelling.is_enabled(entry), foreign })
    }

    /// Returns which transport the entry means: by name, else by what it has; `None` when it has nothing.
    fn meaning(&self, entry: &Value) -> Result<Option<Meaning>, EntryProblem> {
        let spelling = &self.spelling;
        if let Some((_, meaning)) = spelling.named_kind(entry)? {
            return Ok(Some(meaning));
        }
        if says_something(entry.get(spelling.command)) {
            return Ok(Some(Meaning::Stdio));
        }
        Ok(spelling.url_key(entry).map(|_| Meaning::AnyRemote))
    }

    fn read_remote(&self, entry: &Value, meaning: Meaning) -> Result<Launch, EntryProblem> {
        let spelling = &self.spelling;
        let Some(key) = spelling.url_key(entry) else {
            return Err(malformed(format!("`{}` is missing", spelling.url.join("."))));
        };
        let url = match at(entry, key) {
            Some(Value::Text(url)) => url.clone(),
            Some(other) => return Err(wrong_kind(key, other, "a text")),
            None => String::new(),
        };
        let kind = match meaning {
            _ if !self.tells_remotes_apart() || spelling.is_http_only(key) => Remote::Http,
            Meaning::Remote(kind) => kind,
            _ => spelling.bare,
        };
        Ok(Launch::Remote { kind, url, headers: spelling.read_headers(entry)? })
    }

    /// Returns whether reading the entry looked at this member.
    fn reads(&self, entry: &Value, key: &str, value: &Value) -> bool {
        let spelling = &self.spelling;
        let name_key = match self.shape {
            Shape::Items { name_key } => Some(name_key),
            Shape::Map => None,
        };
        let kind_key = spelling.named_kind(entry).ok().flatten().map(|(key, _)| key);
        let paths = [kind_key, spelling.url_key(entry), spelling.headers_key(entry)];
        let ours: Vec<KeyPath> = paths.into_iter().flatten().collect();
        [spelling.command, spelling.args, spelling.env].contains(&key)
            || spelling.cwd_key(entry) == key
            || Some(key) == name_key
            || spelling.switches.iter().any(|switch| switch.key == key)
            || spelling.kind.key == [key]
            || ours.contains(&[key].as_slice())
            || spelling.env_headers.is_some_and(|keys| keys.bearer == key || keys.map == key)
            || is_all_ours(&ours, key, value)
    }
}

/// Returns whether every member of the map under `key` is one of `ours`.
fn is_all_ours(ours: &[KeyPath], key: &str, value: &Value) -> bool {
    let Value::Map(members) = value else { return false };
    !members.is_empty() && members.iter().all(|(inner, _)| ours.contains(&[key, inner.as_str()].as_slice()))
}

impl Spelling {
    fn is_no_server(&self, entry: &Value) -> bool {
        let kind = at(entry, self.kind.key).and_then(Value::as_text);
        kind.is_some_and(|kind| self.not_servers.kinds.contains(&kind))
            || self.not_servers.keys.iter().any(|key| entry.get(key).is_some())
    }

    fn is_enabled(&self, entry: &Value) -> bool {
        !self.switches.iter().any(|switch| entry.get(switch.key) == Some(&Value::Bool(switch.off)))
    }

    /// Returns the problem of an entry that has neither a command nor an address.
    fn neither(&self, entry: &Value) -> EntryProblem {
        let started = [self.args, self.env].iter().any(|key| says_something(entry.get(key)))
            || self.headers_key(entry).is_some_and(|key| says_something(at(entry, key)));
        if started {
            malformed(format!("neither `{}` nor `{}` is there", self.command, self.url.join(".")))
        } else {
            EntryProblem::NotAServer
        }
    }

    /// Returns the key that names the transport, and what it means there.
    pub(super) fn named_kind(&self, entry: &Value) -> Result<Option<(KeyPath, Meaning)>, EntryProblem> {
        if self.kind.say == Say::Never {
            return Ok(None);
        }
        let own = at(entry, self.kind.key).filter(|value| says_something(Some(value)));
        if let Some(value) = own {
            match value.as_text().map(|name| (name, Meaning::of(name))) {
                Some((_, Some(meaning))) => return Ok(Some((self.kind.key, meaning))),
                // A client that does not ask for a transport's name may keep something else under that key.
                _ if self.kind.say == Say::WhenNeeded => {}
                Some((name, None)) => {
                    let key = self.kind.key.join(".");
                    return Err(malformed(format!(
                        "`{key}` is `{name}`, which is no transport that we know"
                    )));
                }
                None => return Err(wrong_kind(self.kind.key, value, "a text")),
            }
        }
        Ok(KIND_KEYS.iter().find_map(|&key| Some((key, meaning_at(entry, key)?))))
    }

    /// Returns the key that holds the address: an own one that says something, else another client's.
    pub(super) fn url_key(&self, entry: &Value) -> Option<KeyPath> {
        let own = self.own_url_keys().find(|key| says_something(at(entry, key)));
        let is_text =
            |key: &KeyPath| at(entry, key).and_then(Value::as_text).is_some_and(|url| !url.is_empty());
        own.or_else(|| URL_KEYS.iter().copied().find(is_text))
    }

    /// Returns the keys under which the client itself reads an address, the most usual first.
    pub(super) fn own_url_keys(&self) -> impl Iterator<Item = KeyPath> {
        self.http_url.into_iter().chain([self.url]).chain(self.other_urls.iter().copied())
    }

    /// Returns whether an address under this key can only be Streamable HTTP.
    pub(super) fn is_http_only(&self, key: KeyPath) -> bool {
        self.http_url == Some(key) || HTTP_ONLY.contains(&key)
    }

    /// Returns the key that holds the headers: an own one that is there, else plain `headers`.
    pub(super) fn headers_key(&self, entry: &Value) -> Option<KeyPath> {
        let says = |key: &KeyPath| at(entry, key).is_some_and(|value| *value != Value::Null);
        let plain: KeyPath = &["headers"];
        self.own_header_keys().chain([plain]).find(says)
    }

    /// Returns the keys under which the client itself reads headers, the most usual first.
    pub(super) fn own_header_keys(&self) -> impl Iterator<Item = KeyPath> {
        [self.headers].into_iter().chain(self.other_headers.iter().copied())
    }

    fn cwd_key(&self, entry: &Value) -> &'static str {
        self.cwd.filter(|key| entry.get(key).is_some()).unwrap_or("cwd")
    }

    fn read_stdio(&self, entry: &Value) -> Result<Launch, EntryProblem> {
        let (command, args) = self.read_command(entry)?;
        let env = self.env_path(entry);
        let cwd_key = self.cwd_key(entry);
        let cwd = match entry.get(cwd_key) {
            None | Some(Value::Null) => None,
            Some(Value::Text(cwd)) => Some(cwd.clone()),
            Some(other) => return Err(wrong_kind(&[cwd_key], other, "a text")),
        };
        Ok(Launch::Stdio { command, args, env: read_texts_by_name(&env, at(entry, &env))?, cwd })
    }

    /// Returns the program and its arguments, however the entry spells them.
    pub(super) fn read_command(&self, entry: &Value) -> Result<(String, Vec<String>), EntryProblem> {
        let args_path = self.args_path(entry);
        let args = read_texts(&args_path, at(entry, &args_path))?;
        let path = self.command_path(entry);
        match at(entry, &path) {
            Some(Value::Text(command)) if !command.is_empty() => Ok((command.clone(), args)),
            Some(list @ Value::List(_)) => {
                let mut parts = read_texts(&path, Some(list))?.into_iter();
                let Some(command) = parts.next() else {
                    return Err(malformed(format!("`{}` is empty", path.join("."))));
                };
                Ok((command, parts.chain(args).collect()))
            }
            None | Some(Value::Null | Value::Text(_)) => {
                Err(malformed(format!("`{}` is missing", path.join("."))))
            }
            Some(other) => Err(wrong_kind(&path, other, "a text")),
        }
    }

    /// Returns whether this entry is written `command: { path, args, env }`.
    pub(super) fn is_nested(&self, entry: &Value) -> bool {
        self.nested_command && matches!(entry.get(self.command), Some(Value::Map(_)))
    }

    pub(super) fn command_path(&self, entry: &Value) -> Vec<&'static str> {
        if self.is_nested(entry) { vec![self.command, "path"] } else { vec![self.command] }
    }

    pub(super) fn args_path(&self, entry: &Value) -> Vec<&'static str> {
        if self.is_nested(entry) { vec![self.command, "args"] } else { vec![self.args] }
    }

    pub(super) fn env_path(&self, entry: &Value) -> Vec<&'static str> {
        if self.is_nested(entry) { vec![self.command, "env"] } else { vec![self.env] }
    }
}

/// Returns what the transport's name under this key means.
pub(super) fn meaning_at(entry: &Value, key: KeyPath) -> Option<Meaning> {
    at(entry, key).and_then(Value::as_text).and_then(Meaning::of)
}

/// Returns a text, a number or a boolean as it is spelt.
pub(super) fn spelt(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Reads a list of texts; nothing, null and empty values of any kind are an empty one.
pub(super) fn read_texts(path: &[&str], value: Option<&Value>) -> Result<Vec<String>, EntryProblem> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(empty) if !says_something(Some(empty)) => return Ok(Vec::new()),
        Some(Value::List(items)) => items,
        Some(other) => return Err(wrong_kind(path, other, "a list of texts")),
    };
    let read = |(at, item): (usize, &Value)| {
        spelt(item)
            .ok_or_else(|| malformed(format!("`{}[{at}]` is {}, not a text", path.join("."), item.kind())))
    };
    items.iter().enumerate().map(read).collect()
}

/// Reads a map of texts; nothing, null and empty values of any kind are an empty one. Members that are null count
/// as not there.
pub(super) fn read_texts_by_name(
    path: &[&str],
    value: Option<&Value>,
) -> Result<BTreeMap<String, String>, EntryProblem> {
    let members = match value {
        None => return Ok(BTreeMap::new()),
        Some(empty) if !says_something(Some(empty)) => return Ok(BTreeMap::new()),
        Some(Value::Map(members)) => members,
        Some(other) => return Err(wrong_kind(path, other, "a map of texts")),
    };
    let there = members.iter().filter(|(_, value)| *value != Value::Null);
    let read = |(name, value): &(String, Value)| match spelt(value) {
        Some(text) => Ok((name.clone(), text)),
        None => Err(malformed(format!("`{}.{name}` is {}, not a text", path.join("."), value.kind()))),
    };
    there.map(read).collect()
}
