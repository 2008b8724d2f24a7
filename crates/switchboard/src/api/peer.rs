//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

/// What the control socket is called.
const CONTROL_NAMES: [&str; 2] = ["localhost", "switchboard"];

/// Who asks, and by which door.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// Somebody on the network.
    Tcp {
        /// Their address.
        from: SocketAddr,
        /// The address of this machine that they reached.
        to: SocketAddr,
        /// The door.
        door: Arc<Listen>,
    },
    /// A process of the same user on the control socket; the door has checked that.
    Control,
}

/// A door on the network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The address that it listens on.
    pub(crate) at: SocketAddr,
    /// What callers may call it, port and all: the values of `Host` that are taken.
    pub(crate) names: Vec<String>,
}

impl Listen {
    /// Returns the door that listens at `at`, as which the settings have `written`.
    pub(crate) fn new(at: SocketAddr, written: &str) -> Self {
        let port = at.port();
        let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        if !at.ip().is_unspecified() {
            let ip = at.ip();
            hosts.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        }
        // A name that a person wrote down is theirs.
        if let Some((host, _)) = written.rsplit_once(':') {
            let is_any = host.is_empty() || matches!(host, "0.0.0.0" | "[::]" | "*");
            hosts.extend((!is_any).then(|| host.to_ascii_lowercase()));
        }
        let mut names: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
        if port == 80 {
            names.extend(hosts);
        }
        names.sort();
        names.dedup();
        Self { at, names }
    }
}

impl Peer {
    /// Returns whether nobody but this machine can be meant: both ends are its own.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp { from, door, .. } => {
                from.ip().to_canonical().is_loopback() && door.at.ip().is_loopback()
            }
            Self::Control => true,
        }
    }

    /// Returns whether the door may be called so. A name that a person did not write down could be anybody's, and lead here
    /// today only; an address cannot.
    pub(super) fn reached(&self, host: &str) -> bool {
        match self {
            Self::Tcp { to, door, .. } => {
                door.names.iter().any(|name| name == host) || to.to_string() == host
            }
            Self::Control => CONTROL_NAMES.contains(&host),
        }
    }

    /// Returns whether they came by the control socket.
    pub(crate) fn is_control(&self) -> bool {
        matches!(self, Self::Control)
    }
}
