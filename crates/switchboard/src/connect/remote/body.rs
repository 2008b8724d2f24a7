//! What a response carries.

use std::collections::VecDeque;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use switchboard_gateway::events::{Event, Events};

use super::MESSAGE_LIMIT;
use super::trouble::Trouble;

/// The kind of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Events,
    /// Something else, named for people.
    Other(String),
}

impl Kind {
    pub(super) fn of(response: &Response) -> Self {
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*kind {
            "application/json" => Self::Json,
            "text/event-stream" => Self::Events,
            "" => Self::Other("nothing".to_owned()),
            kind => Self::Other(format!("`{kind}`")),
        }
    }
}

/// Reads a whole body of at most one message.
pub(super) async fn whole(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > MESSAGE_LIMIT {
            return Err(Trouble::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Reads the events of a stream that may break and be resumed.
pub(super) struct Stream {
    response: Response,
    events: Events,
    found: VecDeque<Event>,
}

impl Stream {
    pub(super) fn new(response: Response) -> Self {
        Self { response, events: Events::new(MESSAGE_LIMIT), found: VecDeque::new() }
    }

    /// Goes on with another response, from where the last one broke.
    pub(super) fn resume(&mut self, response: Response) {
        let events = std::mem::replace(&mut self.events, Events::new(MESSAGE_LIMIT)).resumed();
        (self.response, self.events) = (response, events);
    }

    /// Returns the next event; `None` at the end, however the stream ended.
    pub(super) async fn next(&mut self) -> Option<Event> {
        while self.found.is_empty() {
            let piece: Bytes = self.response.chunk().await.ok()??;
            self.events.read(&piece, |event| self.found.push_back(event));
        }
        self.found.pop_front()
    }

    /// Returns the id of the last event.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.events.last_id.as_deref()
    }

    /// Returns how long the server asks to be left alone after a break.
    pub(super) fn retry(&self) -> Option<std::time::Duration> {
        self.events.retry.map(std::time::Duration::from_millis)
    }
}
