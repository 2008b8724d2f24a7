//! What all exchanges with one server share: its address, the session, the way to the client.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use switchboard_gateway::Mirror;
use tokio::sync::mpsc::Sender;

use super::endpoint::Endpoint;
use super::message::{self, Message, settled_version};
use super::trouble::Trouble;
use crate::connect::say;

/// The code of errors that come from us and not from the server.
const OUR_ERROR: i32 = -32000;

pub(super) struct Link {
    pub(super) endpoint: Endpoint,
    output: Sender<Vec<u8>>,
    session: Mutex<Session>,
    mirror: Mutex<Mirror>,
}

/// What the server has said at the beginning and wants to hear again.
#[derive(Clone, Default)]
struct Session {
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

/// The calls that an exchange has not answered yet.
#[derive(Default)]
pub(super) struct Waiting {
    /// Their ids, as the client wrote them.
    pub(super) ids: Vec<String>,
    /// Whether the answer settles the revision of the protocol.
    begins_session: bool,
    /// Whether the answer lists the tools of a stateless server.
    lists_tools: bool,
}

impl Waiting {
    pub(super) fn on(message: &Message) -> Self {
        Self {
            ids: message.ids.clone(),
            begins_session: message.begins_session(),
            lists_tools: message.version.is_some() && message.method.as_deref() == Some("tools/list"),
        }
    }
}

impl Link {
    pub(super) fn new(endpoint: Endpoint, output: Sender<Vec<u8>>) -> Self {
        Self { endpoint, output, session: Mutex::default(), mirror: Mutex::default() }
    }

    /// Returns the headers of the session; none before there is one.
    pub(super) fn session_headers(&self) -> HeaderMap {
        let Session { id, version } = self.session().clone();
        [(SESSION_ID, id), (PROTOCOL_VERSION, version)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Remembers the session that the server has begun.
    pub(super) fn begin_session(&self, headers: &HeaderMap) {
        *self.session() = Session { id: headers.get(SESSION_ID).cloned(), version: None };
    }

    /// Says whether the server knows us by a session.
    pub(super) fn in_session(&self) -> bool {
        self.session().id.is_some()
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the server says, and returns the line for the client; `None` if it is not a message.
    pub(super) fn note(&self, said: Vec<u8>, waiting: &mut Waiting) -> Option<Vec<u8>> {
        let said = message::one_line(said);
        if said.is_empty() {
            return None;
        }
        let Some(answered) = message::answers(&said) else {
            say(&format!("dropped what `{}` sent, because it is not a message", self.endpoint.server));
            return None;
        };
        let before = waiting.ids.len();
        waiting.ids.retain(|id| !answered.iter().any(|answer| is_same_id(answer, id)));
        if waiting.begins_session && waiting.ids.len() < before {
            let version = settled_version(&said).and_then(|version| HeaderValue::try_from(version).ok());
            self.session().version = version;
        }
        if waiting.lists_tools {
            self.mirror().learn(&said);
        }
        Some(said)
    }

    /// Returns what a stateless call repeats in headers, beside its name.
    pub(super) fn mirrored(&self, message: &Message, line: &[u8]) -> Vec<(HeaderName, String)> {
        match (message.method.as_deref(), &message.version, &message.name) {
            (Some("tools/call"), Some(_), Some(tool)) => self.mirror().headers(tool, line),
            _ => Vec::new(),
        }
    }

    fn mirror(&self) -> std::sync::MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on what the server says.
    pub(super) async fn deliver(&self, said: Vec<u8>, waiting: &mut Waiting) {
        if let Some(line) = self.note(said, waiting) {
            self.write(line).await;
        }
    }

    /// Writes a line to the client. Once the client is gone, the pipe ends for that reason.
    pub(super) async fn write(&self, line: Vec<u8>) {
        let _ = self.output.send(line).await;
    }

    /// Tells every caller that still waits what has gone wrong, and the log too.
    pub(super) async fn fail(&self, ids: Vec<String>, trouble: &Trouble) {
        let (sentence, hint) = trouble.sentence(&self.endpoint.server);
        say(&sentence);
        say(&format!("hint: {hint}"));
        for id in ids {
            self.write(message::error(&id, OUR_ERROR, &format!("{sentence}; hint: {hint}"))).await;
        }
    }
}

/// The same id may be written in two ways, such as `"A"` and `"\u0041"`.
fn is_same_id(one: &str, other: &str) -> bool {
    let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || value(one).is_some_and(|one| Some(one) == value(other))
}

pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
