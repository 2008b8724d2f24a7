//! Starts servers under guard, with their values in place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use switchboard_gateway::trouble::HINT;
use switchboard_gateway::{Child, LaunchError, Launched, Launcher};
use switchboard_host::child::{ChildError, End, Ended, Grace, Guarded, Prepared, Wiring};
use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::resolve::{Resolved, Resolver};
use switchboard_host::secret::{FileSecrets, Secret};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::runtime::Handle;
use tracing::warn;

use super::super::inbox::Inbox;
use crate::approval::may_start;
use crate::login::Tokens;

/// Starts the servers of one home.
#[derive(Clone)]
pub(super) struct Starter(Arc<Inside>);

struct Inside {
    handle: Handle,
    dirs: Dirs,
    env: Env,
    environment: BTreeMap<OsString, OsString>,
    logins: Tokens,
    inbox: Inbox,
}

impl Starter {
    pub(super) fn new(handle: Handle, dirs: Dirs, env: Env, inbox: Inbox) -> Self {
        let environment = env.vars().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let logins = Tokens::new(&dirs);
        Self(Arc::new(Inside { handle, dirs, env, environment, logins, inbox }))
    }
}

impl Launcher for Starter {
    fn launch<'a>(
        &'a self,
        server: &'a Server,
        root: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<Launched, LaunchError>> {
        let (this, server, root) = (self.clone(), server.clone(), root.map(Path::to_path_buf));
        Box::pin(async move {
            // References may ask programs and files, which takes the time it takes.
            let inside = Arc::clone(&this.0);
            let started = this.0.handle.spawn_blocking(move || inside.start(&server, root.as_ref())).await;
            match started {
                Ok(Ok(Started::Child(guarded))) => child(*guarded).map_err(|error| io(&error)),
                Ok(Ok(Started::Remote(remote))) => Ok(remote),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(LaunchError { what: "starting it failed inside".to_owned(), help: None }),
            }
        })
    }

    fn offers(&self, server: &ServerName) {
        self.0.inbox.put(|waiting| {
            waiting.offers.insert(server.clone());
        });
    }

    fn reload(&self) {
        self.0.inbox.put(|waiting| waiting.reload = true);
    }

    fn authorization<'a>(
        &'a self,
        server: &'a Server,
        url: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, LaunchError>> {
        Box::pin(async move {
            let bearer = self.0.logins.bearer(server.name.as_str(), url).await;
            let bearer =
                bearer.map_err(|error| LaunchError { what: error.to_string(), help: Some(error.help()) })?;
            Ok(bearer.map(|token| format!("Bearer {}", token.expose())))
        })
    }

    fn refused<'a>(
        &'a self,
        server: &'a Server,
        url: &'a str,
        shown: Option<&'a str>,
        status: u16,
        challenge: Option<&'a str>,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(used) = shown.and_then(|shown| shown.strip_prefix("Bearer ")) else { return false };
            let used = Secret::from(used);
            let name = server.name.as_str();
            let again = self.0.logins.rejected(name, url, &used, status, challenge).await;
            matches!(again, Ok(Some(_)))
        })
    }
}

enum Started {
    Child(Box<Guarded>),
    Remote(Launched),
}

impl Inside {
    fn start(&self, server: &Server, root: Option<&PathBuf>) -> Result<Started, LaunchError> {
        let name = server.name.as_str();
        may_start(&self.dirs, name, &server.launch).map_err(|failure| LaunchError {
            what: failure.sentence(),
            help: failure.hints.first().cloned(),
        })?;
        let secrets = FileSecrets::new(self.dirs.secrets());
        let doubt = |text: &str| warn!(server = name, "{text}");
        let resolver = Resolver {
            environment: &self.environment,
            home: self.env.home(),
            root: root.map(PathBuf::as_path),
            secrets: &secrets,
            warn: &doubt,
        };
        let resolved = resolver
            .launch(&server.launch)
            .map_err(|error| LaunchError { what: error.to_string(), help: Some(error.help()) })?;
        match resolved {
            Resolved::Stdio(command) => {
                let prepared = Prepared::new(name, &command, &self.environment, Grace::default());
                let guarded = prepared.and_then(|prepared| prepared.start(Wiring::Piped));
                guarded.map(|guarded| Started::Child(Box::new(guarded))).map_err(|error| not_started(&error))
            }
            Resolved::Remote { kind, url, headers } => {
                let headers =
                    headers.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect();
                Ok(Started::Remote(Launched::Remote { kind, url: url.expose().to_owned(), headers }))
            }
        }
    }
}

fn not_started(error: &ChildError) -> LaunchError {
    LaunchError { what: error.to_string(), help: error.help() }
}

fn io(error: &std::io::Error) -> LaunchError {
    LaunchError { what: format!("its pipes cannot be used: {error}"), help: None }
}

/// Returns a server under guard as the gateway uses it.
fn child(mut guarded: Guarded) -> std::io::Result<Launched> {
    let gone = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let stdin = guarded.stdin.take().ok_or_else(gone)?;
    let stdout = guarded.stdout.take().ok_or_else(gone)?;
    let stderr = guarded.stderr.take().ok_or_else(gone)?;
    // Another handle on the guard's socket, only to be woken by it: the guard is heard by `guarded` alone.
    let bell = std::os::unix::net::UnixStream::from(guarded.as_fd().try_clone_to_owned()?);
    let bell = UnixStream::from_std(bell)?;
    let pid = Arc::new(OnceLock::new());
    let held = Arc::new(Mutex::new(guarded));
    let (watched, known) = (Arc::clone(&held), Arc::clone(&pid));
    let ended = async move {
        loop {
            if bell.readable().await.is_err() {
                return "it was lost".to_owned();
            }
            let mut guarded = watched.lock().unwrap_or_else(PoisonError::into_inner);
            // Within the look at the bell: what is said after this rings it again.
            let mut ended = None;
            let _ = bell.try_io(Interest::READABLE, || {
                ended = guarded.ended();
                Err::<(), _>(std::io::ErrorKind::WouldBlock.into())
            });
            if let Some(pid) = guarded.pid() {
                let _ = known.set(pid);
            }
            if let Some(ended) = ended {
                return how(ended);
            }
        }
    };
    Ok(Launched::Child(Child {
        stdin: Pin::from(Box::new(pipe::Sender::from_owned_fd(OwnedFd::from(stdin))?)),
        stdout: Pin::from(Box::new(pipe::Receiver::from_owned_fd(OwnedFd::from(stdout))?)),
        stderr: Pin::from(Box::new(pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?)),
        ended: Box::pin(ended),
        pid,
        hold: Box::new(Hold(held)),
    }))
}

/// Ends the server, and all that it started, when dropped. Whoever still waits for its end hears of it when nothing is
/// left.
struct Hold(Arc<Mutex<Guarded>>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ask(End::TERM);
    }
}

/// Says how a server ended, as a fragment that fits after a colon.
fn how(ended: Result<Ended, ChildError>) -> String {
    match ended {
        Ok(Ended::Exited(code)) => format!("it ended with code {code}"),
        Ok(Ended::Killed(signal)) => format!("it was ended by signal {signal}"),
        Err(error) => match error.help() {
            Some(help) => format!("{error}{HINT}{help}"),
            None => error.to_string(),
        },
    }
}
