//! How somebody logs in: whom to ask, who we are to them, the address for the browser, the code for the tokens.
//!
//! The steps are those of rmcp, and this is the only file that knows it. It runs where a person has asked for a login, and
//! nowhere else: rmcp tells its log more than a daemon's log should hold.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Response;
use reqwest::{Method, Request, Url};
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadata, AuthorizationMetadataSource, OAuthClientConfig,
    OAuthHttpClient, OAuthHttpClientError, OAuthHttpClientFuture, OAuthHttpRequest,
    ProtectedResourceMetadataInvalidReason,
};
use serde_json::Value;
use switchboard_core::login::lifetime::Lifetime;
use switchboard_core::login::scopes::{Scopes, is_scope};
use switchboard_host::secret::Secret;

use super::endpoint::{Granted, granted, said};
use super::http::{Http, HttpTrouble};
use super::listener::Callback;
use super::record::{self, Client, Grant, Login};

/// What we are called where we register.
const NAME: &str = "Switchboard";

/// Who we are to be to an authorization server.
pub(crate) enum Identity {
    /// Somebody registered us there.
    Given { id: String, secret: Option<Secret> },
    /// A document on the web describes us, where that is understood; else we register.
    Document(String),
    /// We register.
    Registered,
}

/// Why nobody can log in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorizeError {
    /// The server lets everybody in, or has no way to let anybody in.
    #[error("it does not say how to log in")]
    NoLogin,
    /// What it names would be asked in the open.
    #[error("{0} is not asked: logins need https")]
    Unsafe(String),
    /// We cannot make ourselves known.
    #[error("its authorization server takes no registrations{0}")]
    Unknown(String),
    /// A step failed.
    #[error("{0}")]
    Step(String),
}

impl AuthorizeError {
    /// Returns what a person can do about it.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoLogin => Some("if it wants a key, give it as a header: `switchboard server edit --help`"),
            Self::Unknown(_) => Some(
                "register a client with whoever runs it, with the redirect address http://127.0.0.1:PORT/callback, and name it with `--client-id ID --port PORT`",
            ),
            Self::Unsafe(_) | Self::Step(_) => None,
        }
    }
}

/// An authorization server, as a server names it.
pub(crate) struct Found {
    manager: AuthorizationManager,
    metadata: AuthorizationMetadata,
    /// What went wrong with the last question, which rmcp does not tell.
    trouble: Arc<Mutex<Option<String>>>,
    url: Url,
}

/// A login that waits for the browser.
pub(crate) struct Begun {
    found: Found,
    client: Client,
    asked: Scopes,
    /// Where the browser is to go.
    pub(crate) address: Url,
    /// What it has to bring back.
    pub(crate) state: String,
    resource: Secret,
}

/// Finds out whom to ask for a login at the server at `url`. `refusal` is what the server said to somebody without a
/// token; `None` if it took no offence.
///
/// # Errors
/// Nobody is named, or what is named cannot be asked.
pub(crate) async fn discover(http: &Http, url: &Url, refusal: Option<&str>) -> Result<Found, AuthorizeError> {
    let trouble = Arc::default();
    let client = Arc::new(Through { http: http.clone(), server: url.clone(), trouble: Arc::clone(&trouble) });
    let mut manager = AuthorizationManager::new_with_oauth_http_client(url.as_str(), client)
        .await
        .map_err(|error| step(&error))?;
    let challenge = refusal.filter(|header| !header.is_empty());
    let found = manager.resolve_metadata_from_challenge(challenge).await.map_err(|error| step(&error))?;
    // Where nothing is published, servers of 2025-03-26 have their endpoints at fixed places.
    if found.source == AuthorizationMetadataSource::LegacyEndpointFallback && refusal.is_none() {
        return Err(AuthorizeError::NoLogin);
    }
    let AuthorizationMetadata { authorization_endpoint, token_endpoint, registration_endpoint, .. } =
        &found.metadata;
    for named in [authorization_endpoint, token_endpoint].into_iter().chain(registration_endpoint) {
        if !Url::parse(named).is_ok_and(|url| http.may_ask(&url)) {
            return Err(AuthorizeError::Unsafe(shown(named)));
        }
    }
    manager.set_metadata(found.metadata.clone());
    Ok(Found { manager, metadata: found.metadata, trouble, url: url.clone() })
}

impl Found {
    /// Returns who gives the tokens, as a person would name it.
    pub(crate) fn shown(&self) -> String {
        shown(self.metadata.issuer.as_deref().unwrap_or(&self.metadata.token_endpoint))
    }

