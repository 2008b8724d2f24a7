//! What servers were last seen to offer, in one database that several processes read and write at once.
//!
//! It is a cache: whatever is wrong with it concerns nobody but whoever fills it again. So reading never fails, it finds
//! nothing and says why ([`Registry::notes`]); writing puts a damaged database aside and begins a new one. One at which
//! somebody else is for too long is not damaged, and stays. What a server
//! wrote is kept as the bytes that it wrote, each with its hash.
//!
//! ```
//! use std::collections::BTreeMap;
//! use switchboard_core::launch::Launch;
//! use switchboard_core::name::ServerName;
//! use switchboard_core::registry::{Choice, Kind, Wanted, decide};
//! use switchboard_host::registry::{Registry, Seen, SeenItem};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let path = home.path().join("registry.db");
//! let k8s = ServerName::parse("k8s")?;
//! let wanted = Wanted { name: k8s.clone(), fingerprint: Launch::stdio("k8s-mcp", [""; 0]).fingerprint() };
//! let mut registry = Registry::open(&path);
//! let sync = decide(&[wanted], &registry.held(), &Choice::Due);
//!
//! let tool = SeenItem { kind: Kind::Tool, name: "listPods", raw: br#"{"name":"listPods"}"# };
//! let seen = Seen { items: vec![tool], ..Seen::default() };
//! registry.replace(&sync.fold(BTreeMap::from([(k8s, Ok(seen))])), 1_795_185_900)?;
//!
//! let found = Registry::read(&path).search("pods", 10);
//! assert_eq!(found[0].line.name, "listPods");
//! # Ok(())
//! # }
//! ```

mod fault;
mod place;
mod query;
mod row;
mod schema;
mod words;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Weak;

use rusqlite::{Connection, TransactionBehavior};
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Held, Kind, Row};

pub use self::fault::{NotWritten, Note};
pub use self::place::Turn;
pub use self::row::{Found, Item, Line, Seen, SeenItem, Server, State};
use crate::file::Stamp;
use crate::system;

use self::fault::Fault;

/// So many different things are noted.
const MOST_NOTES: usize = 16;

