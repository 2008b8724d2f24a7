//! What another switchboard says, read with care: whatever is not exactly of the right shape is garbage.

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest version, hash or sentence that is taken.
const LONGEST_TEXT: usize = 2_000;

/// One revision of the other side, as far as it has been told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct News {
    /// The version as the other side writes it.
    pub(super) version: String,
    /// The revision: the version's middle number.
    #[serde(skip)]
    pub(super) number: u64,
    /// The hash over what it says.
    pub(super) hash: String,
    /// What changed, as a sentence; empty where that was not told.
    pub(super) reason: String,
    /// The servers concerned.
    pub(super) changed_servers: Vec<String>,
    /// The servers, in the usual form; `None` where only the version was told.
    #[serde(skip)]
    pub(super) servers: Option<Map<String, Value>>,
    /// How many there are.
    #[serde(skip)]
    pub(super) count: usize,
    /// What names exactly this answer, for the next question.
    #[serde(skip)]
    pub(super) etag: Option<String>,
}

/// Why an answer is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Garbage {
    #[error("it is not JSON")]
    NotJson,
    #[error("it has no `{0}`")]
    Missing(&'static str),
    #[error("its `{0}` is not what belongs there")]
    Wrong(&'static str),
}

impl News {
    /// Reads the data of an event `config_updated`.
    ///
    /// # Errors
    /// It is not one.
    pub(super) fn of_event(data: &[u8]) -> Result<Self, Garbage> {
        let mut body = object(data)?;
        let mut config = match body.remove("new_config") {
            Some(Value::Object(config)) => config,
            Some(_) => return Err(Garbage::Wrong("new_config")),
            None => return Err(Garbage::Missing("new_config")),
        };
        let servers = servers(&mut config)?;
        Self::read(&body, Some(servers), None)
    }

    /// Reads the answer of the version route.
    ///
    /// # Errors
    /// It is not one.
    pub(super) fn of_version(data: &[u8]) -> Result<Self, Garbage> {
        Self::read(&object(data)?, None, None)
    }

    /// Reads the answer of the config route.
    ///
    /// # Errors
    /// It is not one.
    pub(super) fn of_config(data: &[u8], etag: Option<String>) -> Result<Self, Garbage> {
        let mut body = object(data)?;
        let servers = servers(&mut body)?;
        Self::read(&body, Some(servers), etag)
    }

    /// Returns the revision as the data of an event, as a switchboard says it.
    pub(super) fn to_json(&self) -> Value {
        let mut event = serde_json::json!(self);
        if let Some(servers) = &self.servers {
            event["new_config"] = serde_json::json!({ "mcpServers": servers });
        }
        event
    }

    fn read(
        body: &Map<String, Value>,
        servers: Option<Map<String, Value>>,
        etag: Option<String>,
    ) -> Result<Self, Garbage> {
        let version = text(body, "version")?;
        let number = number(&version).ok_or(Garbage::Wrong("version"))?;
        let hash = text(body, "hash")?;
        let reason = if body.contains_key("reason") { text(body, "reason")? } else { String::new() };
        let changed = match body.get("changed_servers") {
            None => Vec::new(),
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map(str::to_owned).ok_or(Garbage::Wrong("changed_servers")))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(Garbage::Wrong("changed_servers")),
        };
        let count = match (&servers, body.get("servers_count")) {
            (Some(servers), _) => servers.len(),
            (None, Some(count)) => count
                .as_u64()
                .and_then(|count| usize::try_from(count).ok())
                .ok_or(Garbage::Wrong("servers_count"))?,
            (None, None) => return Err(Garbage::Missing("servers_count")),
        };
        Ok(Self { version, number, hash, reason, changed_servers: changed, servers, count, etag })
    }
}

fn object(data: &[u8]) -> Result<Map<String, Value>, Garbage> {
    match serde_json::from_slice(data) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(Garbage::NotJson),
    }
}

