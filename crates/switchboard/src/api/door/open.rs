//! Opening doors: which addresses, and when not.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use switchboard_core::settings::Http;
use tokio::net::{TcpListener, TcpSocket};

use super::super::peer::Listen;
use super::Door;
use crate::fail::{Code, Failure};

/// How many connections the system keeps for us until we look.
const BACKLOG: u32 = 4096;

/// Doors that were opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) doors: Vec<Door>,
    /// What a person should know about them.
    pub(crate) warnings: Vec<String>,
}

/// Opens the doors on the network that the settings ask for. Has to be called within a runtime.
///
/// # Errors
/// The address is none, is taken, or would let anybody in.
pub(crate) fn open(http: &Http) -> Result<Opened, Failure> {
    let what = || format!("listen on {}", http.listen.escape_debug());
    let addresses: Vec<SocketAddr> = http
        .listen
        .to_socket_addrs()
        .map_err(|error| {
            Failure::usage(what()).because(error).hint("write it as ADDRESS:PORT, such as 127.0.0.1:8080")
        })?
        .collect();
    let warnings = judged(http, &addresses)?;
    let mut doors = Vec::new();
    let mut first = None;
    for address in addresses {
        match listen(address) {
            Ok(listener) => doors.push(door(listener, &http.listen).map_err(|error| refused(http, &error))?),
            // A name may stand for addresses that this machine does not have.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => first = first.or(Some(error)),
            Err(error) => return Err(refused(http, &error)),
        }
    }
    match first {
        Some(error) if doors.is_empty() => Err(refused(http, &error)),
        _ => Ok(Opened { doors, warnings }),
    }
}

/// Takes over doors on the network that somebody else opened for us.
///
/// # Errors
/// They would let anybody in.
pub(crate) fn given(listeners: Vec<std::net::TcpListener>, http: &Http) -> Result<Opened, Failure> {
    let failed = |error: io::Error| Failure::failed("listen on the sockets that were passed").because(error);
    let addresses: Vec<SocketAddr> =
        listeners.iter().map(std::net::TcpListener::local_addr).collect::<Result<_, _>>().map_err(failed)?;
    let warnings = judged(http, &addresses)?;
    let adopted = listeners.into_iter().map(|listener| {
        listener.set_nonblocking(true)?;
        door(TcpListener::from_std(listener)?, &http.listen)
    });
    Ok(Opened { doors: adopted.collect::<Result<_, _>>().map_err(failed)?, warnings })
}

/// Returns whether these are the doors that the settings ask for.
pub(crate) fn are_asked_for(listeners: &[std::net::TcpListener], http: &Http) -> bool {
    let Ok(wanted) = http.listen.to_socket_addrs() else { return false };
    let wanted: Vec<SocketAddr> = wanted.collect();
    listeners.iter().all(|listener| {
        listener
            .local_addr()
            .is_ok_and(|at| wanted.iter().any(|one| *one == at || (one.port() == 0 && one.ip() == at.ip())))
    })
}

/// Returns what is to be said about these addresses.
///
/// # Errors
/// They would let anybody in.
pub(crate) fn judged(http: &Http, addresses: &[SocketAddr]) -> Result<Vec<String>, Failure> {
    if http.auth != "none" {
        return Ok(Vec::new());
    }
    if let Some(open) = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        return Err(Failure::new(Code::BadFile, format!("listen on {open} without tokens"))
            .because("anybody on the network could change this machine")
            .hint("set auth = \"token\" in `[http]` of the settings")
            .hint("or stay on this machine: `switchboard serve --listen 127.0.0.1:8080`"));
    }
    Ok(vec!["every program on this machine may change everything: auth is \"none\"".to_owned()])
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn door(listener: TcpListener, written: &str) -> io::Result<Door> {
    let at = listener.local_addr()?;
    Ok(Door::Tcp(listener, Arc::new(Listen::new(at, written))))
}

fn refused(http: &Http, error: &io::Error) -> Failure {
    let failure = Failure::failed(format!("listen on {}", http.listen.escape_debug())).because(error);
    let port = http.listen.rsplit_once(':').map_or("8080", |(_, port)| port);
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let other = port.parse::<u16>().map_or(8081, |port| port.checked_add(1).unwrap_or(8081));
            failure
                .hint(format!("another program has the port, perhaps another daemon; `ss -ltnp 'sport = :{port}'` names it"))
                .hint(format!("take another one: `switchboard serve --listen 127.0.0.1:{other}`"))
        }
        io::ErrorKind::PermissionDenied => {
            failure.hint("ports below 1024 are the system's: `switchboard serve --listen 127.0.0.1:8081`")
        }
        _ => failure.hint("`switchboard serve --listen 127.0.0.1:8081` listens on this machine only"),
    }
}