/// The registry, opened.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    access: Access,
    /// `None` where there is nothing that could be read.
    connection: Option<Connection>,
    /// Which file that is.
    identity: place::Identity,
    /// Our own turn, as long as there is one.
    turn: Weak<()>,
    /// Somebody kept us from seeing what is there.
    unseen: bool,
    notes: Vec<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Registry {
    /// Opens the registry to read. Nothing is made and nothing is mended; where there is none, it is empty.
    pub fn read(path: &Path) -> Self {
        Self::with(path, Access::Read)
    }

    /// Opens the registry to write: it is made where there is none, and what is there and cannot be used is put aside.
    ///
    /// Where that is not possible, it can be read as far as it can be, and the notes say so.
    pub fn open(path: &Path) -> Self {
        Self::with(path, Access::Write)
    }

    fn with(path: &Path, access: Access) -> Self {
        let mut registry = Self {
            path: path.to_owned(),
            access,
            connection: None,
            identity: None,
            turn: Weak::new(),
            unseen: false,
            notes: Vec::new(),
        };
        registry.connect();
        registry
    }

    /// Returns what is the matter with the registry; empty where all is well.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Waits for the turn to change the registry together with what is kept beside it. `None` where nobody can have it.
    pub fn turn(&mut self) -> Option<Turn> {
        let turn = Turn::take(&self.path)?;
        self.turn = turn.alive();
        Some(turn)
    }

    /// Returns what the file system says about the database, with everything written in it; `None` where there is none,
    /// or another one than was opened.
    pub fn stamp(&self) -> Option<Stamp> {
        let stamp = std::fs::metadata(&self.path).ok().map(|meta| system::stamp(&meta))?;
        (place::identity(&self.path) == self.identity).then_some(stamp)
    }

    /// Looks through the whole database, and begins a new one where it is damaged anywhere.
    pub fn check(&mut self) {
        self.reading(schema::check);
    }

    /// Returns the servers that are known, in the order in which they were put in.
    pub fn servers(&mut self) -> Vec<Server> {
        self.reading(query::servers)
    }

    /// Returns of the servers no more than is needed to decide who is to be asked.
    pub fn held(&mut self) -> Vec<Held> {
        self.reading(query::held)
    }

    /// Returns what servers offer of one kind, in the servers' own order: of one server, or of all.
    pub fn list(&mut self, kind: Kind, server: Option<&str>) -> Vec<Line> {
        self.reading(|connection| query::list(connection, kind, server))
    }

    /// Returns one thing that a server offers, as it wrote it.
    pub fn show(&mut self, server: &str, kind: Kind, name: &str) -> Option<Item> {
        self.reading(|connection| query::show(connection, server, kind, name))
    }

    /// Returns everything that a server offers of one kind, as it wrote it.
    pub fn items(&mut self, server: &str, kind: Kind) -> Vec<Item> {
        self.reading(|connection| query::items(connection, server, kind))
    }

    /// Returns the `limit` tools that fit the words best, the best first.
    ///
    /// Tools that have all of the words come alone; only where there are none, those that have any. The last word may be
    /// the beginning of one. Whatever a person types is words: no sign in it means anything.
    pub fn search(&mut self, text: &str, limit: usize) -> Vec<Found> {
        self.reading(|connection| query::search(connection, text, limit))
    }

    /// Puts `rows` in the place of everything that is there, all at once or not at all. `now` is in seconds since 1970.
    ///
    /// Returns the servers whose known things were to be kept, and are not there any more: somebody else changed the
    /// registry since it was looked at. They have to be asked.
    ///
    /// # Errors
    /// The registry stays as it is.
    pub fn replace(&mut self, rows: &[Row<Seen<'_>>], now: u64) -> Result<Vec<ServerName>, NotWritten> {
        if self.unseen {
            // What is to be kept was decided without knowing what there is.
            return Err(NotWritten::because(&self.path, &Fault::Busy));
        }
        let lost = self.writing(|connection| write::replace(connection, rows, now))?;
        self.settle();
        Ok(lost)
    }

    /// Forgets a server. Returns whether it was known.
    ///
    /// # Errors
    /// The registry stays as it is.
    pub fn remove(&mut self, server: &str) -> Result<bool, NotWritten> {
        self.writing(|connection| write::remove(connection, server))
    }

    /// Calls a server otherwise; one that has that name already is forgotten. Returns whether it was known.
    ///
    /// # Errors
    /// The registry stays as it is.
    pub fn rename(&mut self, server: &str, to: &ServerName) -> Result<bool, NotWritten> {
        self.writing(|connection| write::rename(connection, server, to))
    }

    /// Has the main file hold everything, so that what the file system says about it stays true until the next change.
    fn settle(&self) {
        if let Some(connection) = &self.connection {
            // Whoever reads at this moment keeps it from being done, and nothing but time is lost.
            let _ = schema::settle(connection);
        }
        place::owner_only(&self.path);
    }

    fn connect(&mut self) {
        match self.access {
            Access::Read => match place::open_to_read(&self.path) {
                Ok(connection) => self.connection = connection,
                Err(fault) => self.note(fault.into_note(&self.path)),
            },
            Access::Write => self.take(place::open_to_write(&self.path, self.has_turn())),
        }
        self.identity = place::identity(&self.path);
    }

    /// Takes what came of opening to write; where that is nothing, it is read as far as it can be.
    fn take(&mut self, opened: Result<(Connection, Option<Note>), Fault>) {
        match opened {
            Ok((connection, aside)) => {
                self.connection = Some(connection);
                aside.into_iter().for_each(|note| self.note(note));
            }
            Err(fault) => {
                self.note(fault.into_note(&self.path));
                self.access = Access::Read;
                self.connection = place::open_to_read(&self.path).ok().flatten();
            }
        }
    }

    /// Returns whether we have the turn, and need not wait for it.
    fn has_turn(&self) -> bool {
        self.turn.strong_count() > 0
    }

    /// Runs a query; where the database is damaged, nothing is found.
    fn reading<T: Default>(&mut self, query: impl Fn(&Connection) -> rusqlite::Result<T>) -> T {
        let Some(connection) = &self.connection else { return T::default() };
        let found = query(connection).map_err(|error| Fault::of(&error));
        self.unseen = matches!(found, Err(Fault::Busy));
        let fault = match found {
            Ok(found) => return found,
            Err(fault) => fault,
        };
        self.found(fault);
        T::default()
    }

    /// Changes something, in one transaction; a database that turns out to be damaged is put aside first.
    fn writing<T>(&mut self, change: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, NotWritten> {
        let mut again = true;
        loop {
            let fault = match &mut self.connection {
                Some(connection) if self.access == Access::Write => match changed(connection, &change) {
                    Ok(done) => return Ok(done),
                    Err(error) => Fault::of(&error),
                },
                _ => return Err(NotWritten::only_read(&self.path, self.notes.last())),
            };
            if !again || !matches!(fault, Fault::Damaged(_)) {
                return Err(NotWritten::because(&self.path, &fault));
            }
            self.found(fault);
            again = false;
        }
    }

    /// Something is wrong with the database.
    fn found(&mut self, fault: Fault) {
        if let (Fault::Damaged(why), Access::Write) = (&fault, self.access) {
            self.connection = None;
            let opened = place::renew(&self.path, self.identity, Some(why), self.has_turn());
            self.take(opened);
            self.identity = place::identity(&self.path);
            return;
        }
        self.note(fault.into_note(&self.path));
    }

    /// Notes what is the matter, each thing once, and not for ever.
    fn note(&mut self, note: Note) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

fn changed<T>(
    connection: &mut Connection,
    change: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    // Whoever means to write says so at the beginning: two who read first, and then want to write, would both fail.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = change(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
