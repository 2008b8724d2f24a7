//! What is answered to one message, as a function from bytes to bytes.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Lie, Options, tools};

/// One call of so many is answered by a lie.
const LIES: u64 = 7;

/// What a message was, for the transport that it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It wants no answer.
    Nothing,
    /// It opens a session.
    Opening,
    /// It calls a tool: this is what may be slow.
    Call,
    /// It is about the server itself, and knows no session.
    Stateless,
    /// It is anything else that has an answer.
    Other,
    /// It is no message.
    Broken,
}

/// The server behind every transport.
#[derive(Debug)]
pub struct Server {
    /// What it was told.
    pub options: Options,
    tools: String,
    calls: AtomicU64,
}

#[derive(Deserialize)]
struct Message<'m> {
    #[serde(borrow, default)]
    id: Option<&'m RawValue>,
    #[serde(borrow, default)]
    method: Cow<'m, str>,
    #[serde(borrow, default)]
    params: Params<'m>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Params<'m> {
    #[serde(borrow)]
    name: Cow<'m, str>,
    #[serde(borrow)]
    arguments: Arguments<'m>,
    #[serde(borrow, rename = "protocolVersion")]
    version: Option<&'m RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Meta<'m>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Arguments<'m> {
    #[serde(borrow)]
    text: Option<&'m RawValue>,
    #[serde(borrow)]
    mark: Option<&'m RawValue>,
    bytes: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta<'m> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'m RawValue>,
}

/// What a result has in the era without sessions beside its content.
const MODERN: &str = r#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"echo","version":"1.0.0"}},"#;

/// What lists have beside that.
const CACHE: &str = r#""ttlMs":60000,"cacheScope":"public","#;

impl Server {
    /// Returns a server that nobody has asked anything yet.
    pub fn new(options: Options) -> Self {
        Self { tools: tools::list(&options), options, calls: AtomicU64::new(0) }
    }

    /// Appends the answer to `message`, without a line end, and returns what the message was.
    pub fn answer(&self, message: &[u8], into: &mut Vec<u8>) -> Kind {
        let Ok(message) = serde_json::from_slice::<Message<'_>>(message) else { return Kind::Broken };
        let Some(id) = message.id.map(RawValue::get).filter(|_| !message.method.is_empty()) else {
            return Kind::Nothing;
        };
        let is_modern = message.params.meta.version.is_some() && !self.options.legacy;
        let era = if is_modern { MODERN } else { "" };
        let cache = if is_modern { CACHE } else { "" };
        let result = |into: &mut Vec<u8>, parts: &[&str]| {
            for part in ["{\"jsonrpc\":\"2.0\",\"id\":", id, ",\"result\":{", era] {
                into.extend_from_slice(part.as_bytes());
            }
            for part in parts {
                into.extend_from_slice(part.as_bytes());
            }
            if into.last() == Some(&b',') {
                into.pop();
            }
            into.extend_from_slice(b"}}");
        };
        match &*message.method {
            "tools/call" => self.call(id, &message.params, era, into),
            "tools/list" => {
                result(into, &[cache, "\"tools\":[", &self.tools, "]"]);
                if is_modern { Kind::Stateless } else { Kind::Other }
            }
            "initialize" => {
                let version = message.params.version.map_or("\"2025-11-25\"", RawValue::get);
                let version = if version.contains("2026") { "\"2025-11-25\"" } else { version };
                let rest = ",\"capabilities\":{\"tools\":{\"listChanged\":true}},\"serverInfo\":{\"name\":\"echo\",\"version\":\"1.0.0\"}";
                result(into, &["\"protocolVersion\":", version, rest]);
                Kind::Opening
            }
            "server/discover" if !self.options.legacy => {
                let versions =
                    "\"supportedVersions\":[\"2026-07-28\",\"2025-11-25\"],\"capabilities\":{\"tools\":{}}";
                result(into, &[CACHE, versions]);
                Kind::Stateless
            }
            "ping" => {
                result(into, &[]);
                Kind::Other
            }
            _ => {
                error(id, -32601, "there is no such method", into);
                Kind::Other
            }
        }
    }

    fn call(&self, id: &str, params: &Params<'_>, era: &str, into: &mut Vec<u8>) -> Kind {
        // Only a liar counts.
        let lie = self.options.lie.filter(|_| self.calls.fetch_add(1, Ordering::Relaxed) % LIES == LIES - 1);
        if lie == Some(Lie::Error) {
            error(id, -32603, "not this time", into);
            return Kind::Call;
        }
        let id = if lie == Some(Lie::Id) { "\"another\"" } else { id };
        let begin = |into: &mut Vec<u8>| {
            for part in [
                "{\"jsonrpc\":\"2.0\",\"id\":",
                id,
                ",\"result\":{",
                era,
                "\"content\":[{\"type\":\"text\",\"text\":",
            ] {
                into.extend_from_slice(part.as_bytes());
            }
        };
        match &*params.name {
            "echo" => {
                begin(into);
                let text = params.arguments.text.map_or("\"\"", RawValue::get);
                into.extend_from_slice(if lie == Some(Lie::Text) { "\"another\"" } else { text }.as_bytes());
            }
            "big" => {
                begin(into);
                let mark = params.arguments.mark.map_or("\"\"", RawValue::get);
                let bytes = params.arguments.bytes - usize::from(lie == Some(Lie::Size));
                let fill = bytes.saturating_sub(mark.len() - 2);
                into.extend_from_slice(mark.trim_end_matches('"').as_bytes());
                into.resize(into.len() + fill, b'x');
                into.push(b'"');
            }
            _ => {
                error(id, -32602, "there is no such tool", into);
                return Kind::Call;
            }
        }
        into.extend_from_slice(b"}]}}");
        Kind::Call
    }
}

fn error(id: &str, code: i32, why: &str, into: &mut Vec<u8>) {
    let text =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":\"{why}\"}}}}");
    into.extend_from_slice(text.as_bytes());
}
