//! `connect`: what a client runs, a pipe between its standard streams and the daemon's door to a server ([`laid`]).
//!
//! An entry of a client's own file is tried without the daemon ([`run`]): a stdio server holds the client's own pipes, so that nothing stands in the way of its bytes. To a remote server
//! each line is a request of its own, and each message that comes back a line.

use std::io::{self, Write as _};

use switchboard_core::launch::Launch;
use switchboard_host::child::{ChildError, Grace, Standby, Wiring};
use switchboard_host::resolve::{ResolveError, Resolved, Resolver};

use crate::login::Tokens;

#[cfg(unix)]
mod door;
#[cfg(unix)]
mod head;
#[cfg(unix)]
mod laid;
#[cfg(unix)]
mod lane;
#[cfg(unix)]
mod out;
#[cfg(unix)]
mod peek;
#[cfg(unix)]
mod pump;
mod remote;
#[cfg(unix)]
mod replay;
#[cfg(unix)]
mod stdio;
#[cfg(unix)]
mod wake;
#[cfg(unix)]
mod wishes;

#[cfg(unix)]
pub(crate) use door::Target;
#[cfg(unix)]
pub(crate) use laid::lay;
#[cfg(unix)]
pub(crate) use wake::{WAKE, run as wake};

pub use remote::RemoteError;

/// What surrounds a pipe.
pub struct Context<'a> {
    /// Where values come from; its environment is also what a server's environment is made of.
    pub resolver: Resolver<'a>,
    /// How long a server is waited for when it is to end.
    pub grace: Grace,
    /// Where tokens for remote servers come from; `None` where no login counts.
    pub tokens: Option<Tokens>,
}

/// Why a pipe could not be laid, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A value of the server is not to be had.
    #[error("could not start `{server}`: {source}")]
    Resolve {
        /// The server.
        server: String,
        /// The field and the reason.
        source: Box<ResolveError>,
    },
    /// The server could not be started, or was lost.
    #[cfg(unix)]
    #[error("could not start `{server}`: {source}")]
    Child {
        /// The server.
        server: String,
        /// The reason.
        source: ChildError,
    },
    /// The remote server cannot be spoken with at all.
    #[error("could not reach `{server}`: {source}")]
    Remote {
        /// The server.
        server: String,
        /// The reason.
        source: RemoteError,
    },
    /// This process could not be set up.
    #[error("could not connect `{server}`: {source}")]
    Setup {
        /// The server.
        server: String,
        /// What the machine said.
        source: io::Error,
    },
    /// Child processes are not started on this system yet.
    #[cfg(not(unix))]
    #[error("could not start `{0}`: servers of type `stdio` need a Unix system for now")]
    Unsupported(String),
}

impl ConnectError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Resolve { source, .. } => Some(source.help()),
            #[cfg(unix)]
            Self::Child { source, .. } => source.help(),
            Self::Remote { source, .. } => source.help(),
            Self::Setup { .. } => None,
            #[cfg(not(unix))]
            Self::Unsupported(_) => None,
        }
    }
}

/// Has a guard stand by for `server` while it is read what that is.
///
/// # Errors
/// It could not be started; that matters once it turns out that the server needs a guard.
pub fn stand_by(server: &str) -> Result<Standby, ChildError> {
    Standby::start(server, Wiring::Inherited)
}

/// Lays the pipe, and returns the exit code when the server or the client has ended it.
///
/// The code is the server's own, 128 and the signal's number if a signal ended it; for a remote server 0 when the
/// client went.
///
/// # Errors
/// The server cannot be started or reached. What has been written to standard output until then stays.
pub fn run(
    server: &str,
    launch: &Launch,
    context: &Context<'_>,
    guard: Result<Standby, ChildError>,
) -> Result<u8, ConnectError> {
    let resolved = context
        .resolver
        .launch(launch)
        .map_err(|source| ConnectError::Resolve { server: server.to_owned(), source: Box::new(source) })?;
    match resolved {
        #[cfg(unix)]
        Resolved::Stdio(command) => stdio::run(server, &command, context, guard),
        #[cfg(not(unix))]
        Resolved::Stdio(_) => Err(ConnectError::Unsupported(server.to_owned())),
        Resolved::Remote { kind, url, headers } => {
            // There is no process to watch over.
            drop(guard);
            remote::run(server, kind, &url, &headers, context.tokens.clone())
        }
    }
}

/// Says a sentence to whoever reads the client's log of this server.
pub fn say(sentence: &str) {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr(), "switchboard: {sentence}");
}
