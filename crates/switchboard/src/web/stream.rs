//! A stream of events.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};
use switchboard_gateway::events::{Event, Events};

use super::get::{get, good};
use super::lost::Lost;

/// Events as they come.
pub(crate) struct Stream {
    response: Response,
    events: Events,
    found: VecDeque<Event>,
}

/// A sign of life.
pub(crate) enum Sign {
    /// A comment, or a part of something.
    Alive,
    /// An event.
    Event(Event),
}

impl Stream {
    /// Opens a stream, of whose events none may be longer than so many bytes.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn open(
        client: &Client,
        url: &Url,
        mut headers: HeaderMap,
        limit: usize,
    ) -> Result<Self, Lost> {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let response = good(get(client, url, &headers).await?).await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/event-stream")) {
            return Err(Lost::NoStream);
        }
        Ok(Self { response, events: Events::new(limit), found: VecDeque::new() })
    }

    /// Returns the next sign of life; `None` at the end. Whoever stops waiting loses nothing. An event that is too long
    /// is told as soon as that is known, and again until its end has come: it may have none.
    ///
    /// # Errors
    /// The stream broke.
    pub(crate) async fn next(&mut self) -> Result<Option<Sign>, Lost> {
        if self.found.is_empty() {
            let Some(piece) = self.response.chunk().await.map_err(|error| Lost::from(&error))? else {
                return Ok(None);
            };
            self.events.read(&piece, |event| self.found.push_back(event));
        }
        Ok(Some(match self.found.pop_front() {
            Some(event) => Sign::Event(event),
            None if self.events.is_too_long() => Sign::Event(Event::TooLong { id: None }),
            None => Sign::Alive,
        }))
    }

    /// Returns how long the other side asks to be left alone when the stream has ended.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.events.retry.map(Duration::from_millis)
    }
}
