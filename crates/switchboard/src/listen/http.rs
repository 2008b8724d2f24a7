//! Another switchboard over HTTP.

use std::collections::VecDeque;
use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};
use switchboard_gateway::events::{Event, Events};
use switchboard_host::secret::Secret;

use super::address::Address;
use super::delay::retry_after;
use super::news::News;
use super::target::plain;
use super::wire::{Heard, Sign, Trouble, Wire};
use crate::fail::Failure;

/// The longest answer or event.
const LIMIT: usize = 16 << 20;

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// How long an answer may take, from the question to its last byte.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The longest description of a problem that is read, and how long it may take.
const DETAIL_LIMIT: usize = 64 << 10;
const DETAIL_TIME: Duration = Duration::from_secs(5);

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
        let client = crate::web::client(address.is_loopback())
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
            let response = good(response).await?;
            let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
            Ok(Some((whole(response).await?, etag)))
        };
        let slow = |_| Trouble::new(format!("it did not answer within {} s", ANSWER_TIME.as_secs()));
        tokio::time::timeout(ANSWER_TIME, answer).await.map_err(slow)?
    }

    /// Sends a question. Redirects are followed within the origin only: the token is meant for this one.
    async fn send(&self, url: &Url, more: &HeaderMap) -> Result<Response, Trouble> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let mut request = Request::new(Method::GET, url.clone());
            request.headers_mut().clone_from(&self.headers);
            // What a cache on the way remembers may be older than what we have.
            request.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            for (name, value) in more {
                request.headers_mut().insert(name, value.clone());
            }
            let response = self.client.execute(request).await.map_err(|error| lost(&error))?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            let target =
                response.headers().get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
            url = match target {
                Some(target) if target.origin() == url.origin() => target,
                Some(target) => {
                    let origin = target.origin().ascii_serialization();
                    return Err(Trouble::new(format!("it redirects to {origin}, which was not named"))
                        .hint(format!("follow {origin} instead, if you trust it")));
                }
                None => return Ok(response),
            };
        }
        Err(Trouble::new("it redirects again and again"))
    }
}

impl Wire for Http {
    type Stream = Stream;

    async fn open(&self, last: Option<u64>) -> Result<Stream, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(last) = last {
            headers.insert(LAST_EVENT_ID, HeaderValue::from(last));
        }
        let url = self.address.events();
        let slow = |_| Trouble::new(format!("it did not answer within {} s", ANSWER_TIME.as_secs()));
        let response = tokio::time::timeout(ANSWER_TIME, self.send(&url, &headers)).await.map_err(slow)??;
        let response = good(response).await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/event-stream")) {
            return Err(Trouble::new("what it answers is no stream of events"));
        }
        Ok(Stream { response, events: Events::new(LIMIT), found: VecDeque::new() })
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
pub(super) struct Stream {
    response: Response,
    events: Events,
    found: VecDeque<Event>,
}

impl Heard for Stream {
    fn retry(&self) -> Option<Duration> {
        self.events.retry.map(Duration::from_millis)
    }

    async fn next(&mut self) -> Option<Sign> {
        if self.found.is_empty() {
            let piece = self.response.chunk().await.ok()??;
            self.events.read(&piece, |event| self.found.push_back(event));
        }
        Some(match self.found.pop_front() {
            Some(Event::Data { kind, data }) if kind == "config_updated" => Sign::Event(
                News::of_event(&data).map_err(|garbage| Trouble::garbage("an event of it", &garbage)),
            ),
            Some(Event::TooLong { .. }) => {
                Sign::Event(Err(Trouble::new("an event of it is longer than 16 MiB")))
            }
            Some(Event::Data { .. }) | None => Sign::Alive,
        })
    }
}

/// Returns an answer that is one.
async fn good(mut response: Response) -> Result<Response, Trouble> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let hold = header(RETRY_AFTER).and_then(|value| retry_after(value, header(DATE)));
    let is_problem = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/problem+json"));
    // What it has to say about it is worth a short wait, and no failure of its own.
    let detail = if is_problem {
        tokio::time::timeout(DETAIL_TIME, detail(&mut response)).await.ok().flatten()
    } else {
        None
    };
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    let trouble = Trouble { hold, ..Trouble::new(format!("it answered {status}{detail}")) };
    Err(match status.as_u16() {
        401 | 403 => trouble.hint("name a token that it knows: --token '${env:NAME}'"),
        404 => trouble.hint("check that the address is that of a switchboard, and that it knows the client"),
        _ => trouble,
    })
}

/// Returns the sentence by which a switchboard says what is the matter.
async fn detail(response: &mut Response) -> Option<String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        body.extend_from_slice(&piece);
        if body.len() > DETAIL_LIMIT {
            return None;
        }
    }
    let problem: serde_json::Value = serde_json::from_slice(&body).ok()?;
    let detail: String = problem.get("detail")?.as_str()?.chars().take(300).collect();
    Some(plain(&detail))
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Trouble> {
    let too_long = || Trouble::new("its answer is longer than 16 MiB");
    if response.content_length().is_some_and(|length| length > LIMIT as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + piece.len() > LIMIT {
            return Err(too_long());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The last error of the chain is what the machine said.
fn lost(error: &reqwest::Error) -> Trouble {
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let said = cause.map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    if error.is_connect() || error.is_timeout() {
        Trouble::new(format!("it cannot be reached: {said}"))
            .hint("check that `switchboard serve` runs there, and that the address is right")
    } else {
        Trouble::new(format!("the connection broke: {said}")).hint("try again")
    }
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
