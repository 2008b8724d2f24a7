//! The gateway in the daemon: how servers are started on this machine, and what is kept of them.

mod keeper;
#[cfg(unix)]
mod launcher;

use std::sync::Arc;

use switchboard_core::catalogue::Server;
use switchboard_gateway::Gateway;
use switchboard_host::dirs::{Dirs, Env};
use tokio::runtime::Handle;

use super::inbox::Inbox;

/// Returns a gateway without servers, over this home.
pub(crate) fn open(handle: &Handle, dirs: &Dirs, env: &Env, inbox: &Inbox) -> Gateway {
    let keeper = Arc::new(keeper::Kept::new(handle.clone(), dirs));
    #[cfg(unix)]
    let launcher = Arc::new(launcher::Starter::new(handle.clone(), dirs.clone(), env.clone(), inbox.clone()));
    #[cfg(not(unix))]
    let launcher = Arc::new(launcher_elsewhere::Nothing);
    Gateway::new(handle.clone(), launcher, keeper)
}

/// Returns what tells one version of a server from another: how it is launched, and whether its process is shared. What
/// else is said of it may change while it runs.
pub(crate) fn version(server: &Server) -> String {
    format!("{} {:?}", server.launch.fingerprint(), server.isolation)
}

/// On this system no server can be started yet.
#[cfg(not(unix))]
mod launcher_elsewhere {
    use std::path::Path;

    use futures_util::future::BoxFuture;
    use switchboard_core::catalogue::Server;
    use switchboard_gateway::{LaunchError, Launched, Launcher};

    pub(super) struct Nothing;

    impl Launcher for Nothing {
        fn launch<'a>(
            &'a self,
            _: &'a Server,
            _: Option<&'a Path>,
        ) -> BoxFuture<'a, Result<Launched, LaunchError>> {
            let what = "servers need a Unix system for now".to_owned();
            Box::pin(async move { Err(LaunchError { what, help: None }) })
        }
    }
}
