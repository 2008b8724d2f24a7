//! The end of the pipes at which a played server hears and speaks.

use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

/// The server's end of its pipes.
pub(crate) struct Wire {
    input: BufReader<DuplexStream>,
    /// What was read of a line whose end has not come.
    line: Vec<u8>,
    output: DuplexStream,
    errors: DuplexStream,
}

/// One message that a played server heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// The line, as it came.
    pub(crate) line: String,
    /// Its id as it was written; empty for none.
    pub(crate) id: String,
    /// Its method; empty for an answer.
    pub(crate) method: String,
    /// The tool of a call.
    pub(crate) tool: String,
    /// The arguments of a call, as they were written.
    pub(crate) arguments: String,
    /// The token of a call, as it was written.
    pub(crate) token: String,
}

/// A member that says `null` is there.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    serde::Deserialize::deserialize(from).map(Some)
}

impl Heard {
    /// Reads a message.
    pub(crate) fn read(line: String) -> Self {
        #[derive(serde::Deserialize)]
        struct Message<'m> {
            #[serde(borrow, default)]
            id: Option<&'m RawValue>,
            #[serde(default)]
            method: String,
            #[serde(borrow, default)]
            params: Option<Params<'m>>,
        }
        #[derive(Default, serde::Deserialize)]
        struct Params<'m> {
            #[serde(default)]
            name: String,
            #[serde(borrow, default, deserialize_with = "present")]
            arguments: Option<&'m RawValue>,
            #[serde(borrow, default, rename = "_meta")]
            meta: Option<Meta<'m>>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Meta<'m> {
            #[serde(borrow, default)]
            progress_token: Option<&'m RawValue>,
        }
        let message: Message<'_> =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let own = |raw: Option<&RawValue>| raw.map_or_else(String::new, |raw| raw.get().to_owned());
        let params = message.params.unwrap_or_default();
        Self {
            id: own(message.id),
            method: message.method,
            tool: params.name,
            arguments: own(params.arguments),
            token: own(params.meta.and_then(|meta| meta.progress_token)),
            line,
        }
    }

    /// Returns the answer with this result.
    pub(crate) fn result(&self, result: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id)
    }

    /// Returns the answer with this error.
    pub(crate) fn error(&self, error: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, self.id)
    }

    /// Returns the answer to a call, which says this text.
    pub(crate) fn says(&self, text: &str) -> String {
        self.result(&format!(r#"{{"content":[{{"type":"text","text":{}}}]}}"#, serde_json::json!(text)))
    }
}

impl Wire {
    /// Returns the end of these pipes.
    pub(super) fn new(input: DuplexStream, output: DuplexStream, errors: DuplexStream) -> Self {
        Self { input: BufReader::new(input), line: Vec::new(), output, errors }
    }

    /// Waits for the next message; nothing once the other end is closed. Whoever stops waiting loses nothing.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        self.input.read_until(b'\n', &mut self.line).await.ok()?;
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return None;
        }
        Some(Heard::read(String::from_utf8(line).expect("UTF-8").trim_end().to_owned()))
    }

    /// Says one line, if anybody hears it.
    pub(crate) async fn say(&mut self, line: impl AsRef<[u8]>) {
        let mut line = line.as_ref().to_vec();
        line.push(b'\n');
        self.say_bytes(&line).await;
    }

    /// Says these bytes, which may be no line.
    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.output.write_all(bytes).await;
    }

    /// Says something on standard error.
    pub(crate) async fn complain(&mut self, bytes: &[u8]) {
        let _ = self.errors.write_all(bytes).await;
    }

    /// Closes its output, and nothing else.
    pub(crate) fn fall_silent(&mut self) {
        let (nothing, _) = tokio::io::duplex(1);
        self.output = nothing;
    }

    /// Closes its input, and nothing else.
    pub(crate) fn deafen(&mut self) {
        let (_, nothing) = tokio::io::duplex(1);
        self.input = BufReader::new(nothing);
    }

    /// Answers what every server is asked first, and lists these tools; returns what it does not answer.
    pub(crate) async fn ordinary(&mut self, tools: &[&str]) -> Option<Heard> {
        loop {
            let heard = self.hear().await?;
            if heard.method == "notifications/initialized" {
                continue;
            }
            let Some(answer) = ordinary(&heard, tools) else { return Some(heard) };
            self.say(answer).await;
        }
    }

    /// Answers what every server is asked first, up to its list of these tools.
    pub(crate) async fn comes_up(&mut self, tools: &[&str]) {
        while let Some(heard) = self.hear().await {
            if let Some(answer) = ordinary(&heard, tools) {
                self.say(answer).await;
            }
            if heard.method == "tools/list" {
                return;
            }
        }
    }

    /// Answers calls until its end: a call of any tool says `text`.
    pub(crate) async fn answers(mut self, tools: &[&str], text: &str) {
        while let Some(heard) = self.ordinary(tools).await {
            if heard.method == "tools/call" {
                self.say(heard.says(text)).await;
            }
        }
    }
}

/// Returns what an ordinary server with sessions answers to what every server is asked.
pub(crate) fn ordinary(heard: &Heard, tools: &[&str]) -> Option<String> {
    Some(match heard.method.as_str() {
        "server/discover" => heard.error(r#"{"code":-32601,"message":"no such method"}"#),
        "initialize" => heard.result(GREETING),
        "tools/list" => heard.result(&list(tools)),
        "ping" | "logging/setLevel" => heard.result("{}"),
        _ => return None,
    })
}

/// What an ordinary server answers to `initialize`.
const GREETING: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"played","version":"1"}}"#;

/// Returns the list of tools of these names.
pub(crate) fn list(tools: &[&str]) -> String {
    let tool = |name: &&str| format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
    format!(r#"{{"tools":[{}]}}"#, tools.iter().map(tool).collect::<Vec<_>>().join(","))
}