    /// Returns who gives the tokens, as it calls itself.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.metadata.issuer.as_deref()
    }

    /// Returns the scopes to ask for where nobody says which.
    pub(crate) async fn usual_scopes(&self) -> Vec<String> {
        let mut scopes = self.manager.select_initial_scopes(&[]).await;
        scopes.retain(|scope| is_scope(scope));
        scopes
    }

    /// Makes us known, and returns the address for the browser, which is to come back to `redirect`.
    ///
    /// # Errors
    /// We are not taken, or the address is not one to send a browser to.
    pub(crate) async fn begin(
        mut self,
        identity: Identity,
        redirect: &str,
        scopes: &[String],
    ) -> Result<Begun, AuthorizeError> {
        let words: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let (config, given) = match identity {
            Identity::Given { id, secret } => {
                let config = OAuthClientConfig::new(id, redirect);
                let secret = secret.map(|secret| secret.expose().to_owned());
                (secret.into_iter().fold(config, OAuthClientConfig::with_client_secret), true)
            }
            Identity::Document(document) if self.says("client_id_metadata_document_supported") => {
                (OAuthClientConfig::new(document, redirect), true)
            }
            Identity::Document(_) if self.metadata.registration_endpoint.is_none() => {
                return Err(AuthorizeError::Unknown(", and knows no documents on the web".to_owned()));
            }
            Identity::Registered if self.metadata.registration_endpoint.is_none() => {
                return Err(AuthorizeError::Unknown(String::new()));
            }
            Identity::Document(_) | Identity::Registered => {
                let registered = self.manager.register_client(NAME, redirect, &words).await;
                (
                    registered.map_err(|error| AuthorizeError::Unknown(format!(": {}", sentence(&error))))?,
                    false,
                )
            }
        };
        self.manager.configure_client(config.clone()).map_err(|error| step(&error))?;
        let address = self.manager.get_authorization_url(&words).await.map_err(|error| step(&error))?;
        let address = Url::parse(&address).map_err(|_| AuthorizeError::NoLogin)?;
        let value = |name: &str| {
            let found = address.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let (state, resource) = (value("state"), Secret::from(value("resource")));
        let client = self.client(config.client_id, config.client_secret.map(Secret::from), given);
        Ok(Begun { client, asked: scopes.iter().cloned().collect(), address, state, resource, found: self })
    }

    /// Returns a login of the client itself, without tokens yet.
    pub(crate) async fn machine(mut self, server: &str, id: String, secret: Secret, scopes: Scopes) -> Login {
        // What the server calls itself stands in the address that a browser would be sent to.
        let here = OAuthClientConfig::new(id.clone(), "http://127.0.0.1/callback");
        let address = match self.manager.configure_client(here) {
            Ok(()) => self
                .manager
                .get_authorization_url(&[])
                .await
                .ok()
                .and_then(|url: String| Url::parse(&url).ok()),
            Err(_) => None,
        };
        let resource = address.and_then(|address| {
            address.query_pairs().find(|(key, _)| key == "resource").map(|(_, value)| value.into_owned())
        });
        let resource = Secret::from(resource.unwrap_or_else(|| self.url.to_string()));
        let client = self.client(id, Some(secret), true);
        self.login(server, client, Grant::Machine, resource, scopes)
    }

    fn client(&self, id: String, secret: Option<Secret>, given: bool) -> Client {
        let methods = &self.metadata.additional_fields;
        let methods: BTreeSet<&str> = methods
            .get("token_endpoint_auth_methods_supported")
            .and_then(Value::as_array)
            .map(|methods| methods.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let in_form = methods.contains("client_secret_post") && !methods.contains("client_secret_basic");
        let method = match (&secret, in_form) {
            (None, _) => record::Method::None,
            (Some(_), true) => record::Method::Post,
            (Some(_), false) => record::Method::Basic,
        };
        Client { id, secret, method, given }
    }

    fn says(&self, field: &str) -> bool {
        self.metadata.additional_fields.get(field).and_then(Value::as_bool).unwrap_or(false)
    }

    fn login(&self, server: &str, client: Client, grant: Grant, resource: Secret, asked: Scopes) -> Login {
        let revocation = self.metadata.additional_fields.get("revocation_endpoint").and_then(Value::as_str);
        Login {
            server: server.to_owned(),
            url: Secret::from(self.url.as_str()),
            resource,
            issuer: self.metadata.issuer.clone(),
            token_endpoint: self.metadata.token_endpoint.clone(),
            revocation_endpoint: revocation.map(str::to_owned),
            client,
            grant,
            access: None,
            refresh: None,
            lifetime: Lifetime::default(),
            scopes: asked.clone(),
            asked,
            wanted: Scopes::new(),
            ended: None,
        }
    }
}

impl Begun {
    /// Gets tokens for what the browser brought at `now`. Whoever sent the browser back must be whom we sent it to.
    ///
    /// # Errors
    /// It was somebody else, or there are no tokens for it.
    pub(crate) async fn finish(
        self,
        server: &str,
        brought: Callback,
        now: u64,
    ) -> Result<Login, AuthorizeError> {
        let Self { found, client, asked, state, resource, .. } = self;
        let tokens = found
            .manager
            .exchange_code_for_token_with_issuer(brought.code.expose(), &state, brought.issuer.as_deref())
            .await
            .map_err(|error| match (error, lock(&found.trouble).take()) {
                (AuthError::TokenExchangeFailed(_), Some(trouble)) => {
                    AuthorizeError::Step(format!("there were no tokens for the code: {trouble}"))
                }
                (error, _) => step(&error),
            })?;
        let tokens: Option<Granted> = serde_json::to_value(&tokens).ok().as_ref().and_then(granted);
        let tokens = tokens.ok_or_else(|| AuthorizeError::Step("it gave no tokens".to_owned()))?;
        let mut login = found.login(server, client, Grant::Person, resource, asked);
        login.take(tokens, now);
        Ok(login)
    }
}

/// Returns whose an address is, as far as it is one.
fn shown(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) if url.host_str().is_some() => url.origin().ascii_serialization(),
        _ => format!("`{}`", said(address)),
    }
}

