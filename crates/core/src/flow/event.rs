//! What can happen to a daemon. The list is closed: what is not here does not move it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::service::Versions;
use crate::name::{ClientId, ServerName};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file says something else than when it was last read.
    Changed(Source),
    /// Everything is to be looked at again: the daemon begins, or somebody says so (SIGHUP, `POST /api/v1/reload`).
    Reload,
    /// Somebody asks for a command to be run.
    Asked,
    /// A time came that a plan had been waiting for.
    Due,
    /// The daemon is to end.
    Stop,
    /// The commands that were waiting have been run; they may have changed anything in the home.
    Answered,
    /// Commands wait for a home that is in somebody else's hands for the moment.
    Held,
    /// Our own files were read.
    Read(Reading),
    /// Our own files could not be read, or the home is in somebody else's hands for the moment.
    Unread,
    /// The doors are as the settings ask; or they could not be opened, and the old ones stay.
    Opened,
    /// A revision was put on the board, from where everybody has it.
    Announced(u64),
    /// A version of a server was started beside what is in service.
    Started(ServerName, String),
    /// A version of a server answers now, or could not be brought to.
    Came(ServerName, String, bool),
    /// These versions of servers are in service, with what else was said of them.
    Published(Versions, String),
    /// A version of a server was told to go once its calls have ended.
    Retired(ServerName, String),
    /// A client's file was looked at, and written where that was due.
    Tended(ClientId, Outcome),
    /// A server offers something else than was known of it.
    Offers(ServerName),
    /// What a server offers is in the registry.
    Recorded(ServerName),
    /// What a server offers could not be put into the registry, and that may be otherwise in a while.
    Unrecorded(ServerName),
    /// The policy of tools is up to date with them, as far as that can be.
    Judged,
    /// The files that matter are watched.
    Watched,
}

/// A file that matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The catalogue.
    Catalogue,
    /// The settings.
    Settings,
    /// The policy of tools.
    Policy,
    /// The file of a linked client.
    Client(ClientId),
}

/// What our own files say, as far as it decides what is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The number of the revision in service; 0 before the first.
    pub revision: u64,
    /// Stands for all settings by which doors are opened: equal when they are.
    pub doors: String,
    /// The servers to be served, each with its version.
    pub servers: Versions,
    /// Stands for everything that decides how they are served, beside their versions: equal when that is.
    pub service: String,
    /// Stands for everything that the policy of tools depends on, beside what servers offer: equal when that is.
    pub policy: String,
    /// The linked clients.
    pub clients: BTreeMap<ClientId, Client>,
}

/// What is known of a linked client before its file is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its file is written at once: it is in auto mode, and writing is not switched off.
    pub auto: bool,
    /// Stands for everything that decides what its file should say, beside the catalogue: equal when that is.
    pub settings: String,
}

/// What came of looking at a client's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It says what it should, or what it says is for a person to decide about.
    Rest,
    /// It was not written, and that may be otherwise in a while.
    Again,
}

/// How long a client's file that could not be written is left in peace: longer after each try.
pub(super) fn pause(tries: u32) -> Duration {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);
    FIRST.saturating_mul(1 << tries.min(6)).min(LONGEST)
}
