//! One message of JSON-RPC, read no further than the gateway has to.
//!
//! What is inside `params`, `result` and `error` is never parsed and printed again. A message that is passed on is the
//! bytes that came, with a few spots exchanged by [`splice`]: requirement E1 of our protocol notes.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It asks for an answer.
    Request,
    /// It asks for none.
    Notification,
    /// It answers.
    Response,
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMessage {
    /// They are not JSON, or a member of the envelope stands twice.
    #[error("it is not JSON")]
    Json,
    /// They are JSON, but not a message of JSON-RPC.
    #[error("it is no message of JSON-RPC")]
    Shape,
    /// They are an array of messages.
    #[error("it is an array of messages")]
    Batch,
}

/// The envelope of one message, over the bytes that it came in.
#[derive(Debug)]
pub struct Envelope<'m> {
    whole: &'m [u8],
    /// What kind it is.
    pub kind: Kind,
    /// The id, as it was written.
    pub id: Option<&'m RawValue>,
    /// The method, decoded.
    pub method: Option<Cow<'m, str>>,
    /// The parameters, as they were written; absent stays absent.
    pub params: Option<&'m RawValue>,
    /// The result, as it was written.
    pub result: Option<&'m RawValue>,
    /// The error, as it was written.
    pub error: Option<&'m RawValue>,
}

#[derive(Deserialize)]
struct Parts<'m> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'m RawValue>,
    #[serde(borrow, default)]
    method: Option<Text<'m>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'m RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'m RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'m RawValue>,
}

/// A text that is borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'m>(#[serde(borrow)] Cow<'m, str>);

/// A member that says `null` is there: it is not the same as one that is absent.
pub(crate) fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

impl<'m> Envelope<'m> {
    /// Reads the envelope of one message.
    ///
    /// # Errors
    /// The bytes are no message. Nothing is known of them then, not even an id.
    pub fn read(whole: &'m [u8]) -> Result<Self, NotAMessage> {
        // An array would be taken for the members in their order.
        let read = match first(whole) {
            Some(b'{') => serde_json::from_slice(whole).ok(),
            Some(b'[') if is_json(whole) => return Err(NotAMessage::Batch),
            _ => None,
        };
        let Some(parts): Option<Parts<'m>> = read else {
            return Err(if is_json(whole) { NotAMessage::Shape } else { NotAMessage::Json });
        };
        let kind = match (&parts.method, parts.id, parts.result.or(parts.error)) {
            (Some(_), Some(id), _) if is_id(id) => Kind::Request,
            (Some(_), None, _) => Kind::Notification,
            (None, Some(id), Some(_)) if is_id(id) || id.get() == "null" => Kind::Response,
            _ => return Err(NotAMessage::Shape),
        };
        Ok(Self {
            whole,
            kind,
            id: parts.id,
            method: parts.method.map(|text| text.0),
            params: parts.params,
            result: parts.result,
            error: parts.error,
        })
    }

    /// Returns the bytes of the whole message.
    pub fn bytes(&self) -> &'m [u8] {
        self.whole
    }

    /// Returns where a part that was read out of this message stands in it.
    pub fn place(&self, part: &str) -> Range<usize> {
        place_in(self.whole, part)
    }
}

/// Returns where `part`, which was borrowed from `whole`, stands in it.
pub(crate) fn place_in(whole: &[u8], part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize).min(whole.len());
    start..(start + part.len()).min(whole.len())
}

/// Reads what is an object, and nothing else.
fn object<'m, T: Deserialize<'m>>(raw: Option<&'m RawValue>) -> Option<T> {
    let text = raw?.get();
    text.starts_with('{').then(|| serde_json::from_str(text).ok())?
}

fn first(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// An id is a text or a number.
fn is_id(id: &RawValue) -> bool {
    id.get().as_bytes().first().is_some_and(|&byte| byte == b'"' || byte == b'-' || byte.is_ascii_digit())
}

/// What of the parameters matters for where a message goes.
#[derive(Debug, Default, Deserialize)]
pub struct Params<'m> {
    /// The name of a tool or prompt.
    #[serde(borrow, default, deserialize_with = "present")]
    pub name: Option<&'m RawValue>,
    /// The address of a resource.
    #[serde(borrow, default, deserialize_with = "present")]
    pub uri: Option<&'m RawValue>,
    /// What a completion is for.
    #[serde(borrow, default, deserialize_with = "present", rename = "ref")]
    pub reference: Option<&'m RawValue>,
    /// What is said about the message.
    #[serde(borrow, default, deserialize_with = "present", rename = "_meta")]
    pub meta: Option<&'m RawValue>,
    /// The request that a notification is about.
    #[serde(borrow, default, deserialize_with = "present", rename = "requestId")]
    pub request: Option<&'m RawValue>,
    /// The token of a progress notification.
    #[serde(borrow, default, deserialize_with = "present", rename = "progressToken")]
    pub token: Option<&'m RawValue>,
    /// The task that a message is about.
    #[serde(borrow, default, deserialize_with = "present", rename = "taskId")]
    pub task: Option<&'m RawValue>,
    /// What the task is to be like that a call shall begin.
    #[serde(borrow, default, deserialize_with = "present", rename = "task")]
    pub asks_task: Option<&'m RawValue>,
    /// A level of logging.
    #[serde(borrow, default, deserialize_with = "present")]
    pub level: Option<&'m RawValue>,
    /// What a server wants back with the answers to its questions.
    #[serde(borrow, default, deserialize_with = "present", rename = "requestState")]
    pub state: Option<&'m RawValue>,
    /// Where a list goes on.
    #[serde(borrow, default, deserialize_with = "present")]
    pub cursor: Option<&'m RawValue>,
}

