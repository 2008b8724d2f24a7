//! The doors by which requests come in: addresses of the network, and the control socket.

mod connection;
mod open;
mod patient;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::peer::Listen;
use super::{Api, Peer};
use connection::{converse, refuse};
use patient::Stream;

pub(crate) use open::{Opened, are_asked_for, given, judged, open};

/// How many connections one door has at once. Behind that, the newest are refused.
const MOST: usize = 24_000;

/// How long accepting waits after it failed for want of something that comes back, such as descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// How long those who are inside have to end, once nobody is let in any more. It may be said until then.
#[derive(Clone, Debug)]
pub(crate) struct Grace(Arc<AtomicU64>);

impl Grace {
    pub(crate) fn new(grace: Duration) -> Self {
        let own = Self(Arc::default());
        own.set(grace);
        own
    }

    pub(crate) fn set(&self, grace: Duration) {
        self.0.store(u64::try_from(grace.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A door that is open.
#[derive(Debug)]
pub(crate) enum Door {
    /// On the network.
    Tcp(TcpListener, Arc<Listen>),
    /// The control socket.
    #[cfg(unix)]
    Control(UnixListener),
}

impl Door {
    /// Returns the address, of a door on the network.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, listen) => Some(listen.at),
            #[cfg(unix)]
            Self::Control(_) => None,
        }
    }

    /// Returns the socket once more.
    ///
    /// # Errors
    /// There are no descriptors left.
    #[cfg(unix)]
    pub(crate) fn socket(&self) -> io::Result<std::os::fd::OwnedFd> {
        use std::os::fd::AsFd as _;
        match self {
            Self::Tcp(listener, _) => listener.as_fd().try_clone_to_owned(),
            Self::Control(listener) => listener.as_fd().try_clone_to_owned(),
        }
    }

    /// Waits for somebody to come in. `None` for somebody who may not, or who left again at once.
    async fn accept(&self) -> io::Result<Option<(Stream, Peer)>> {
        match self {
            Self::Tcp(listener, listen) => {
                let (stream, from) = listener.accept().await?;
                let to = stream.local_addr()?;
                // Events are small, and are wanted now.
                let _ = stream.set_nodelay(true);
                Ok(Some((Stream::Tcp(stream), Peer::Tcp { from, to, door: Arc::clone(listen) })))
            }
            #[cfg(unix)]
            Self::Control(listener) => {
                let (stream, _) = listener.accept().await?;
                let own = rustix::process::geteuid().as_raw();
                let may = stream.peer_cred().is_ok_and(|who| who.uid() == own || who.uid() == 0);
                Ok(may.then_some((Stream::Unix(stream), Peer::Control)))
            }
        }
    }
}

/// Lets requests in by these doors until `drain`, then gives those that are under way `grace` to end.
pub(crate) async fn serve(doors: Vec<Door>, api: Api, drain: CancellationToken, grace: Grace) {
    let (cut, tasks) = (CancellationToken::new(), TaskTracker::new());
    for door in doors {
        tasks.spawn(attend(door, api.clone(), drain.clone(), cut.clone(), tasks.clone()));
    }
    tasks.close();
    drain.cancelled().await;
    if tokio::time::timeout(grace.get(), tasks.wait()).await.is_err() {
        cut.cancel();
        tasks.wait().await;
    }
}

/// Lets requests in by one door.
async fn attend(door: Door, api: Api, drain: CancellationToken, cut: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let came = tokio::select! {
            biased;
            () = drain.cancelled() => return,
            came = door.accept() => came,
        };
        match came {
            Ok(Some((stream, peer))) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let talk = converse(stream, peer, api.clone(), drain.clone(), cut.clone());
                    let (drain, cut, live) = (drain.clone(), cut.clone(), tasks.clone());
                    let place = (place, api.visits().begin());
                    tasks.spawn(async move {
                        let Some(events) = talk.await else { return drop(place) };
                        // A task of its own: this one is as large as all that it ever did.
                        live.spawn(async move {
                            events.run(drain, cut).await;
                            drop(place);
                        });
                    });
                }
                Err(_) => refuse(&stream),
            },
            Ok(None) => {}
            Err(error) if is_their_fault(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a door could not let anybody in");
                tokio::select! {
                    () = drain.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

/// Returns whether only the one who came is concerned: they left before we looked.
fn is_their_fault(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
