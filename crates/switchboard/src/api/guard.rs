//! What every request must be before anything else is done with it.
//!
//! A page in a browser can send requests to a door on loopback: by a name that leads here (DNS rebinding), by a form,
//! by a script on another site. Such requests differ from those of programs in their headers, so that is looked at on
//! every route, tokens or not.

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, ORIGIN, TRANSFER_ENCODING, UPGRADE};
use axum::http::{HeaderValue, Method, Request, StatusCode};

use super::Peer;
use super::body::FORGIVEN;
use super::problem::Problem;

/// The longest body that is read, in bytes.
pub(crate) const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// The longest address, in bytes.
const LONGEST_URI: usize = 8 * 1024;

/// Returns who asks, if the request may go on.
pub(crate) fn admit<B>(request: &Request<B>) -> Result<Peer, Box<Problem>> {
    let peer = request.extensions().get::<Peer>().cloned();
    let peer =
        peer.ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "nobody knows who asks"))?;
    address(request)?;
    let headers = request.headers();
    host(headers, &peer)?;
    origin(headers, &peer)?;
    upgrade(headers)?;
    // What is too long a message is answered as one, by whoever reads it.
    let is_message = ["/mcp", "/messages"].iter().any(|path| request.uri().path().starts_with(path));
    body(request.method(), headers, if is_message { FORGIVEN } else { LONGEST_BODY } as u64)?;
    Ok(peer)
}

fn bad(detail: &str) -> Box<Problem> {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn address<B>(request: &Request<B>) -> Result<(), Box<Problem>> {
    let uri = request.uri();
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Err(bad("the request is meant for a proxy, and this is none"));
    }
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > LONGEST_URI {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "the address is too long"));
    }
    Ok(())
}

/// The one value of a header; an error when there are several, or when it is no text.
fn one<'h>(headers: &'h HeaderMap, name: &axum::http::HeaderName) -> Result<Option<&'h str>, Box<Problem>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(bad(&format!("`{name}` stands twice")));
    }
    let text = first.map(HeaderValue::to_str).transpose();
    text.map_err(|_| bad(&format!("`{name}` is no plain text")))
}

fn host(headers: &HeaderMap, peer: &Peer) -> Result<(), Box<Problem>> {
    let host = one(headers, &HOST)?.ok_or_else(|| bad("`Host` is missing"))?;
    if peer.reached(host) {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::FORBIDDEN, "`Host` names somebody else");
    Err(match peer {
        Peer::Tcp { door, .. } => problem.hint(format!("ask for `http://localhost:{}`", door.at.port())),
        Peer::Control => problem.hint("ask for `http://localhost`"),
    })
}

/// Only a page that came from here may send requests from a browser.
fn origin(headers: &HeaderMap, peer: &Peer) -> Result<(), Box<Problem>> {
    let refused = || Problem::new(StatusCode::FORBIDDEN, "the request comes from a page of another site");
    if let Some(origin) = one(headers, &ORIGIN)? {
        // One door has several names, and they are not one origin: the page must have come by the name that it uses. The
        // name itself was looked at before.
        let same = origin.strip_prefix("http://") == headers.get(HOST).and_then(|host| host.to_str().ok());
        if peer.is_control() || !same {
            return Err(refused());
        }
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(refused()),
    }
}

fn upgrade(headers: &HeaderMap) -> Result<(), Box<Problem>> {
    let is_web_socket = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    if headers.get_all(UPGRADE).iter().any(is_web_socket) {
        return Err(bad("there is no WebSocket here"));
    }
    Ok(())
}

fn body(method: &Method, headers: &HeaderMap, limit: u64) -> Result<(), Box<Problem>> {
    let length = one(headers, &CONTENT_LENGTH)?.map(str::parse::<u64>);
    let length = length.transpose().map_err(|_| bad("`Content-Length` is no number"))?;
    if length.is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let has_body = length.is_some_and(|length| length > 0) || headers.contains_key(TRANSFER_ENCODING);
    let kind = one(headers, &CONTENT_TYPE)?;
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // A form in a browser can send anything but this.
    if changes && (has_body || kind.is_some()) && !kind.is_some_and(is_json) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not JSON")
            .hint("send it with `Content-Type: application/json`"));
    }
    Ok(())
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind);
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// The problem of a body that is not read.
pub(crate) fn too_long() -> Box<Problem> {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than what is read")
}