impl<'m> Params<'m> {
    /// Reads what matters of the parameters; nothing of what is no object.
    pub fn read(params: Option<&'m RawValue>) -> Self {
        object(params).unwrap_or_default()
    }

    /// Reads what matters of `_meta`.
    pub fn meta(&self) -> Meta<'m> {
        object(self.meta).unwrap_or_default()
    }
}

/// What of `_meta` the protocol reserves.
#[derive(Debug, Default, Deserialize)]
pub struct Meta<'m> {
    /// The token by which progress is told.
    #[serde(borrow, default, deserialize_with = "present", rename = "progressToken")]
    pub token: Option<&'m RawValue>,
    /// The revision that a stateless message speaks.
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    pub revision: Option<Cow<'m, str>>,
    /// What the client of a stateless message can do.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        rename = "io.modelcontextprotocol/clientCapabilities"
    )]
    pub capabilities: Option<&'m RawValue>,
    /// Who the client of a stateless message is.
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/clientInfo")]
    pub client: Option<&'m RawValue>,
    /// Which log messages the client of a stateless message wants.
    #[serde(borrow, default, deserialize_with = "present", rename = "io.modelcontextprotocol/logLevel")]
    pub level: Option<&'m RawValue>,
    /// The listening request that a notification belongs to.
    #[serde(
        borrow,
        default,
        deserialize_with = "present",
        rename = "io.modelcontextprotocol/subscriptionId"
    )]
    pub subscription: Option<&'m RawValue>,
    /// The trace that the client has the message belong to (W3C Trace Context). It is passed on as it stands.
    #[serde(borrow, default, deserialize_with = "present")]
    pub traceparent: Option<&'m RawValue>,
}

/// Returns whether a text may have a name that differs from one of these in the case of its letters alone.
pub(crate) fn may_have_twin(text: &[u8], known: &[&str]) -> bool {
    // Letters beyond ASCII, and such as are spelt out, are looked at closely.
    if !text.is_ascii() || memchr::memmem::find(text, b"\\u").is_some() {
        return true;
    }
    memchr::memchr_iter(b'"', text).any(|at| {
        let rest = &text[at + 1..];
        known.iter().map(|name| name.as_bytes()).any(|name| {
            rest.get(name.len()) == Some(&b'"')
                && rest.starts_with(name) != rest[..name.len()].eq_ignore_ascii_case(name)
        })
    })
}

/// Returns whether an object has a member that differs from one of these in the case of its letters alone. Some readers take
/// the one for the other, so that they would see another message than we do (CVE-2026-27896).
/// It takes a while to find out; [`may_have_twin`] is nearly always enough to say no.
pub(crate) fn has_twin(object: &str, known: &[&str]) -> bool {
    let fold = |name: &str| {
        name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect::<String>()
    };
    let Some(read) = crate::object::Object::read(object) else { return false };
    let known: Vec<(&str, String)> = known.iter().map(|name| (*name, fold(name))).collect();
    read.members().any(|(name, _)| {
        let folded = fold(name);
        known.iter().all(|(plain, _)| *plain != name) && known.iter().any(|(_, known)| *known == folded)
    })
}

/// Returns the text that a JSON string says; `None` where it is none, or one that Rust cannot hold.
pub fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value?.get()).ok().map(|text| text.0)
}

/// Returns `whole` with each range exchanged for its replacement. The ranges are in order and do not overlap.
pub fn splice(whole: &[u8], edits: &[(Range<usize>, &[u8])]) -> Vec<u8> {
    let more: usize = edits.iter().map(|(_, new)| new.len()).sum();
    let mut out = Vec::with_capacity(whole.len() + more);
    let mut at = 0;
    for (range, new) in edits {
        out.extend_from_slice(whole.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(new);
        at = range.end;
    }
    out.extend_from_slice(whole.get(at..).unwrap_or_default());
    out
}

/// Has a message be one line: raw line ends can only stand between its tokens, where they say nothing.
pub fn one_line(message: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &message[at..]) {
        message[at + found] = b' ';
        at += found + 1;
    }
}

#[cfg(test)]
mod tests;
