//! A stream of events on which a server says what it wants to say.

use super::Fault;
use super::check::{About, about};
use super::connection::Connection;
use crate::wire::{Body, Chunked, Events};

/// An open stream. It takes its connection with it.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Connection,
    chunked: Option<Chunked>,
    events: Events,
}

impl Stream {
    /// Opens one by a request.
    pub(super) async fn open(mut connection: Connection, request: &str) -> Result<Self, Fault> {
        match connection.open(request).await? {
            (200, body) => {
                let chunked = (body == Body::Chunked).then(Chunked::default);
                Ok(Self { connection, chunked, events: Events::default() })
            }
            (status, _) => Err(Fault::Failed(format!("status {status} for the stream"))),
        }
    }

    /// Waits for the data of the next event.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(data) = self.events.next() {
                return Ok(data);
            }
            self.connection.more(self.chunked.as_mut(), &mut self.events.pending).await?;
        }
    }

    /// Waits for the next notification, and returns its method.
    pub(super) async fn hear(&mut self) -> Result<String, Fault> {
        loop {
            if let About::Notification(method) = about(&self.next().await?)? {
                return Ok(method);
            }
        }
    }

    /// Waits for the next answer.
    pub(super) async fn answer(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            let data = self.next().await?;
            if let About::Answer(_) = about(&data)? {
                return Ok(data);
            }
        }
    }
}
