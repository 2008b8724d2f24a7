//! How we ask others over HTTP.

use std::time::Duration;

use reqwest::{Client, Url, redirect};

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

/// Returns bytes in Base64, as headers hold them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(if digit <= group.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    out
}
