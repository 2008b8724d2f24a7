//! The transport of 2024 towards clients: one stream of events, and messages that are posted beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::http::Asked;
use super::stream::{Reader, Stream};
use crate::gateway::{Gateway, token};
use crate::mailbox::{Letter, Mailbox};
use crate::session::{Received, Session};

/// The conversations by this transport.
#[derive(Default)]
pub struct Conversations(Arc<Mutex<HashMap<Box<str>, Held>>>);

#[derive(Clone)]
struct Held {
    session: Arc<Session>,
    owner: Box<str>,
    mail: Arc<Mailbox>,
}

/// The stream of one conversation, which ends with it.
pub struct Talk {
    id: Box<str>,
    first: Option<Bytes>,
    reader: Reader,
    session: Arc<Session>,
    all: Arc<Mutex<HashMap<Box<str>, Held>>>,
}

impl Conversations {
    /// Begins a conversation: `messages` is the address that the client is to post to, to which a query is added. `None`
    /// where there are too many.
    pub fn begin(&self, gateway: &Gateway, asked: &Asked<'_>, messages: &str) -> Option<Talk> {
        let session = gateway.session_of(asked.face.clone(), asked.root.clone(), asked.holder.clone())?;
        let (id, mail) = (Box::<str>::from(token()), session.outlet());
        let held = Held { session: Arc::clone(&session), owner: asked.owner.into(), mail: Arc::clone(&mail) };
        self.all().insert(id.clone(), held);
        let first = Bytes::from(format!("event: endpoint\ndata: {messages}?sessionId={id}\n\n"));
        let reader = Reader::begin(Arc::new(Stream::new(0, mail, 0)), None, false, false);
        Some(Talk { id, first: Some(first), reader, session, all: Arc::clone(&self.0) })
    }

    /// Takes a message that was posted, and returns the status to answer with.
    pub fn post(&self, id: &str, owner: &str, body: &Bytes, asked: &Asked<'_>) -> u16 {
        let held = self.all().get(id).cloned().filter(|held| *held.owner == *owner);
        let Some(held) = held else { return 404 };
        match held.session.receive(body, &held.mail, &asked.extra) {
            Received::Refused(_) => 400,
            Received::Asks(_) | Received::Told => 202,
        }
    }

    /// Answers a POST that is too long: its status. The request in it is answered on the stream, where its caller waits.
    pub fn refuse(&self, id: &str, owner: &str, request: Option<&str>, limit: usize) -> u16 {
        if let Some(held) = self.all().get(id).filter(|held| *held.owner == *owner) {
            held.mail.put(Letter { bytes: super::too_long(request, limit), last: true });
        }
        413
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Box<str>, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Talk {
    /// Returns the next bytes to send; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.reader.next().await,
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.session.close();
    }
}
