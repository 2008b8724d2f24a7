//! Where the browser comes back to: one address of this machine, for one answer.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::Url;
use switchboard_host::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::endpoint::said;

/// The path of the one page that there is.
const PATH: &str = "/callback";

/// The longest head of a request: a code may be long, but not longer than that.
const HEAD: usize = 32 << 10;

/// How long a browser may take to say what it wants. Some open connections in advance, and never use them.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// So many connections are looked at at the same time.
const CONNECTIONS: usize = 32;

/// What the browser brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Callback {
    /// What a token can be had for, once.
    pub(crate) code: Secret,
    /// Who sent the browser here, as far as it was said (RFC 9207).
    pub(crate) issuer: Option<String>,
}

/// Why nothing was brought.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenerError {
    /// The address cannot be had.
    #[error("127.0.0.1:{port} cannot be listened on: {source}")]
    Bind {
        /// The port; 0 if any would do.
        port: u16,
        /// What the machine said.
        source: std::io::Error,
    },
    /// The authorization server said no, or the person did.
    #[error("it was refused: {0}")]
    Refused(String),
    /// Nobody came in time.
    #[error("nobody came back from the browser within {} minutes", .0.as_secs() / 60)]
    Slow(Duration),
}

impl ListenerError {
    /// Returns what a person can do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "name another port with `--port PORT`, or leave it out for any that is free",
            Self::Refused(_) => "run `switchboard server login` again, and agree in the browser",
            Self::Slow(_) => {
                "run `switchboard server login` again; with `--no-browser` it prints the address to open"
            }
        }
    }
}

/// A door on this machine that opens for one answer.
pub(crate) struct Listener {
    door: TcpListener,
    port: u16,
}

impl Listener {
    /// Opens the door, at any free port if `port` is 0.
    ///
    /// # Errors
    /// The port is taken.
    pub(crate) async fn open(port: u16) -> Result<Self, ListenerError> {
        let failed = |source| ListenerError::Bind { port, source };
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let port = door.local_addr().map_err(failed)?.port();
        Ok(Self { door, port })
    }

    /// Returns the address that the browser is to be sent to.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the browser that brings `state`; whoever comes without it is turned away.
    ///
    /// # Errors
    /// It brought a refusal, or nobody came in time.
    pub(crate) async fn wait(self, state: &str, patience: Duration) -> Result<Callback, ListenerError> {
        tokio::time::timeout(patience, self.answered(state))
            .await
            .map_err(|_| ListenerError::Slow(patience))?
    }

