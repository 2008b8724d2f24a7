//! The server's address, and requests to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Request, Response, Url};
use switchboard_host::secret::Secret;

use super::error::RemoteError;
use super::trouble::Trouble;

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// A server at its address, with the headers that the catalogue gives it.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// What the catalogue calls it.
    pub(super) server: String,
    /// Its address.
    pub(super) url: Url,
    headers: HeaderMap,
    client: Client,
}

impl Endpoint {
    pub(super) fn new(
        server: &str,
        url: &Secret,
        headers: &BTreeMap<String, Secret>,
    ) -> Result<Self, RemoteError> {
        let url = Url::parse(url.expose()).map_err(|_| RemoteError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(RemoteError::Url);
        }
        let headers = headers.iter().map(header).collect::<Result<_, _>>()?;
        let client = crate::web::client(is_loopback(&url)).map_err(RemoteError::Client)?;
        Ok(Self { server: server.to_owned(), url, headers, client })
    }

    /// Sends a request to `url`, with the catalogue's headers and `more` on top.
    ///
    /// Redirects are followed within the origin only, and with the same method: the headers are meant for this origin,
    /// and a message is no form.
    pub(super) async fn send(
        &self,
        method: &Method,
        url: &Url,
        more: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Result<Response, Trouble> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(method.clone(), url.clone());
            request.headers_mut().clone_from(&self.headers);
            for (name, value) in more {
                request.headers_mut().insert(name, value.clone());
            }
            *request.body_mut() = body.map(|body| body.clone().into());
            let response = self.client.execute(request).await?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let target =
                response.headers().get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
            url = match target {
                Some(target) if target.origin() == self.url.origin() => target,
                Some(target) => return Err(Trouble::Elsewhere(target.origin().ascii_serialization())),
                None => return Ok(response),
            };
        }
        Err(Trouble::Circles)
    }
}

fn header((name, value): (&String, &Secret)) -> Result<(HeaderName, HeaderValue), RemoteError> {
    let refused = || RemoteError::Header(name.clone());
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// A proxy of the environment cannot reach what runs on this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
