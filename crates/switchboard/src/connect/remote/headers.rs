//! The headers of one message.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use switchboard_gateway::encoded;

use super::link::{Link, PROTOCOL_VERSION};
use super::message::Message;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_OR_EVENTS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Returns the headers of a POST.
///
/// A message that names its own revision is of the stateless kind: it repeats revision, method and name in headers,
/// and belongs to no session. Every other message belongs to the session, except the one that begins it.
pub(super) fn of_message(link: &Link, message: &Message, line: &[u8]) -> HeaderMap {
    let mut headers = match &message.version {
        None if message.begins_session() => HeaderMap::new(),
        None => link.session_headers(),
        Some(version) => {
            let named = [
                (PROTOCOL_VERSION, Some(version)),
                (METHOD, message.method.as_ref()),
                (NAME, message.name.as_ref()),
            ];
            named.into_iter().filter_map(|(header, text)| Some((header, encoded(text?)?))).collect()
        }
    };
    let mirrored = link.mirrored(message, line).into_iter();
    headers.extend(mirrored.filter_map(|(header, text)| Some((header, encoded(&text)?))));
    headers.insert(ACCEPT, JSON_OR_EVENTS);
    headers.insert(CONTENT_TYPE, JSON);
    headers
}

/// Returns the headers of a GET that listens, from behind the event `last` on.
pub(super) fn of_listening(link: &Link, last: Option<&str>) -> HeaderMap {
    let mut headers = link.session_headers();
    headers.insert(ACCEPT, EVENTS);
    headers.extend(last.and_then(|last| Some((LAST_EVENT_ID, HeaderValue::from_str(last).ok()?))));
    headers
}