fn servers(body: &mut Map<String, Value>) -> Result<Map<String, Value>, Garbage> {
    match body.remove("mcpServers") {
        Some(Value::Object(servers)) if servers.values().all(Value::is_object) => Ok(servers),
        Some(_) => Err(Garbage::Wrong("mcpServers")),
        None => Err(Garbage::Missing("mcpServers")),
    }
}

fn text(body: &Map<String, Value>, key: &'static str) -> Result<String, Garbage> {
    match body.get(key) {
        Some(Value::String(text))
            if text.len() <= LONGEST_TEXT && !text.contains('\0') && (key == "reason" || is_plain(text)) =>
        {
            Ok(text.clone())
        }
        Some(_) => Err(Garbage::Wrong(key)),
        None => Err(Garbage::Missing(key)),
    }
}

/// What is kept and sent back must be able to stand in a header.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the middle number of `1.42.0`.
fn number(version: &str) -> Option<u64> {
    let parts: Vec<u64> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    match parts.as_slice() {
        [_, number, _] => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"version":"1.42.0","hash":"sha256:a","reason":"server 'npm' added",
        "changed_servers":["npm"],"new_config":{"mcpServers":{"npm":{"command":"npx"}}}}"#;

    #[test]
    fn what_is_of_the_right_shape_is_taken() {
        let news = News::of_event(EVENT.as_bytes()).unwrap();
        assert_eq!((news.number, news.count, &*news.changed_servers), (42, 1, &["npm".to_owned()][..]));
        // What a program is given is what came, without anything of ours.
        assert_eq!(news.to_json(), serde_json::from_str::<Value>(EVENT).unwrap());

        let version = br#"{"version":"1.7.0","hash":"h","last_modified":"x","servers_count":0}"#;
        let version = News::of_version(version).unwrap();
        assert_eq!((version.number, version.count, version.servers), (7, 0, None));
        let config = br#"{"version":"1.7.0","hash":"h","mcpServers":{}}"#;
        assert_eq!(News::of_config(config, Some("e".to_owned())).unwrap().count, 0);
    }

    #[test]
    fn whatever_is_not_is_garbage() {
        use Garbage::{Missing, NotJson, Wrong};
        for (from, to, garbage) in [
            (r"}}}}", r"}}}", NotJson),
            (EVENT, "[]", NotJson),
            (EVENT, "", NotJson),
            (EVENT, "null", NotJson),
            (r#""version":"1.42.0","#, "", Missing("version")),
            ("\"1.42.0\"", "42", Wrong("version")),
            ("1.42.0", "1.42", Wrong("version")),
            ("1.42.0", "1.-2.0", Wrong("version")),
            ("sha256:a", "a\\r\\nb: c", Wrong("hash")),
            ("sha256:a", "", Wrong("hash")),
            (r#"["npm"]"#, "[1]", Wrong("changed_servers")),
            (r#"["npm"]"#, "\"npm\"", Wrong("changed_servers")),
            (r#""server 'npm' added""#, "{}", Wrong("reason")),
            (r#"{"mcpServers":{"npm":{"command":"npx"}}}"#, "{}", Missing("mcpServers")),
            (r#"{"mcpServers":{"npm":{"command":"npx"}}}"#, "[]", Wrong("new_config")),
            (r#"{"npm":{"command":"npx"}}"#, "[]", Wrong("mcpServers")),
            (r#"{"command":"npx"}"#, "null", Wrong("mcpServers")),
        ] {
            assert!(EVENT.contains(from), "{from}");
            assert_eq!(News::of_event(EVENT.replace(from, to).as_bytes()), Err(garbage), "{from} -> {to}");
        }
        let negative = br#"{"version":"1.7.0","hash":"h","servers_count":-1}"#;
        assert_eq!(News::of_version(negative), Err(Wrong("servers_count")));
        assert_eq!(News::of_version(br#"{"version":"1.7.0","hash":"h"}"#), Err(Missing("servers_count")));
    }
}
