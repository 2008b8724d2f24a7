//! What a response carries.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tracing::debug;

use super::MESSAGE_LIMIT;
use super::endpoint::root_cause;
use super::events::{Event, Events};
use crate::envelope::{self, Envelope, one_line};
use crate::trouble::{Trouble, said};
use crate::upstream::Upstream;

/// The kind of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Events,
    /// Something else, named for people.
    Other(String),
}

impl Kind {
    pub(super) fn of(response: &Response<Incoming>) -> Self {
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let encoding = header(CONTENT_ENCODING);
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Self::Other("something compressed, which nobody asked for".to_owned());
        }
        let kind = header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if kind.eq_ignore_ascii_case("text/event-stream") {
            Self::Events
        } else if kind.is_empty() {
            Self::Other("nothing".to_owned())
        } else {
            let shown: String = kind.chars().take(60).flat_map(char::escape_default).collect();
            Self::Other(format!("`{shown}`, which is no message"))
        }
    }
}

/// What is said where a message is longer than any may be.
pub(super) fn too_long() -> Trouble {
    Trouble::Answer(format!("more than {} MiB", MESSAGE_LIMIT >> 20))
}

/// So much memory is taken for a body before its bytes are there.
const MOST_AHEAD: usize = 1 << 20;

/// Reads a whole body of at most one message, which is one line then.
pub(super) async fn whole(mut body: Incoming, limit: usize) -> Result<Bytes, Trouble> {
    // What the other end says of its length is only a wish for memory.
    let said = body.size_hint().exact().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Trouble::Lost(root_cause(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > limit {
            return Err(too_long());
        }
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(said.min(MOST_AHEAD));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(line(&if all.is_empty() { first } else { all.freeze() }))
}

/// Returns the sentence of an error of JSON-RPC; `None` where it is none.
pub(super) fn error_said(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Error {
        #[serde(default)]
        message: String,
    }
    let envelope = Envelope::read(body).ok().filter(|envelope| envelope.kind == envelope::Kind::Response)?;
    let error: Error = serde_json::from_str(envelope.error?.get()).ok()?;
    Some(said(&error.message))
}

/// Returns a message as one line, without what stands around it.
pub(super) fn line(message: &Bytes) -> Bytes {
    let text = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message).trim_ascii();
    let text = message.slice_ref(text);
    if memchr::memchr2(b'\n', b'\r', &text).is_none() {
        return text;
    }
    let mut text = text.to_vec();
    one_line(&mut text);
    text.into()
}

/// Passes on what came on a stream that belongs to no call.
pub(super) fn pass_on(event: Event, upstream: &Upstream) {
    match event {
        Event::Data { kind, data } if kind == "message" && !data.is_empty() => {
            upstream.receive(&line(&data.into()), None);
        }
        Event::Data { .. } => {}
        Event::TooLong { id } => {
            debug!("dropped what a server sent, because it is too long");
            if let Some(id) = id.and_then(|id| id.parse().ok()) {
                upstream.fail(id, too_long());
            }
        }
    }
}

/// Reads what is left of a body that nobody wants, so that its connection can be used again; not for long.
pub(super) async fn forget(mut body: Incoming) {
    const PATIENCE: Duration = Duration::from_millis(100);
    const ENOUGH: usize = 64 << 10;
    let reading = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > ENOUGH {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, reading).await;
}

/// Reads the events of a stream that may break and be resumed.
pub(super) struct Stream {
    body: Option<Incoming>,
    events: Events,
    found: VecDeque<Event>,
    /// One event that is too long is the end of it, so that the end of that event is not waited for.
    is_for_one: bool,
}

impl Stream {
    /// Returns a stream on which much is told: an event that is too long is thrown away to its end.
    pub(super) fn new(response: Response<Incoming>) -> Self {
        let body = Some(response.into_body());
        Self { body, events: Events::new(MESSAGE_LIMIT), found: VecDeque::new(), is_for_one: false }
    }

    /// Returns a stream on which one thing is waited for.
    pub(super) fn for_one(response: Response<Incoming>) -> Self {
        Self { is_for_one: true, ..Self::new(response) }
    }

    /// Much is told from here on.
    pub(super) fn for_many(self) -> Self {
        Self { is_for_one: false, ..self }
    }

    /// Goes on with another response, from where the last one broke.
    pub(super) fn resume(self, response: Response<Incoming>) -> Self {
        let body = Some(response.into_body());
        Self { body, events: self.events.resumed(), found: VecDeque::new(), ..self }
    }

    /// Returns the next event; `None` at the end, however the stream ended.
    pub(super) async fn next(&mut self) -> Option<Event> {
        while self.found.is_empty() {
            let Some(Ok(frame)) = self.body.as_mut()?.frame().await else {
                self.body = None;
                return None;
            };
            if let Some(data) = frame.data_ref() {
                self.events.read(data, |event| self.found.push_back(event));
            }
            if self.is_for_one && self.found.is_empty() && self.events.is_too_long() {
                return Some(Event::TooLong { id: None });
            }
        }
        self.found.pop_front()
    }

    /// Nothing more is wanted: the end is waited for a moment, so that the connection can be used again.
    pub(super) async fn finish(self) {
        if let Some(body) = self.body {
            forget(body).await;
        }
    }

    /// Returns the id of the last event.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.events.last_id.as_deref()
    }

    /// Returns how long the server asks to be left alone after a break.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.events.retry.map(Duration::from_millis)
    }
}
