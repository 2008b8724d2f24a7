//! The headers of one message.

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use switchboard_core::mcp::revision::{Era, LATEST};

use crate::link::Call;
use crate::link::encoding::encoded;
use crate::serve::http::TRACE;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_OR_EVENTS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const PARAM: &str = "mcp-param-";

/// What both have settled on, and the headers that follow from it.
pub(super) struct Terms {
    /// How the server speaks, once that is known.
    pub(super) era: Option<Era>,
    /// The session, where the server began one.
    pub(super) session: Option<HeaderValue>,
    revision: Option<HeaderValue>,
    /// Those of each message.
    post: HeaderMap,
}

impl Terms {
    /// Returns the terms of a server that these headers are meant for.
    pub(super) fn new(meant: &HeaderMap) -> Self {
        let mut post = meant.clone();
        post.insert(ACCEPT, JSON_OR_EVENTS);
        post.insert(CONTENT_TYPE, JSON);
        Self { era: None, session: None, revision: None, post }
    }

    /// Returns the terms once both have settled on a revision.
    pub(super) fn settled(&self, era: Era, revision: Option<HeaderValue>) -> Self {
        self.with(Some(era), self.session.clone(), revision)
    }

    /// Returns the terms within a session.
    pub(super) fn in_session(&self, session: Option<HeaderValue>) -> Self {
        self.with(self.era, session, self.revision.clone())
    }

    fn with(&self, era: Option<Era>, session: Option<HeaderValue>, revision: Option<HeaderValue>) -> Self {
        let mut post = self.post.clone();
        // Stateless servers know no sessions.
        let session = session.filter(|_| era != Some(Era::Modern));
        for (name, value) in [(SESSION_ID, &session), (PROTOCOL_VERSION, &revision)] {
            match value {
                Some(value) => drop(post.insert(name, value.clone())),
                None => drop(post.remove(name)),
            }
        }
        Self { era, session, revision, post }
    }

    /// Returns whether a call goes to a stateless server, as far as it can be known.
    pub(super) fn is_stateless(&self, call: &Call) -> bool {
        match self.era {
            Some(era) => era == Era::Modern,
            None => &*call.method == "server/discover",
        }
    }

    /// Returns the headers of a call; `mirrored` are those that repeat its arguments.
    pub(super) fn of_call(&self, call: &Call, mirrored: &[(HeaderName, String)]) -> HeaderMap {
        let mut headers = self.post.clone();
        for (name, text) in call.headers.iter().filter(|(name, _)| TRACE.contains(&&**name)) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::try_from(&**text)) {
                headers.insert(name, value);
            }
        }
        if !self.is_stateless(call) {
            return headers;
        }
        headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(LATEST));
        headers.extend(encoded(&call.method).map(|method| (METHOD, method)));
        headers.extend(call.name.as_deref().and_then(encoded).map(|name| (NAME, name)));
        headers.extend(mirrored.iter().filter_map(|(name, text)| Some((name.clone(), encoded(text)?))));
        // What the client repeats and we do not know of is for somebody behind us.
        for (name, text) in &call.headers {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(&**name), HeaderValue::try_from(&**text))
            else {
                continue;
            };
            if name.as_str().starts_with(PARAM) {
                headers.entry(name).or_insert(value);
            }
        }
        headers
    }

    /// Returns the headers of a notification or an answer.
    pub(super) fn of_plain(&self, method: Option<&str>) -> HeaderMap {
        let mut headers = self.post.clone();
        if self.era == Some(Era::Modern) {
            headers.extend(method.and_then(encoded).map(|method| (METHOD, method)));
        }
        headers
    }

    /// Returns the headers of a request that carries no message.
    pub(super) fn plain(&self) -> HeaderMap {
        let mut headers = self.post.clone();
        headers.remove(CONTENT_TYPE);
        headers
    }

    /// Returns the headers of a GET that listens, from behind the event `last` on.
    pub(super) fn of_listening(&self, last: Option<&str>) -> HeaderMap {
        let mut headers = self.plain();
        headers.insert(ACCEPT, EVENTS);
        headers.extend(last.and_then(|last| Some((LAST_EVENT_ID, HeaderValue::from_str(last).ok()?))));
        headers
    }
}
