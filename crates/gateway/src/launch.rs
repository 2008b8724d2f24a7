//! How a gateway gets at a server: whoever owns the machine starts it, or says where it is.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::Remote;
use switchboard_core::name::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::trouble::HINT;

/// Starts servers, and says where those are that are not started.
///
/// The gateway itself knows no process, no file and no secret.
pub trait Launcher: Send + Sync {
    /// Starts a child process with its values in place, or returns where a remote server is.
    ///
    /// `root` is the project of the client that asks, for `${root}`.
    ///
    /// # Errors
    /// It could not be started; the sentence fits after "is not to be had:".
    fn launch<'a>(
        &'a self,
        server: &'a Server,
        root: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<Launched, LaunchError>>;

    /// Returns the header `Authorization` for a remote server that a person logged in to; `None` where there is none.
    ///
    /// # Errors
    /// There was a login, and it is over: the sentence says what to do.
    fn authorization<'a>(
        &'a self,
        _server: &'a Server,
        _url: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, LaunchError>> {
        Box::pin(async { Ok(None) })
    }

    /// Has whoever owns the catalogue look at it again.
    fn reload(&self) {}

    /// Is told that a server offers something else than was known of it.
    fn offers(&self, _server: &ServerName) {}

    /// Is told that a remote server refused (401 or 403) what it was `shown`, with its `WWW-Authenticate`. Returns
    /// whether it may be worth trying once more with a new [`Launcher::authorization`].
    fn refused<'a>(
        &'a self,
        _server: &'a Server,
        _url: &'a str,
        _shown: Option<&'a str>,
        _status: u16,
        _challenge: Option<&'a str>,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }
}

/// Why a server could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchError {
    /// What went wrong, as a fragment that fits after a colon.
    pub what: String,
    /// What a person can do about it.
    pub help: Option<String>,
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.help {
            Some(help) => write!(f, "{HINT}{help}"),
            None => Ok(()),
        }
    }
}

/// A server that can be spoken to.
pub enum Launched {
    /// A child process.
    Child(Child),
    /// An HTTP endpoint, with its secrets in place.
    Remote {
        /// Which transport it speaks.
        kind: Remote,
        /// Its address.
        url: String,
        /// Headers sent with each request.
        headers: Vec<(String, String)>,
    },
}

/// A child process, as far as the gateway is concerned.
pub struct Child {
    /// Its standard input.
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    /// Its standard output.
    pub stdout: Pin<Box<dyn AsyncRead + Send>>,
    /// Its standard error.
    pub stderr: Pin<Box<dyn AsyncRead + Send>>,
    /// Ends when the process has ended, and says how.
    pub ended: BoxFuture<'static, String>,
    /// Its process, once that is known.
    pub pid: Arc<OnceLock<u32>>,
    /// Ends it, and all that it started, when dropped.
    pub hold: Box<dyn Send>,
}
