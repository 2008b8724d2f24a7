//! `service`: Switchboard among the services of the system.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod manager;
#[cfg(target_os = "linux")]
mod systemd;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use systemd as system;

use switchboard_host::dirs::Env;

use crate::cli::Service;
use crate::fail::{Done, Failure};
use crate::ui::{To, Ui};

/// Installs, removes or shows the services.
///
/// # Errors
/// A file cannot be written, or is somebody else's and nobody agreed to its going.
pub(crate) fn run(verb: Service, env: Env, ui: &Ui) -> Done {
    if matches!(ui.to, To::Record(_)) {
        return Err(Failure::usage("change services in somebody else's name")
            .hint("run `switchboard service` on the machine itself"));
    }
    match verb {
        Service::Install(args) => system::install(env, ui, args),
        Service::Uninstall { client } => system::uninstall(env, ui, client.as_deref()),
        Service::Status => system::status(env, ui),
    }
}
