//! What can go wrong on a bus.

use std::fmt;

use super::{Interface, Kind};

/// Why the bus is not there, or did not take something. None of it is a reason for the daemon to stop.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// This build, or this system, has none.
    #[error("this build has no D-Bus")]
    NotBuilt,
    /// The setting is no interface's name.
    #[error("`{}` cannot be `dbus_interface`: {why}", name.escape_default())]
    Interface {
        /// What the setting says.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no bus, or it does not let us in.
    #[error("the {bus} cannot be reached")]
    Unreachable {
        /// The bus.
        bus: Kind,
        /// What the library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("the {bus} did not answer within {} s", PATIENCE.as_secs())]
    Slow {
        /// The bus.
        bus: Kind,
    },
    /// The name belongs to another process.
    #[error("`{name}` belongs to {}", shown(owner.as_ref()))]
    Taken {
        /// The name.
        name: Interface,
        /// Who has it; `None` if it was let go meanwhile.
        owner: Option<Owner>,
    },
    /// The rules of the bus do not let us own the name.
    #[error("the {bus} does not let this user own `{name}`")]
    NotAllowed {
        /// The bus.
        bus: Kind,
        /// The name.
        name: Interface,
    },
    /// The connection has ended.
    #[error("the {bus} has gone")]
    Gone {
        /// The bus.
        bus: Kind,
    },
    /// The text cannot be sent.
    #[error("a text with a zero byte cannot be sent over D-Bus")]
    ZeroByte,
}

/// How long the bus may take to answer, or to accept what it is sent.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// Who owns a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// What the bus calls the connection: `:1.42`.
    pub connection: String,
    /// Its process, where the bus knows it.
    pub pid: Option<u32>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} (`{}`)", self.connection),
            None => write!(f, "the connection `{}`", self.connection),
        }
    }
}

fn shown(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "another process".to_owned(), ToString::to_string)
}

impl BusError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotBuilt => Some("set `dbus_notify = false`, or build with `--features dbus`".to_owned()),
            Self::Interface { .. } => Some(
                "write it as `dbus_interface = \"org.opdbus.MCP\"`: two or more words with dots".to_owned(),
            ),
            Self::Unreachable { bus: Kind::Session, .. } => Some(
                "set `DBUS_SESSION_BUS_ADDRESS` where the daemon is started, or `dbus_notify = false`"
                    .to_owned(),
            ),
            Self::Unreachable { bus: Kind::System, .. } | Self::Slow { .. } => {
                Some("see whether it runs with `busctl status`, or set `dbus_notify = false`".to_owned())
            }
            Self::Taken { owner: Some(Owner { pid: Some(pid), .. }), .. } => {
                Some(format!("see who it is with `ps -p {pid}`, or choose another `dbus_interface`"))
            }
            Self::Taken { .. } => Some("choose another `dbus_interface`".to_owned()),
            Self::NotAllowed { bus: Kind::System, name } => Some(format!(
                "allow it in `/etc/dbus-1/system.d`: `<allow own=\"{name}\"/>`; `switchboard service install` writes the whole file"
            )),
            Self::NotAllowed { bus: Kind::Session, .. } => Some("set `dbus_notify = false`".to_owned()),
            Self::Gone { .. } | Self::ZeroByte => None,
        }
    }
}
