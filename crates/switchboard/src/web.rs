//! How we ask others over HTTP.

use std::time::Duration;

use reqwest::{Client, redirect};

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Returns a client that follows nobody elsewhere with what it carries, and says who it is.
///
/// # Errors
/// There is no HTTP here.
pub(crate) fn client(on_this_machine: bool) -> reqwest::Result<Client> {
    // An error means that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIME)
        .tcp_keepalive(Duration::from_secs(30))
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")));
    // A proxy of the environment cannot reach what runs on this machine.
    if on_this_machine { client.no_proxy().build() } else { client.build() }
}
