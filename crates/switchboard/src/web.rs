//! How we ask others over HTTP.

mod get;
mod lost;
mod retry_after;
mod stream;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};
use std::time::Duration;

use reqwest::{Client, Url, redirect};

pub(crate) use get::{get, good};
pub(crate) use lost::Lost;
pub(crate) use stream::{Sign, Stream};

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

/// Returns whether an address leads to this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns bytes so that they are one part of a path, whatever they are (RFC 3986, 2.3).
pub(crate) fn part_of_path(bytes: &[u8]) -> PercentEncode<'_> {
    const OPEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encode(bytes, OPEN)
}