fn step(error: &AuthError) -> AuthorizeError {
    AuthorizeError::Step(sentence(error))
}

/// Says what went wrong in our words, as far as there are any; what comes from elsewhere is made fit to be shown.
fn sentence(error: &AuthError) -> String {
    let text = match error {
        AuthError::DiscoveryRequestFailed { url, source } => {
            let origin = url.origin().ascii_serialization();
            match source.downcast_ref::<HttpTrouble>() {
                Some(trouble @ HttpTrouble::Unsafe(_)) => trouble.to_string(),
                Some(trouble) => format!("{origin} was asked how to log in: {trouble}"),
                None => format!("{origin} was asked how to log in: {source}"),
            }
        }
        AuthError::ProtectedResourceMetadataInvalid { url, reason } => match &**reason {
            ProtectedResourceMetadataInvalidReason::ResourceMismatch { reference, permitted } => {
                format!("it calls itself `{permitted}`, and is reached at `{reference}`")
            }
            reason => format!("it names {url} as a description of itself, which is none: {reason}"),
        },
        AuthError::AuthorizationServersUnavailable { authorization_servers, .. } => {
            format!("it names {}, which does not say how to log in", authorization_servers.join(", "))
        }
        AuthError::AuthorizationServerMismatch { expected_issuer, received_issuer } => format!(
            "the authorization server calls itself `{received_issuer}`, and `{expected_issuer}` was asked"
        ),
        AuthError::AuthorizationServerMissingIssuer { expected_issuer } => {
            format!("the authorization server does not say that it is `{expected_issuer}`")
        }
        AuthError::PkceUnsupported => {
            "the authorization server does not know S256, without which a code could be stolen".to_owned()
        }
        AuthError::TokenExchangeFailed(why) => format!("there were no tokens for the code: {why}"),
        AuthError::RegistrationFailed(why) => format!("it answered the registration with {why}"),
        other => other.to_string(),
    };
    said(&text)
}

/// Every question of rmcp goes this way.
struct Through {
    http: Http,
    /// The server itself is only looked at: what follows the head of its answer may have no end.
    server: Url,
    trouble: Arc<Mutex<Option<String>>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OAuthHttpClient for Through {
    fn execute(&self, asked: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            let boxed = |error: &dyn std::error::Error| OAuthHttpClientError::from(error.to_string());
            let request = Request::try_from(asked.request).map_err(|error| boxed(&error))?;
            let looks = request.method() == Method::GET && *request.url() == self.server;
            let answer = if looks { self.http.knock(request).await } else { self.http.send(request).await };
            *lock(&self.trouble) = answer.as_ref().err().map(ToString::to_string);
            let answer = answer.map_err(OAuthHttpClientError::from)?;
            let mut response = Response::builder().status(answer.status);
            if let Some(headers) = response.headers_mut() {
                *headers = answer.headers;
            }
            response.body(answer.body).map_err(|error| boxed(&error))
        })
    }
}
