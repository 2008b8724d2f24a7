//! How bytes get to a remote server: plain, encrypted, or through the proxy that the environment names.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use url::Url;

use crate::trouble::Trouble;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A connection that nobody uses is kept for so long.
const IDLE: Duration = Duration::from_secs(30);

/// So many connections that nobody uses are kept.
const MOST_IDLE: usize = 64;

/// A connection on which nothing happens is looked after this often, so that one whose other end is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Asks one server over HTTP, by connections that are kept.
pub(super) type Client = legacy::Client<Way, Full<Bytes>>;

/// Returns a client for the server at this address.
///
/// # Errors
/// There is no encryption here.
pub(super) fn client(url: &Url) -> Result<Client, Trouble> {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(MOST_IDLE);
    Ok(builder.build(Way::to(url)?))
}

/// The way to one server.
#[derive(Clone)]
pub(super) enum Way {
    Plain(HttpConnector),
    Encrypted(HttpsConnector<HttpConnector>),
    /// A proxy makes the connection for us, and what is in it is none of its business.
    Proxy(Box<HttpsConnector<Tunnel<HttpConnector>>>),
}

impl Way {
    fn to(url: &Url) -> Result<Self, Trouble> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        let is_plain = url.scheme() == "http";
        if let Some(proxy) = proxy(url) {
            let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
            let tunnel = match proxy.basic_auth() {
                Some(auth) => tunnel.with_auth(auth.clone()),
                None => tunnel,
            };
            return Ok(Self::Proxy(Box::new((tunnel, encryption()?).into())));
        }
        Ok(if is_plain { Self::Plain(tcp) } else { Self::Encrypted((tcp, encryption()?).into()) })
    }
}

/// Returns the proxy for an address. One cannot reach what runs on this machine.
fn proxy(url: &Url) -> Option<hyper_util::client::proxy::matcher::Intercept> {
    static PROXIES: OnceLock<Matcher> = OnceLock::new();
    if is_loopback(url) {
        return None;
    }
    PROXIES.get_or_init(Matcher::from_env).intercept(&url.as_str().parse::<Uri>().ok()?)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns how connections are encrypted: whom to trust is what the system says. It is read once.
fn encryption() -> Result<Arc<ClientConfig>, Trouble> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    let made = CONFIG.get_or_init(|| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(ConfigBuilderExt::try_with_platform_verifier)
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_no_client_auth()))
    });
    made.clone().map_err(|error| Trouble::Down(format!("this machine cannot do HTTPS: {error}")))
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Plain(way) => way.poll_ready(context).map_err(Into::into),
            Self::Encrypted(way) => way.poll_ready(context),
            Self::Proxy(way) => way.poll_ready(context),
        }
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match self {
            Self::Plain(way) => {
                let connecting = way.call(to);
                Box::pin(async { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Self::Encrypted(way) => Box::pin(way.call(to)),
            Self::Proxy(way) => Pin::from(Box::new(way.call(to))),
        }
    }
}
