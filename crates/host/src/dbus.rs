//! The change signal on the session or system bus.
//!
//! ```text
//! signal    ConfigUpdated(s)          the JSON of `_version`, whenever the catalogue changed
//! property  Version (s)               the same JSON, to be read at any time; its change is told as usual
//! method    GetConfig(s client) -> s  answered by the daemon, for callers of the same user
//! method    Sync() -> s               likewise
//! ```
//!
//! The signal is a hint without secrets, and no signal is ever listened to: whoever sends one in our name moves nothing
//! here. On the system bus, D-Bus itself asks for a file in `/etc/dbus-1/system.d` that lets the user own the name;
//! [`policy()`] is what it says.
//!
//! The interface's name is a setting, known at run time only; zbus's object server wants it when it is compiled. So
//! [`Bus`] reads the calls themselves: `call` decides what one asks for, `desk` who is answered, `service` does it.

#[cfg(not(all(feature = "dbus", target_os = "linux")))]
mod absent;
#[cfg(all(feature = "dbus", target_os = "linux"))]
mod bus;
#[cfg(all(feature = "dbus", target_os = "linux"))]
mod call;
#[cfg(all(feature = "dbus", target_os = "linux"))]
mod desk;
mod error;
mod interface;
#[cfg(all(feature = "dbus", target_os = "linux"))]
mod introspection;
#[cfg(unix)]
mod policy;
mod retry;
#[cfg(all(feature = "dbus", target_os = "linux"))]
mod service;

use std::fmt;
use std::pin::Pin;

#[cfg(not(all(feature = "dbus", target_os = "linux")))]
pub use absent::Bus;
#[cfg(all(feature = "dbus", target_os = "linux"))]
pub use bus::Bus;
pub use error::{BusError, Owner};
pub use interface::Interface;
#[cfg(unix)]
pub use policy::{FOLDER, policy};
pub use retry::pause;

/// Which bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The bus of the user's session.
    #[default]
    Session,
    /// The bus of the machine.
    System,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session bus",
            Self::System => "system bus",
        })
    }
}

/// Where to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The bus.
    pub bus: Kind,
    /// The interface; the bus name and the object path follow from it.
    pub interface: Interface,
    /// The address of the bus, in the place of what the environment says.
    pub address: Option<String>,
}

/// What a question comes to: the answer, or a sentence that says why there is none.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

/// Whoever answers what callers of the same user ask.
///
/// Questions come several at a time. One that takes longer than 25 seconds is dropped where it stands, since the caller
/// has stopped waiting by then.
pub trait Asks: Send + Sync {
    /// Returns the config of `client`, which is a text of the caller's: any text of up to 256 bytes.
    fn config(&self, client: String) -> Answer<'_>;

    /// Brings the clients up to date, and says what came of it.
    fn sync(&self) -> Answer<'_>;
}