    async fn answered(self, state: &str) -> Result<Callback, ListenerError> {
        let mut open: JoinSet<Option<Result<Callback, ListenerError>>> = JoinSet::new();
        loop {
            tokio::select! {
                came = self.door.accept(), if open.len() < CONNECTIONS => match came {
                    Ok((stream, _)) => {
                        let state = state.to_owned();
                        open.spawn(async move { serve(stream, &state).await });
                    }
                    // Too many files are open, or the like: it passes.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(Ok(Some(brought))) = open.join_next() => return brought,
            }
        }
    }
}

/// Reads one request and answers it; returns what it brought, if it is the one that is waited for.
async fn serve(mut stream: TcpStream, state: &str) -> Option<Result<Callback, ListenerError>> {
    let head = tokio::time::timeout(HEAD_TIME, head(&mut stream)).await.ok()??;
    let Reply { status, sentence, brought } = reply(&head, state);
    // The browser may be gone already; what it brought counts.
    let _ = stream.write_all(page(status, sentence).as_bytes()).await;
    let _ = stream.shutdown().await;
    brought
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece).await.ok().filter(|&length| length > 0)?;
        bytes.extend_from_slice(&piece[..length]);
        if bytes.len() > HEAD {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

/// What is answered, and what the request brought.
struct Reply {
    status: &'static str,
    sentence: &'static str,
    brought: Option<Result<Callback, ListenerError>>,
}

/// Decides about one request.
fn reply(head: &str, state: &str) -> Reply {
    let turned_away = |status, sentence| Reply { status, sentence, brought: None };
    let mut words = head.split(' ');
    let (Some("GET"), Some(target)) = (words.next(), words.next()) else {
        return turned_away("405 Method Not Allowed", "This is not the page that is waited for.");
    };
    let url = Url::parse("http://127.0.0.1/").and_then(|here| here.join(target));
    let Some(url) = url.ok().filter(|url| url.path() == PATH && target.starts_with('/')) else {
        return turned_away("404 Not Found", "This is not the page that is waited for.");
    };
    let value = |name: &str| {
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    if value("state").as_deref() != Some(state) {
        return turned_away("400 Bad Request", "This login was not asked for here. Nothing was done.");
    }
    if let Some(error) = value("error") {
        let reason = match value("error_description") {
            Some(description) => said(&format!("{error}: {description}")),
            None => said(&error),
        };
        return Reply {
            status: "200 OK",
            sentence: "The login was refused. This page may be closed.",
            brought: Some(Err(ListenerError::Refused(reason))),
        };
    }
    let Some(code) = value("code") else {
        return turned_away("400 Bad Request", "The answer has nothing in it. Nothing was done.");
    };
    Reply {
        status: "200 OK",
        sentence: "Switchboard has the answer, and goes on where it was started. This page may be closed.",
        brought: Some(Ok(Callback { code: Secret::from(code), issuer: value("iss") })),
    }
}

/// A plain page, which loads nothing and tells nobody where it came from.
fn page(status: impl fmt::Display, sentence: &str) -> String {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Switchboard</title>\n<p>{sentence}</p>\n</html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
         content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_that_was_asked_for_is_taken() {
        let brought = |code: &str, issuer: Option<&str>| {
            Some(Ok(Callback { code: code.into(), issuer: issuer.map(str::to_owned) }))
        };
        for (request, status, expected) in [
            ("GET /callback?code=c&state=s HTTP/1.1", "200", brought("c", None)),
            (
                "GET /callback?state=s&code=a%2Fb+c&iss=https%3A%2F%2Fx.example HTTP/1.1",
                "200",
                brought("a/b c", Some("https://x.example")),
            ),
            ("GET /callback?error=access_denied&state=s HTTP/1.1", "200", Some(Err("access_denied"))),
            (
                "GET /callback?error=x&error_description=a%1b%5B2K&state=s HTTP/1.1",
                "200",
                Some(Err("x: a\\u{1b}[2K")),
            ),
            ("GET /callback?code=c&state=other HTTP/1.1", "400", None),
            ("GET /callback?code=c HTTP/1.1", "400", None),
            ("GET /callback?error=access_denied HTTP/1.1", "400", None),
            ("GET /callback?state=s HTTP/1.1", "400", None),
            ("GET /callback?code=&state=s HTTP/1.1", "400", None),
            ("GET /favicon.ico HTTP/1.1", "404", None),
            ("GET /?code=c&state=s HTTP/1.1", "404", None),
            ("GET http://127.0.0.1/callback?code=c&state=s HTTP/1.1", "404", None),
            ("POST /callback?code=c&state=s HTTP/1.1", "405", None),
            ("\u{16}\u{3}\u{1}", "405", None),
            ("", "405", None),
        ] {
            let reply = reply(request, "s");
            assert!(reply.status.starts_with(status), "{request}: {}", reply.status);
            let found = reply.brought.map(|brought| {
                brought.map_err(|error| error.to_string().trim_start_matches("it was refused: ").to_owned())
            });
            assert_eq!(found, expected.map(|wanted| wanted.map_err(str::to_owned)), "{request}");
        }
    }

    // Time stands still unless everybody waits: then it jumps to the next thing that is due.
    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_for_ever() {
        let listener = Listener::open(0).await.unwrap();
        let taken = Listener::open(listener.port).await.err().unwrap();
        assert!(taken.to_string().starts_with(&format!("127.0.0.1:{} cannot be", listener.port)), "{taken}");
        let slow = listener.wait("s", Duration::from_secs(300)).await.unwrap_err();
        assert_eq!(slow.to_string(), "nobody came back from the browser within 5 minutes");
    }

    #[tokio::test]
    async fn a_browser_that_dawdles_keeps_nobody_out() {
        let listener = Listener::open(0).await.unwrap();
        let address = listener.address();
        let port = listener.port;
        let dawdler = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let waiting = listener.wait("s", Duration::from_secs(20));
        let visiting = async {
            let mut icon = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            icon.write_all(b"GET /favicon.ico HTTP/1.1\r\n\r\n").await.unwrap();
            let mut text = String::new();
            icon.read_to_string(&mut text).await.unwrap();
            assert!(text.starts_with("HTTP/1.1 404 "), "{text}");
            let mut answer = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // A head may come in pieces.
            for piece in ["GET /callback?code=c&sta", "te=s HTTP/1.1\r\nhost: x\r", "\n\r\n"] {
                answer.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            let mut text = String::new();
            answer.read_to_string(&mut text).await.unwrap();
            text
        };
        let (brought, page) = tokio::join!(waiting, visiting);
        assert_eq!(brought.unwrap().code.expose(), "c");
        assert!(page.contains("may be closed") && page.contains("no-referrer"), "{page}");
        assert_eq!(address, format!("http://127.0.0.1:{port}/callback"));
        drop(dawdler);
    }
}
