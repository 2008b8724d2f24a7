//! Asking authorization servers.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Request, Response, StatusCode, Url};

use crate::web;

/// How long an answer may take, from the question to its last byte.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The longest answer.
const LIMIT: usize = 1 << 20;

/// How we ask authorization servers: over TLS, and nobody on this machine unless the server itself is here. What a server
/// says about whom to ask is its word alone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    server_is_here: bool,
    here: Client,
    elsewhere: Client,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpTrouble {
    /// What is asked could be read, or answered, by others.
    #[error("{0} is not asked: logins need https")]
    Unsafe(String),
    /// It cannot be reached, or the connection broke.
    #[error("{0}")]
    Lost(String),
    /// It takes too long.
    #[error("it did not answer within {} s", ANSWER_TIME.as_secs())]
    Slow,
    /// It says too much.
    #[error("its answer is longer than 1 MiB")]
    TooLong,
}

/// Returns whether what is sent to `url` is read by nobody on the way.
fn is_safe(url: &Url) -> bool {
    url.host_str().is_some() && (url.scheme() == "https" || (url.scheme() == "http" && web::is_loopback(url)))
}

impl Http {
    /// Returns how to ask about the server at `url`.
    ///
    /// # Errors
    /// There is no HTTP here.
    pub(crate) fn new(url: &Url) -> reqwest::Result<Self> {
        Ok(Self {
            server_is_here: web::is_loopback(url),
            here: web::client(true)?,
            elsewhere: web::client(false)?,
        })
    }

    /// Returns whether `url` may be asked, or shown to a browser.
    pub(crate) fn may_ask(&self, url: &Url) -> bool {
        is_safe(url) && (self.server_is_here || !web::is_loopback(url))
    }

    /// Sends a question, and reads the answer whole. Redirects are not followed.
    ///
    /// # Errors
    /// Nobody was asked, or there is no answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, HttpTrouble> {
        let answer = async {
            let mut response = self.open(request).await?;
            let mut body = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(lost)? {
                if body.len() + piece.len() > LIMIT {
                    return Err(HttpTrouble::TooLong);
                }
                body.extend_from_slice(&piece);
            }
            Ok(Answer { status: response.status(), headers: response.headers().clone(), body })
        };
        tokio::time::timeout(ANSWER_TIME, answer).await.map_err(|_| HttpTrouble::Slow)?
    }

    /// Sends a question, and reads no more than the head of the answer: what follows may have no end.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub(crate) async fn knock(&self, request: Request) -> Result<Answer, HttpTrouble> {
        let answer = tokio::time::timeout(ANSWER_TIME, self.open(request)).await;
        let response = answer.map_err(|_| HttpTrouble::Slow)??;
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body: Vec::new() })
    }

    async fn open(&self, request: Request) -> Result<Response, HttpTrouble> {
        let url = request.url();
        if !self.may_ask(url) {
            return Err(HttpTrouble::Unsafe(url.origin().ascii_serialization()));
        }
        let client = if web::is_loopback(url) { &self.here } else { &self.elsewhere };
        client.execute(request).await.map_err(lost)
    }
}

/// The last error of the chain is what the machine said.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` calls")]
fn lost(error: reqwest::Error) -> HttpTrouble {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let said = cause.map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    HttpTrouble::Lost(if error.is_connect() || error.is_timeout() {
        format!("it cannot be reached: {said}")
    } else {
        format!("the connection broke: {said}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn nobody_is_asked_in_the_open_or_behind_the_servers_word() {
        for (server, asked, may) in [
            ("https://x.example/mcp", "https://login.example/token", true),
            ("https://x.example/mcp", "http://login.example/token", false),
            ("https://x.example/mcp", "http://127.0.0.1:9/token", false),
            ("https://x.example/mcp", "https://localhost/token", false),
            ("https://x.example/mcp", "https://[::1]/token", false),
            ("https://x.example/mcp", "ftp://login.example/token", false),
            ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:9/token", true),
            ("http://localhost:8080/mcp", "http://[::1]:9/token", true),
            ("http://127.0.0.1:8080/mcp", "https://login.example/token", true),
            ("http://127.0.0.1:8080/mcp", "http://login.example/token", false),
            ("http://127.0.0.1:8080/mcp", "http://localhost.evil.example/token", false),
        ] {
            assert_eq!(Http::new(&url(server)).unwrap().may_ask(&url(asked)), may, "{server} {asked}");
        }
    }
}
