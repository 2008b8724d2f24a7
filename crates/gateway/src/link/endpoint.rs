//! The address of a remote server, and requests to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use switchboard_core::catalogue::Server;
use url::Url;

use super::body::{self, Kind};
use super::client::{self, Client};
use crate::launch::Launcher;
use crate::trouble::Trouble;

/// So much is read of what a server says beside a refusal.
const MOST_SAID: usize = 64 << 10;

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// A server at its address, with the headers that are meant for it.
pub(super) struct Endpoint {
    server: Arc<Server>,
    launcher: Arc<dyn Launcher>,
    /// As the launcher gave it.
    said: String,
    url: Url,
    uri: Uri,
    client: Client,
    headers: HeaderMap,
    /// What shows that a person logged in, where nothing else does.
    login: ArcSwapOption<Login>,
    logins: AtomicU64,
    renewing: tokio::sync::Mutex<()>,
    has_own_login: bool,
}

struct Login {
    value: HeaderValue,
    number: u64,
}

/// What was answered, and from where.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    /// The address that answered, behind all redirects.
    pub(super) from: Url,
}

impl Endpoint {
    /// Returns the server at an address; what shows that somebody logged in is fetched.
    ///
    /// # Errors
    /// The address or a header cannot be used, or a login is over.
    pub(super) async fn new(
        server: Arc<Server>,
        launcher: Arc<dyn Launcher>,
        said: &str,
        headers: &[(String, String)],
    ) -> Result<Self, Trouble> {
        let no_url = || {
            Trouble::Down(
                "its `url` is not a web address that begins with `http://` or `https://`".to_owned(),
            )
        };
        let mut url = Url::parse(said).map_err(|_| no_url())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(no_url());
        }
        let mut headers: HeaderMap = headers.iter().map(header).collect::<Result<_, _>>()?;
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!("switchboard/", env!("CARGO_PKG_VERSION"))));
        if let Some(basic) = take_user(&mut url) {
            headers.entry(AUTHORIZATION).or_insert(basic);
        }
        let endpoint = Self {
            server,
            launcher,
            said: said.to_owned(),
            uri: uri(&url)?,
            client: client::client(&url)?,
            has_own_login: headers.contains_key(AUTHORIZATION),
            headers,
            url,
            login: ArcSwapOption::empty(),
            logins: AtomicU64::new(0),
            renewing: tokio::sync::Mutex::default(),
        };
        endpoint.log_in().await?;
        Ok(endpoint)
    }

    /// Returns its address.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the headers that each request has.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends a request to an address of this origin, with these headers, which are made again for each attempt.
    ///
    /// # Errors
    /// There was no answer, the server wants a login, or it leads elsewhere.
    pub(super) async fn send(
        &self,
        url: &Url,
        method: Method,
        headers: &(dyn Fn() -> HeaderMap + Sync),
        body: Option<&Bytes>,
    ) -> Result<Answered, Trouble> {
        let login = self.login.load_full();
        let answered = self.follow(url, &method, headers, body, login.as_deref()).await?;
        if !wants_login(answered.response.status()) {
            return Ok(answered);
        }
        if !self.renew(&answered.response, login.as_deref()).await? {
            return Err(self.no_login(answered.response).await);
        }
        let login = self.login.load_full();
        let answered = self.follow(url, &method, headers, body, login.as_deref()).await?;
        if wants_login(answered.response.status()) {
            return Err(self.no_login(answered.response).await);
        }
        Ok(answered)
    }

    /// Redirects are followed within the origin only, and with the same method: the headers are meant for this origin,
    /// and a message is no form.
    async fn follow(
        &self,
        url: &Url,
        method: &Method,
        headers: &(dyn Fn() -> HeaderMap + Sync),
        body: Option<&Bytes>,
        login: Option<&Login>,
    ) -> Result<Answered, Trouble> {
        let mut at =
            if *url == self.url { (url.clone(), self.uri.clone()) } else { (url.clone(), uri(url)?) };
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(Full::new(body.cloned().unwrap_or_default()));
            *request.method_mut() = method.clone();
            *request.uri_mut() = at.1.clone();
            *request.headers_mut() = headers();
            if let Some(login) = login {
                request.headers_mut().insert(AUTHORIZATION, login.value.clone());
            }
            let response = self.client.request(request).await.map_err(|error| trouble(&error))?;
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let Some(target) = location.and_then(|value| at.0.join(value.to_str().ok()?).ok()) else {
                return Ok(Answered { response, from: at.0 });
            };
            self.may_follow(&target)?;
            let keeps_method = matches!(status.as_u16(), 307 | 308) || *method == Method::GET;
            if !keeps_method {
                return Err(Trouble::Down(format!(
                    "it answered {status} and leads to another address, which loses the message; \
                     give the address it leads to as its `url`"
                )));
            }
            at = (target.clone(), uri(&target)?);
        }
        Err(Trouble::Down("it redirects again and again".to_owned()))
    }

    /// Returns whether a request may go on to an address.
    ///
    /// # Errors
    /// It is of another origin.
    pub(super) fn may_follow(&self, target: &Url) -> Result<(), Trouble> {
        if target.origin() == self.url.origin() {
            return Ok(());
        }
        Err(Trouble::Down(format!(
            "it leads to {}, which must not see its headers; give that as its `url`, if you trust it",
            target.origin().ascii_serialization()
        )))
    }

    /// Fetches what shows that a person logged in.
    async fn log_in(&self) -> Result<(), Trouble> {
        if self.has_own_login {
            return Ok(());
        }
        let value = self.launcher.authorization(&self.server, &self.said).await;
        let value = value.map_err(|error| Trouble::Login(format!("needs a login: {error}")))?;
        let login = match value {
            None => None,
            Some(value) => {
                let mut value = HeaderValue::try_from(value).map_err(|_| {
                    Trouble::Login("needs a login: the token that is kept is none".to_owned())
                })?;
                value.set_sensitive(true);
                Some(Arc::new(Login { value, number: self.logins.fetch_add(1, Ordering::Relaxed) }))
            }
        };
        self.login.store(login);
        Ok(())
    }

    /// The server refused what it was shown. Returns whether it may be asked once more.
    async fn renew(&self, refusal: &Response<Incoming>, shown: Option<&Login>) -> Result<bool, Trouble> {
        if self.has_own_login {
            return Ok(false);
        }
        let _one_at_a_time = self.renewing.lock().await;
        let now = self.login.load_full();
        if now.as_deref().map(|login| login.number) != shown.map(|login| login.number) {
            // Somebody else was refused, too, and has a new one.
            return Ok(true);
        }
        let challenge = refusal.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let status = refusal.status().as_u16();
        let shown = shown.and_then(|login| login.value.to_str().ok());
        if !self.launcher.refused(&self.server, &self.said, shown, status, challenge).await {
            return Ok(false);
        }
        self.log_in().await?;
        Ok(true)
    }

    async fn no_login(&self, refusal: Response<Incoming>) -> Trouble {
        let status = refusal.status();
        // Some mean something else by it than a login, and say so.
        let said = if Kind::of(&refusal) == Kind::Json {
            body::whole(refusal.into_body(), MOST_SAID).await.ok().and_then(|body| body::error_said(&body))
        } else {
            body::forget(refusal.into_body()).await;
            None
        };
        let said = said.filter(|said| !said.is_empty());
        let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
        let name = &self.server.name;
        Trouble::Login(format!(
            "needs a login or a token: it answered {status}{said}; hint: run `switchboard server login {name}`, \
             or give it an `Authorization` header"
        ))
    }
}

fn wants_login(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

fn uri(url: &Url) -> Result<Uri, Trouble> {
    let mut url = url.clone();
    url.set_fragment(None);
    url.as_str().parse().map_err(|_| Trouble::Down("its `url` is not one that HTTP can ask for".to_owned()))
}

fn header((name, value): &(String, String)) -> Result<(HeaderName, HeaderValue), Trouble> {
    let refused = || {
        Trouble::Down(format!(
            "the header `{name}` cannot be sent: its name or value has characters that HTTP does not allow"
        ))
    };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Takes name and password out of an address, where they are no part of what is asked for.
fn take_user(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut user: Vec<u8> = percent_decode_str(url.username()).collect();
    user.push(b':');
    user.extend(percent_decode_str(url.password().unwrap_or_default()));
    let _ = (url.set_username(""), url.set_password(None));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(&user))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns what an error of the connection means for the message: one that was never sent was not carried out.
fn trouble(error: &hyper_util::client::legacy::Error) -> Trouble {
    let cause = root_cause(error);
    if error.is_connect() {
        Trouble::Down(format!("it cannot be reached: {cause}"))
    } else {
        Trouble::Lost(cause)
    }
}

/// The last error of the chain is what the machine said.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
