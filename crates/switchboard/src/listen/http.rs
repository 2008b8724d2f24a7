//! Another switchboard over HTTP.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, Response, StatusCode, Url};
use switchboard_gateway::events::Event;
use switchboard_host::secret::Secret;

use super::address::Address;
use super::news::News;
use super::wire::{Heard, Sign, Trouble, Wire};
use crate::fail::Failure;
use crate::web::{self, Lost};

/// The longest answer or event.
const LIMIT: usize = 16 << 20;

/// How long an answer may take, from the question to its last byte.
const ANSWER_TIME: Duration = Duration::from_secs(30);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A connection to another switchboard.
#[derive(Clone, Debug)]
pub(super) struct Http {
    address: Address,
    headers: HeaderMap,
    client: Client,
}

/// A client's whole file, as the other side would have it.
pub(super) struct ClientFile {
    /// Its text.
    pub(super) text: String,
    /// What names exactly this text.
    pub(super) etag: Option<String>,
}

impl Http {
    /// Returns a connection, not made yet. The token goes to this origin and to no other.
    ///
    /// # Errors
    /// The token cannot stand in a header, or there is no HTTP here.
    pub(super) fn new(address: Address, token: Option<&Secret>) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim_end()));
            let mut value = value.map_err(|_| {
                Failure::failed("use the token: it has characters that HTTP does not allow")
                    .hint("a token is one line of plain text")
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = web::client(address.is_loopback())
            .map_err(|error| Failure::failed("prepare HTTP").caused_by(&error))?;
        Ok(Self { address, headers, client })
    }

    /// Asks for the whole file of a client; `None` when it is what this etag names.
    pub(super) async fn client_file(
        &self,
        client: &str,
        via: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Option<ClientFile>, Trouble> {
        let url = self.address.client(client, via);
        let Some((body, etag)) = self.ask(&url, etag).await? else { return Ok(None) };
        let text = String::from_utf8(body).map_err(|_| Trouble::new("the client's file is not UTF-8"))?;
        Ok(Some(ClientFile { text, etag }))
    }

    /// Asks a question whose answer is read whole; `None` when it is what this etag names.
    async fn ask(&self, url: &Url, etag: Option<&str>) -> Result<Option<(Vec<u8>, Option<String>)>, Trouble> {
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        let answer = async {
            let response = self.send(url, &headers).await?;
            if response.status() == StatusCode::NOT_MODIFIED {
                return Ok(None);
            }
            let response = web::good(response).await?;
            let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
            Ok(Some((whole(response).await?, etag)))
        };
        tokio::time::timeout(ANSWER_TIME, answer).await.map_err(|_| Lost::Slow(ANSWER_TIME))?
    }

    /// Sends a question.
    async fn send(&self, url: &Url, more: &HeaderMap) -> Result<Response, Trouble> {
        Ok(web::get(&self.client, url, &self.with(more)).await?)
    }

    /// Returns our headers with more.
    fn with(&self, more: &HeaderMap) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        headers
    }
}

impl Wire for Http {
    type Stream = Stream;

    async fn open(&self, last: Option<u64>) -> Result<Stream, Trouble> {
        let mut headers = self.headers.clone();
        if let Some(last) = last {
            headers.insert(LAST_EVENT_ID, HeaderValue::from(last));
        }
        let url = self.address.events();
        let opened = web::Stream::open(&self.client, &url, headers, LIMIT);
        let stream =
            tokio::time::timeout(ANSWER_TIME, opened).await.map_err(|_| Lost::Slow(ANSWER_TIME))??;
        Ok(Stream(stream))
    }

    async fn version(&self) -> Result<News, Trouble> {
        let Some((body, _)) = self.ask(&self.address.version(), None).await? else {
            return Err(Trouble::new("it answered 304 to a question without a condition"));
        };
        News::of_version(&body).map_err(|garbage| Trouble::garbage("its version", &garbage))
    }

    async fn config(&self, etag: Option<&str>) -> Result<Option<News>, Trouble> {
        let Some((body, named)) = self.ask(&self.address.config(), etag).await? else {
            return match etag {
                Some(_) => Ok(None),
                None => Err(Trouble::new("it answered 304 to a question without a condition")),
            };
        };
        let garbage = |garbage| Trouble::garbage("its answer", &garbage);
        News::of_config(&body, named).map(Some).map_err(garbage)
    }
}

/// Events as they come.
pub(super) struct Stream(web::Stream);

impl Heard for Stream {
    fn retry(&self) -> Option<Duration> {
        self.0.retry()
    }

