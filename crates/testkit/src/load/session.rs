//! A session with a server over HTTP, from the client's side.

use std::time::{Duration, Instant};

use super::connection::{Connection, Reply};
use super::message::{self, Call, Era, INITIALIZE, INITIALIZED};
use super::options::Http;
use super::stream::Stream;
use super::way::Way;
use super::{Fault, check};

/// A session; in the era without them, only a connection.
#[derive(Debug)]
pub(super) struct Session {
    http: Http,
    way: Way,
    name: Option<String>,
    id: u64,
    list: String,
    /// The head of a call, and of which tool.
    call: (String, String),
    body: String,
    text: String,
}

impl Session {
    /// Opens one.
    pub(super) async fn open(http: &Http) -> Result<Self, Fault> {
        let (mut way, http) = Way::open(http).await?;
        let mut name = None;
        if http.era == Era::Legacy {
            let reply = way.ask(&message::post(&http, None, "initialize", None), INITIALIZE).await?;
            answered(&reply, &way)?;
            check::opened(way.answer())?;
            name = reply.session;
            let head = message::post(&http, name.as_deref(), "notifications/initialized", None);
            way.say(&head, INITIALIZED).await?;
        }
        let list = message::post(&http, name.as_deref(), "tools/list", None);
        let (call, body, text) = Default::default();
        Ok(Self { http, way, name, id: 0, list, call, body, text })
    }

    /// Calls a tool with a text that no other call has, and returns how long it took.
    pub(super) async fn call(&mut self, call: &Call, mark: &str) -> Result<Duration, Fault> {
        if self.call.1 != call.tool {
            let name = self.name.as_deref();
            let head = message::post(&self.http, name, "tools/call", Some(&call.tool));
            self.call = (head, call.tool.clone());
        }
        self.id += 1;
        call.write(self.id, mark, self.http.era, &mut self.body, &mut self.text);
        let begin = Instant::now();
        let reply = self.way.ask(&self.call.0, &self.body).await?;
        answered(&reply, &self.way)?;
        check::called(self.way.answer(), self.id, &self.text)?;
        Ok(reply.at - begin)
    }

    /// Asks for the list of tools; returns how long it took, and their names.
    pub(super) async fn tools(&mut self) -> Result<(Duration, Vec<String>), Fault> {
        self.id += 1;
        message::list(self.id, self.http.era, &mut self.body);
        let begin = Instant::now();
        let reply = self.way.ask(&self.list, &self.body).await?;
        answered(&reply, &self.way)?;
        Ok((reply.at - begin, check::listed(self.way.answer(), self.id)?))
    }

    /// Tells the server that the session is over, as clients do that end in peace.
    pub(super) async fn close(self) {
        if let Some(name) = &self.name {
            // A server may refuse that, and then forgets the session by itself.
            let _ = self.way.connection().open(&message::delete(&self.http, name)).await;
        }
    }

    /// Has the connection of the session become the stream on which the server may say something.
    pub(super) async fn stream(self) -> Result<Stream, Fault> {
        let request = message::get(&self.http, self.name.as_deref());
        Stream::open(self.way.connection(), &request).await
    }

    /// Opens that stream on a connection of its own, so that the session can go on asking.
    pub(super) async fn listen(&self) -> Result<Stream, Fault> {
        let request = message::get(&self.http, self.name.as_deref());
        Stream::open(Connection::new(self.http.address), &request).await
    }
}

fn answered(reply: &Reply, way: &Way) -> Result<(), Fault> {
    match reply.status {
        200 => Ok(()),
        404 => Err(Fault::Lost),
        status => {
            let why: String = String::from_utf8_lossy(way.answer()).chars().take(200).collect();
            Err(Fault::Failed(format!("status {status}: {why}")))
        }
    }
}
