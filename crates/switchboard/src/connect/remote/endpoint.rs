//! The server's address, and requests to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Request, Response, Url};
use switchboard_host::secret::Secret;

use super::error::RemoteError;
use super::trouble::Trouble;
use crate::login::{NoToken, Tokens};

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
    login: Option<Login>,
}

/// The login that counts for this address, if there is one.
#[derive(Clone)]
struct Login {
    tokens: Tokens,
    server: String,
    url: Secret,
}

impl Login {
    async fn bearer(&self) -> Result<Option<Secret>, NoToken> {
        self.tokens.bearer(&self.server, self.url.expose()).await
    }

    /// Returns the token to try once more with, after `response` to a request with the token `used`.
    async fn after(&self, response: &Response, used: &Secret) -> Result<Option<Secret>, NoToken> {
        let challenges = response.headers().get_all(WWW_AUTHENTICATE);
        let challenges = challenges.iter().filter_map(|value| value.to_str().ok());
        let status = response.status().as_u16();
        self.tokens.rejected(&self.server, self.url.expose(), used, status, challenges).await
    }
}

impl Endpoint {
    pub(super) fn new(
        server: &str,
        url: &Secret,
        headers: &BTreeMap<String, Secret>,
        tokens: Option<Tokens>,
    ) -> Result<Self, RemoteError> {
        let given = url.clone();
        let url = Url::parse(url.expose()).map_err(|_| RemoteError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(RemoteError::Url);
        }
        let headers: HeaderMap = headers.iter().map(header).collect::<Result<_, _>>()?;
        let client = crate::web::client(crate::web::is_loopback(&url)).map_err(RemoteError::Client)?;
        // What the catalogue says goes before a login.
        let tokens = tokens.filter(|_| !headers.contains_key(AUTHORIZATION));
        let login = tokens.map(|tokens| Login { tokens, server: server.to_owned(), url: given });
        Ok(Self { server: server.to_owned(), url, headers, client, login })
    }

    /// Sends a request to `url`, with the catalogue's headers and `more` on top, and the token of a login where there is
    /// one. A token that is refused is renewed, and the request sent once more: nobody has acted on it.
    pub(super) async fn send(
        &self,
        method: &Method,
        url: &Url,
        more: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Result<Response, Trouble> {
        let Some(login) = &self.login else { return self.carry(method, url, more, body, None).await };
        let Some(token) = login.bearer().await? else {
            return self.carry(method, url, more, body, None).await;
        };
        let response = self.carry(method, url, more, body, Some(&token)).await?;
        if !matches!(response.status().as_u16(), 401 | 403) {
            return Ok(response);
        }
        let Some(token) = login.after(&response, &token).await? else { return Ok(response) };
        let response = self.carry(method, url, more, body, Some(&token)).await?;
        if matches!(response.status().as_u16(), 401 | 403) {
            login.after(&response, &token).await?;
        }
        Ok(response)
    }

    /// Carries one request.
    ///
    /// Redirects are followed within the origin only, and with the same method: the headers are meant for this origin,
    /// and a message is no form.
    async fn carry(
        &self,
        method: &Method,
        url: &Url,
        more: &HeaderMap,
        body: Option<&Bytes>,
        token: Option<&Secret>,
    ) -> Result<Response, Trouble> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(method.clone(), url.clone());
            request.headers_mut().clone_from(&self.headers);
            if let Some(token) = token {
                request.headers_mut().insert(AUTHORIZATION, bearer(token)?);
            }
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

fn bearer(token: &Secret) -> Result<HeaderValue, Trouble> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| Trouble::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn header((name, value): (&String, &Secret)) -> Result<(HeaderName, HeaderValue), RemoteError> {
    let refused = || RemoteError::Header(name.clone());
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    let mut value = HeaderValue::from_str(value.expose()).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}
