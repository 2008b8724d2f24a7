//! A session with a server over HTTP, from the client's side.

use std::time::{Duration, Instant};

use super::Fault;
use super::check;
use super::connection::{Connection, Reply};
use super::message::{self, Call, Era, INITIALIZE, INITIALIZED};
use super::options::Http;
use crate::wire::{Chunked, Events};

/// A session; in the era without them, only a connection.
#[derive(Debug)]
pub(super) struct Session {
    http: Http,
    connection: Connection,
    name: Option<String>,
    id: u64,
    list: String,
    /// The head of a call, and of which tool.
    call: (String, String),
    body: String,
    text: String,
}

/// The stream on which a server says what nobody has asked for.
#[derive(Debug)]
pub(super) struct Listener {
    connection: Connection,
    chunked: Chunked,
    events: Events,
}

impl Session {
    /// Opens one.
    pub(super) async fn open(http: &Http) -> Result<Self, Fault> {
        let mut connection = Connection::new(http.address);
        let mut session = None;
        if http.era == Era::Legacy {
            let reply = connection.post(&message::post(http, None, "initialize", None), INITIALIZE).await?;
            answered(&reply, &connection)?;
            check::opened(&connection.answer)?;
            session = reply.session;
            let head = message::post(http, session.as_deref(), "notifications/initialized", None);
            let reply = connection.post(&head, INITIALIZED).await?;
            if !(200..300).contains(&reply.status) {
                return Err(Fault::Failed(format!("status {} for what needs no answer", reply.status)));
            }
        }
        let list = message::post(http, session.as_deref(), "tools/list", None);
        let (call, body, text) = Default::default();
        Ok(Self { http: http.clone(), connection, name: session, id: 0, list, call, body, text })
    }

    /// Calls a tool with a text that no other call has, and returns how long it took.
    pub(super) async fn call(&mut self, call: &Call, mark: &str) -> Result<Duration, Fault> {
        if self.call.1 != call.tool {
            let session = self.name.as_deref();
            let head = message::post(&self.http, session, "tools/call", Some(&call.tool));
            self.call = (head, call.tool.clone());
        }
        self.id += 1;
        call.write(self.id, mark, self.http.era, &mut self.body, &mut self.text);
        let begin = Instant::now();
        let reply = self.connection.post(&self.call.0, &self.body).await?;
        answered(&reply, &self.connection)?;
        check::called(&self.connection.answer, self.id, &self.text)?;
        Ok(reply.at - begin)
    }

    /// Asks for the list of tools; returns how long it took, and their names.
    pub(super) async fn tools(&mut self) -> Result<(Duration, Vec<String>), Fault> {
        self.id += 1;
        message::list(self.id, self.http.era, &mut self.body);
        let begin = Instant::now();
        let reply = self.connection.post(&self.list, &self.body).await?;
        answered(&reply, &self.connection)?;
        Ok((reply.at - begin, check::listed(&self.connection.answer, self.id)?))
    }

    /// Tells the server that the session is over, as clients do that end in peace.
    pub(super) async fn close(mut self) {
        if let Some(name) = self.name.take() {
            // A server may refuse that, and then forgets the session by itself.
            let _ = self.connection.open(&message::delete(&self.http, &name)).await;
        }
    }

    /// Opens the stream on which the server may say something, on the connection of the session.
    pub(super) async fn stream(&mut self) -> Result<(), Fault> {
        opened(&mut self.connection, &self.http, self.name.as_deref()).await
    }

    /// Opens that stream on a connection of its own, so that the session can go on asking.
    pub(super) async fn listen(&self) -> Result<Listener, Fault> {
        let mut connection = Connection::new(self.http.address);
        opened(&mut connection, &self.http, self.name.as_deref()).await?;
        Ok(Listener { connection, chunked: Chunked::default(), events: Events::default() })
    }
}

impl Listener {
    /// Waits for the next notification, and returns its method.
    pub(super) async fn hear(&mut self) -> Result<String, Fault> {
        loop {
            for data in self.events.by_ref() {
                if let check::About::Notification(method) = check::about(&data)? {
                    return Ok(method);
                }
            }
            self.connection.more(&mut self.chunked, &mut self.events).await?;
        }
    }
}

async fn opened(connection: &mut Connection, http: &Http, session: Option<&str>) -> Result<(), Fault> {
    let session = session.ok_or_else(|| Fault::Failed("the server has given no session".to_owned()))?;
    match connection.open(&message::get(http, session)).await? {
        200 => Ok(()),
        status => Err(Fault::Failed(format!("status {status} for the stream"))),
    }
}

fn answered(reply: &Reply, connection: &Connection) -> Result<(), Fault> {
    match reply.status {
        200 => Ok(()),
        404 => Err(Fault::Lost),
        status => {
            let why: String = String::from_utf8_lossy(&connection.answer).chars().take(200).collect();
            Err(Fault::Failed(format!("status {status}: {why}")))
        }
    }
}