    async fn next(&mut self) -> Option<Sign> {
        Some(match self.0.next().await.ok()?? {
            web::Sign::Event(Event::Data { kind, data }) if kind == "config_updated" => Sign::Event(
                News::of_event(&data).map_err(|garbage| Trouble::garbage("an event of it", &garbage)),
            ),
            web::Sign::Event(Event::TooLong { .. }) => Sign::Event(Err(Lost::TooLong(LIMIT).into())),
            web::Sign::Event(Event::Data { .. }) | web::Sign::Alive => Sign::Alive,
        })
    }
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        let trouble = Self { hold: lost.hold(), ..Self::new(lost.to_string()) };
        match lost {
            Lost::Unreachable(_) => {
                trouble.hint("check that `switchboard serve` runs there, and that the address is right")
            }
            Lost::Broke(_) => trouble.hint("try again"),
            Lost::Elsewhere(origin) => trouble.hint(format!("follow {origin} instead, if you trust it")),
            Lost::Status { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. } => {
                trouble.hint("name a token that it knows: --token '${env:NAME}'")
            }
            Lost::Status { status: StatusCode::NOT_FOUND, .. } => {
                trouble.hint("check that the address is that of a switchboard, and that it knows the client")
            }
            _ => trouble,
        }
    }
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let too_long = || Trouble::new("its answer is longer than 16 MiB");
    if response.content_length().is_some_and(|length| length > LIMIT as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| Lost::from(&error))? {
        if body.len() + piece.len() > LIMIT {
            return Err(too_long());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use testkit::servers::config::{ConfigServer, Fault, ROUTES};
    use testkit::servers::http::HttpServer;

    use super::*;

    // Time stands still unless everybody waits: then it jumps to the next thing that is due.
    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_answer_is_not_waited_for() {
        let server = ConfigServer::start(serde_json::json!({})).unwrap();
        server.fault(&ROUTES, &Fault::Hangs);
        let http = Http::new(Address::parse(&server.origin).unwrap(), None).unwrap();
        assert!(http.version().await.is_err());
        assert!(http.config(None).await.is_err());
        assert!(http.open(Some(7)).await.is_err());
        assert!(http.client_file("cursor", Some("direct"), None).await.is_err());
    }

    #[tokio::test]
    async fn the_token_stays_with_its_origin() {
        let elsewhere = ConfigServer::start(serde_json::json!({})).unwrap();
        let server = ConfigServer::start(serde_json::json!({})).unwrap();
        let away = format!("{}/api/mcp/_version", elsewhere.origin);
        server.fault(&ROUTES, &Fault::Status(307, vec![("location", away)]));
        let token = Secret::from("s3cret");
        let http = Http::new(Address::parse(&server.origin).unwrap(), Some(&token)).unwrap();
        for trouble in [http.version().await.unwrap_err(), http.config(None).await.unwrap_err()] {
            assert!(trouble.why.contains("which was not named"), "{trouble:?}");
        }
        assert!(elsewhere.requests().is_empty());
        assert!(!format!("{http:?}").contains("s3cret"));
        assert!(Http::new(Address::parse(&server.origin).unwrap(), Some(&Secret::from("a\nb"))).is_err());
    }

    #[tokio::test]
    async fn what_a_switchboard_says_about_a_problem_is_passed_on() {
        let server = HttpServer::start(|_, reply| {
            let body = r#"{"title":"Not Found","detail":"there is no client `x\u001b[2K`","hints":["y"]}"#;
            reply.send(404, &[("content-type", "application/problem+json")], body);
        });
        let http = Http::new(Address::parse(&server.unwrap().origin).unwrap(), None).unwrap();
        let trouble = http.client_file("x", None, None).await.err().unwrap();
        assert_eq!(trouble.why, "it answered 404 Not Found: there is no client `x\\u{1b}[2K`");
    }

    #[tokio::test]
    async fn a_busy_server_says_for_how_long() {
        let server = ConfigServer::start(serde_json::json!({})).unwrap();
        server.fault(&ROUTES, &Fault::Status(429, vec![("retry-after", "7".to_owned())]));
        let http = Http::new(Address::parse(&server.origin).unwrap(), None).unwrap();
        assert_eq!(http.version().await.unwrap_err().hold, Some(Duration::from_secs(7)));
        let opened = http.open(None).await;
        assert_eq!(opened.err().and_then(|trouble| trouble.hold), Some(Duration::from_secs(7)));
    }
}
