//! How a session's messages travel over HTTP.

use std::time::Instant;

use super::Fault;
use super::connection::{Connection, LIMIT, Reply, late};
use super::message;
use super::options::Http;
use super::stream::Stream;

/// How messages travel.
#[derive(Debug)]
pub(super) enum Way {
    /// Each answer comes back on the connection of its request.
    Streamable(Connection),
    /// Answers come on a stream that was opened before, as in 2024.
    Events { connection: Connection, stream: Box<Stream>, answer: Vec<u8> },
}

impl Way {
    /// Opens the way, and returns it with the address to which messages go from now on.
    pub(super) async fn open(http: &Http) -> Result<(Self, Http), Fault> {
        let connection = Connection::new(http.address);
        if !http.events {
            return Ok((Self::Streamable(connection), http.clone()));
        }
        let mut stream = Stream::open(Connection::new(http.address), &message::get(http, None)).await?;
        let first = tokio::time::timeout(LIMIT, stream.next()).await.unwrap_or_else(|_| Err(late()))?;
        let endpoint = String::from_utf8_lossy(&first).into_owned();
        // An address or only a path.
        let path = endpoint.split_once(&http.host).map_or(endpoint.as_str(), |(_, path)| path).to_owned();
        Ok((
            Self::Events { connection, stream: Box::new(stream), answer: Vec::new() },
            Http { path, ..http.clone() },
        ))
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn ask(&mut self, head: &str, body: &str) -> Result<Reply, Fault> {
        match self {
            Self::Streamable(connection) => connection.post(head, body).await,
            Self::Events { connection, stream, answer } => {
                let asked = async {
                    connection.send(head, body).await?;
                    *answer = stream.answer().await?;
                    let at = Instant::now();
                    let reply = connection.reply().await?;
                    let status = if (200..300).contains(&reply.status) { 200 } else { reply.status };
                    Ok(Reply { status, at, ..reply })
                };
                tokio::time::timeout(LIMIT, asked).await.unwrap_or_else(|_| Err(late()))
            }
        }
    }

    /// Sends what needs no answer.
    pub(super) async fn say(&mut self, head: &str, body: &str) -> Result<(), Fault> {
        let (Self::Streamable(connection) | Self::Events { connection, .. }) = self;
        match connection.post(head, body).await?.status {
            200..300 => Ok(()),
            status => Err(Fault::Failed(format!("status {status} for what needs no answer"))),
        }
    }

    /// Returns the message that was answered last.
    pub(super) fn answer(&self) -> &[u8] {
        match self {
            Self::Streamable(connection) => &connection.answer,
            Self::Events { answer, .. } => answer,
        }
    }

    /// Returns the connection on which requests go.
    pub(super) fn connection(self) -> Connection {
        let (Self::Streamable(connection) | Self::Events { connection, .. }) = self;
        connection
    }
}
