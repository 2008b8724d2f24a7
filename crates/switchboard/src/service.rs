//! What the system's own supervisor is to be told of us, as texts: nothing here touches the machine.

pub(crate) mod every;
pub(crate) mod quote;
pub(crate) mod stamp;
pub(crate) mod systemd;

use std::path::PathBuf;

/// A file for the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The name of its file.
    pub(crate) name: String,
    /// What it says, without the line by which we know it again.
    pub(crate) text: String,
}

/// What every unit depends on.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// This program, in full.
    pub(crate) program: PathBuf,
    /// Variables that say where files are, and where programs are found.
    pub(crate) vars: Vec<(&'static str, String)>,
}

/// Where the daemon is reached, when the supervisor is to hold its sockets.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    /// The address of the HTTP port.
    pub(crate) http: String,
    /// The path of the control socket.
    pub(crate) control: PathBuf,
}

/// A client's file to be pulled every now and then.
#[derive(Clone, Debug)]
pub(crate) struct Pull {
    /// The other switchboard.
    pub(crate) url: String,
    /// The client.
    pub(crate) client: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Where the token is.
    pub(crate) token: Option<String>,
    /// How often.
    pub(crate) every: every::Every,
}

/// Why a unit cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAUnit {
    /// A path or value that no unit file can hold.
    #[error("`{0}` has characters in it that a unit file cannot hold")]
    Text(String),
}
