//! What the transport must know of a message. The message itself is never printed anew.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The envelope of a JSON-RPC message.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// What params say that the transport repeats in headers.
#[derive(Deserialize, Default)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "taskId")]
    task: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "requestId")]
    request: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Cow<'a, str>>,
}

/// A line of the client's, as far as the transport reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The ids of the requests in it, as they are written; none for a notification or an answer.
    pub(super) ids: Vec<String>,
    /// The method; of a batch, none.
    pub(super) method: Option<String>,
    /// The revision of the protocol, in a message that names it itself: such a message belongs to no session.
    pub(super) version: Option<String>,
    /// What `Mcp-Name` repeats.
    pub(super) name: Option<String>,
    /// The id of the request that this notification cancels.
    pub(super) cancels: Option<String>,
}

/// Why a line is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAMessage {
    /// It is not JSON.
    Json,
    /// It is JSON, and neither an object nor a list of objects.
    Shape,
}

impl Message {
    /// Reads what the transport needs of a line.
    pub(super) fn read(line: &[u8]) -> Result<Self, NotAMessage> {
        match line.trim_ascii().first() {
            Some(b'{') => serde_json::from_slice(line).map(Self::of).map_err(|_| refusal(line)),
            Some(b'[') => match serde_json::from_slice::<Vec<Envelope<'_>>>(line) {
                Ok(batch) if !batch.is_empty() => Ok(Self {
                    ids: batch.into_iter().flat_map(|envelope| Self::of(envelope).ids).collect(),
                    ..Self::default()
                }),
                _ => Err(refusal(line)),
            },
            _ => Err(refusal(line)),
        }
    }

    fn of(envelope: Envelope<'_>) -> Self {
        let Some(method) = envelope.method else { return Self::default() };
        let params = envelope.params.and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok());
        let params = params.unwrap_or_default();
        let name = match &*method {
            "tools/call" | "prompts/get" => params.name,
            "resources/read" => params.uri,
            method if method.starts_with("tasks/") => params.task,
            _ => None,
        };
        let cancels = params.request.filter(|_| method == "notifications/cancelled");
        Self {
            ids: envelope.id.iter().map(|id| id.get().to_owned()).collect(),
            version: params.meta.and_then(|meta| meta.version).map(Cow::into_owned),
            name: name.map(Cow::into_owned),
            cancels: cancels.map(|id| id.get().to_owned()),
            method: Some(method.into_owned()),
        }
    }

    /// Says whether this is the request that begins a session.
    pub(super) fn begins_session(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }
}

fn refusal(line: &[u8]) -> NotAMessage {
    match serde_json::from_slice::<serde::de::IgnoredAny>(line) {
        Ok(_) => NotAMessage::Shape,
        Err(_) => NotAMessage::Json,
    }
}

/// Returns the ids that a message of the server's answers; `None` if it is not a message.
pub(super) fn answers(message: &[u8]) -> Option<Vec<String>> {
    let one = |envelope: Envelope<'_>| match envelope {
        Envelope { id: Some(id), method: None, .. } => Some(id.get().to_owned()),
        _ => None,
    };
    if message.trim_ascii().first() == Some(&b'[') {
        let batch = serde_json::from_slice::<Vec<Envelope<'_>>>(message).ok()?;
        return Some(batch.into_iter().filter_map(one).collect());
    }
    serde_json::from_slice(message).ok().map(|envelope| one(envelope).into_iter().collect())
}

/// Returns the revision that the answer to `initialize` settles on.
pub(super) fn settled_version(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        result: Settled,
    }
    #[derive(Deserialize)]
    struct Settled {
        #[serde(rename = "protocolVersion")]
        version: String,
    }
    serde_json::from_slice::<Answer>(answer).ok().map(|answer| answer.result.version)
}

/// Returns an error answer; `id` is raw JSON.
pub(super) fn error(id: &str, code: i32, sentence: &str) -> Vec<u8> {
    let sentence = serde_json::Value::from(sentence);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{sentence}}}}}"#).into_bytes()
}

/// Makes `message` one line. A line break inside of JSON stands between tokens, where a blank means the same.
pub(super) fn one_line(mut message: Vec<u8>) -> Vec<u8> {
    for byte in &mut message {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    message.truncate(message.trim_ascii_end().len());
    let blanks = message.len() - message.trim_ascii_start().len();
    message.drain(..blanks);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_transport_needs_is_read() {
        let message = Message::read(
            br#"{"jsonrpc":"2.0","id":"a\u0041","method":"tools\/call","x":1e999,"params":{"name":"n","s":"\ud800",
                "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        )
        .unwrap();
        assert_eq!(message.ids, [r#""a\u0041""#]);
        assert_eq!(message.method.as_deref(), Some("tools/call"));
        assert_eq!((message.version.as_deref(), message.name.as_deref()), (Some("2026-07-28"), Some("n")));

        let cancel = br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
        assert_eq!(Message::read(cancel).unwrap().cancels.as_deref(), Some("7"));
        let batch = br#"[{"id":1,"method":"a"},{"method":"b"},{"id":2,"result":{}}]"#;
        assert_eq!(Message::read(batch).unwrap().ids, ["1"]);
        assert_eq!(Message::read(br#"{"id":3,"result":null}"#), Ok(Message::default()));
        for (line, reason) in [
            (&b"hello"[..], NotAMessage::Json),
            (b"{", NotAMessage::Json),
            (b"{\"id\":1}x", NotAMessage::Json),
            (b"\xff", NotAMessage::Json),
            (b"7", NotAMessage::Shape),
            (b"[]", NotAMessage::Shape),
            (b"[1]", NotAMessage::Shape),
        ] {
            assert_eq!(Message::read(line), Err(reason), "{line:?}");
        }
    }

    #[test]
    fn answers_are_told_from_requests() {
        assert_eq!(answers(br#"{"id":1,"result":{}}"#), Some(vec!["1".to_owned()]));
        assert_eq!(answers(br#"{"id":1,"method":"ping"}"#), Some(vec![]));
        assert_eq!(answers(br#"[{"id":1,"result":{}},{"id":"2","error":{}}]"#).unwrap().len(), 2);
        assert_eq!(answers(b"<html>"), None);
    }

    #[test]
    fn errors_carry_the_id_as_it_was_written() {
        assert_eq!(
            String::from_utf8(error(r#""a\u0041""#, -32000, "it is \"off\"\n")).unwrap(),
            r#"{"jsonrpc":"2.0","id":"a\u0041","error":{"code":-32000,"message":"it is \"off\"\n"}}"#
        );
    }

    #[test]
    fn a_message_becomes_one_line() {
        assert_eq!(one_line(b"\r\n {\n \"a\": 1\r\n}\n".to_vec()), b"{  \"a\": 1  }");
    }
}
