//! The server itself, asked without a token what it wants.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Request, StatusCode, Url};
use switchboard_host::secret::Secret;

use super::http::{Http, HttpTrouble};

/// What is asked: it begins no session, and does nothing.
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// A server that may want to know who comes.
pub(crate) struct Door {
    http: Http,
    url: Url,
    listens: bool,
    headers: HeaderMap,
}

impl Door {
    /// Returns the door of the server at `url`; `listens`: it speaks the transport of 2024. `headers` are the catalogue's.
    ///
    /// # Errors
    /// In words: a header cannot be sent, or there is no HTTP.
    pub(crate) fn new(url: &Url, listens: bool, headers: &BTreeMap<String, Secret>) -> Result<Self, String> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
            let pair = parsed.zip(HeaderValue::from_str(value.expose()).ok());
            let (key, mut value) = pair.ok_or_else(|| format!("the header `{name}` cannot be sent"))?;
            value.set_sensitive(true);
            all.insert(key, value);
        }
        let http = Http::new(url).map_err(|error| error.to_string())?;
        Ok(Self { http, url: url.clone(), listens, headers: all })
    }

    /// Returns how to ask those that the server names.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Asks to be let in, without a token. Returns what the server said when it refused; `None` if it let
    /// us in, or minds something else.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn knock(&self) -> Result<Option<String>, HttpTrouble> {
        let method = if self.listens { Method::GET } else { Method::POST };
        let mut request = Request::new(method, self.url.clone());
        request.headers_mut().clone_from(&self.headers);
        if self.listens {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        } else {
            let both = HeaderValue::from_static("application/json, text/event-stream");
            request.headers_mut().insert(ACCEPT, both);
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(PING.into());
        }
        let answer = self.http.knock(request).await?;
        let said = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let said = said.collect::<Vec<_>>().join(", ");
        Ok((answer.status == StatusCode::UNAUTHORIZED || !said.is_empty()).then_some(said))
    }
}
