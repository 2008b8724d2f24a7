//! The one task that reads what comes from the bus and writes what is announced.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use zbus::fdo::Error;
use zbus::message::{Flags, Type};
use zbus::{Connection, Message, MessageStream, Variant};

use super::Interface;
use super::call::{self, Call, Question};
use super::desk::Desk;
use super::error::PATIENCE;

/// So many calls of others are in our hands at once, whoever they are; more are turned away.
const CALLS: usize = 64;

/// A text on its way to the bus.
pub(super) struct Announcement {
    pub(super) version: String,
    /// Told once the bus has it.
    pub(super) sent: oneshot::Sender<()>,
}

/// Our side of a connection.
pub(super) struct Service {
    pub(super) connection: Connection,
    pub(super) interface: Interface,
    pub(super) version: String,
    pub(super) desk: Arc<Desk>,
}

/// What a call is answered with.
enum Reply<'a> {
    Nothing,
    Text(String),
    Version(&'a str),
    Properties(&'a str),
}

/// The connection is of no use any more.
struct Lost;

impl Service {
    /// Serves until the bus goes away, or does not take what it is sent.
    pub(super) async fn run(
        mut self,
        mut messages: MessageStream,
        mut announcements: mpsc::Receiver<Announcement>,
    ) {
        let mut questions = JoinSet::new();
        loop {
            let went = tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(message)) if message.message_type() == Type::MethodCall => {
                        self.take(message, &mut questions).await
                    }
                    // Replies find their way by themselves, and signals are nothing to us.
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) | None => Err(Lost),
                },
                Some(announcement) = announcements.recv() => self.announce(announcement).await,
                Some(_) = questions.join_next() => Ok(()),
            };
            if let Err(Lost) = went {
                return;
            }
        }
    }

    async fn announce(&mut self, announcement: Announcement) -> Result<(), Lost> {
        self.version = announcement.version;
        let signals = self.signals().map_err(|_| Lost)?;
        within(self.connection.send_all(&signals)).await?;
        // Whoever announced it may have stopped waiting.
        let _ = announcement.sent.send(());
        Ok(())
    }

    fn signals(&self) -> zbus::Result<[Message; 2]> {
        let (path, interface, version) = (self.interface.path(), self.interface.as_str(), &self.version);
        let none: &[&str] = &[];
        let changed = HashMap::from([("Version", Variant::from(version.as_str()))]);
        Ok([
            Message::signal(path.as_str(), "org.freedesktop.DBus.Properties", "PropertiesChanged")
                .build(&(interface, changed, none))?,
            Message::signal(path.as_str(), interface, "ConfigUpdated").build(version)?,
        ])
    }

    async fn take(&self, message: Message, questions: &mut JoinSet<()>) -> Result<(), Lost> {
        let reply = match call::read(&message, &self.interface) {
            Ok(Call::Ask(_)) if questions.len() >= CALLS => {
                Err(Error::LimitsExceeded("too many calls at once: try again in a moment".to_owned()))
            }
            Ok(Call::Ask(question)) => {
                // A task of its own, so that a slow answer holds up neither others nor the signal.
                questions.spawn(ask(self.connection.clone(), Arc::clone(&self.desk), message, question));
                return Ok(());
            }
            Ok(Call::Ping) => Ok(Reply::Nothing),
            Ok(Call::Introspect(xml)) => Ok(Reply::Text(xml)),
            Ok(Call::Version) => Ok(Reply::Version(&self.version)),
            Ok(Call::Properties) => Ok(Reply::Properties(&self.version)),
            Err(error) => Err(error),
        };
        within(answer(&self.connection, &message, reply)).await
    }
}

async fn ask(connection: Connection, desk: Arc<Desk>, message: Message, question: Question) {
    let sender = message.header().sender().cloned();
    let text = desk.answer(sender, question).await;
    // A caller that left needs no answer; a bus that left is noticed elsewhere.
    let _ = answer(&connection, &message, text.map(Reply::Text)).await;
}

async fn answer(connection: &Connection, to: &Message, reply: Result<Reply<'_>, Error>) -> zbus::Result<()> {
    let header = to.header();
    if header.primary().flags().contains(Flags::NO_REPLY_EXPECTED) {
        return Ok(());
    }
    match reply {
        Ok(Reply::Nothing) => connection.reply(&header, &()).await,
        Ok(Reply::Text(text)) if text.contains('\0') => {
            let why = "the answer has a zero byte, which D-Bus cannot carry".to_owned();
            connection.reply_dbus_error(&header, Error::Failed(why)).await
        }
        Ok(Reply::Text(text)) => connection.reply(&header, &text).await,
        Ok(Reply::Version(version)) => connection.reply(&header, &Variant::from(version)).await,
        Ok(Reply::Properties(version)) => {
            connection.reply(&header, &HashMap::from([("Version", Variant::from(version))])).await
        }
        Err(error) => connection.reply_dbus_error(&header, error).await,
    }
}

/// A bus that takes nothing is as good as gone. What was cut off half-way cannot be mended, so the connection ends.
async fn within(sending: impl Future<Output = zbus::Result<()>>) -> Result<(), Lost> {
    match timeout(PATIENCE, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Lost),
    }
}
