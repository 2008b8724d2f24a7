//! Answers that say what they are, and that they are still the same.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use switchboard_host::hash::Hash;

use super::Reply;

/// Something that is served under a tag, so that those who have it need not get it again.
#[derive(Clone)]
pub(super) struct Tagged {
    pub(super) body: Bytes,
    pub(super) kind: &'static str,
    /// When it became what it is, in seconds since 1970.
    pub(super) at: u64,
}

impl Tagged {
    /// Answers a request for it: 304 where the asker has it already.
    pub(super) fn reply(self, headers: &HeaderMap) -> Reply {
        let tag = format!("\"{}\"", Hash::of(&self.body));
        let modified = crate::when::http(self.at);
        let same = match named(headers) {
            Some(tags) => matches(&tags, &tag),
            // A time says less than a tag, and counts only without one.
            None => {
                headers.get(IF_MODIFIED_SINCE).is_some_and(|since| since.as_bytes() == modified.as_bytes())
            }
        };
        let mut reply = if same {
            let mut reply = Reply::new(Body::empty());
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            reply
        } else {
            typed(self.body, self.kind)
        };
        put(&mut reply, ETAG, &tag);
        put(&mut reply, LAST_MODIFIED, &modified);
        put(&mut reply, CACHE_CONTROL, "no-cache");
        reply
    }
}

/// The tags of all `If-None-Match` lines; `None` where there is no such line.
fn named(headers: &HeaderMap) -> Option<Vec<&str>> {
    let mut lines = headers.get_all(IF_NONE_MATCH).iter().peekable();
    lines.peek()?;
    Some(lines.filter_map(|line| line.to_str().ok()).collect())
}

/// Returns whether a list of tags has this one, by the weak comparison: a comma may be part of a tag.
fn matches(lines: &[&str], tag: &str) -> bool {
    lines.iter().any(|line| {
        let mut rest = line.trim();
        if rest == "*" {
            return true;
        }
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let tagged = rest.strip_prefix("W/").unwrap_or(rest);
            let Some(end) = tagged.strip_prefix('"').and_then(|inner| inner.find('"')) else { return false };
            let (own, behind) = tagged.split_at(end + 2);
            if own == tag {
                return true;
            }
            rest = behind;
        }
    })
}

/// Returns an answer of this type.
pub(super) fn typed(body: impl Into<Body>, kind: &'static str) -> Reply {
    let mut reply = Reply::new(body.into());
    put(&mut reply, CONTENT_TYPE, kind);
    put(&mut reply, X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply
}

/// Returns a JSON document that is not to be kept by anybody.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    let mut body = serde_json::to_vec_pretty(value).unwrap_or_default();
    body.push(b'\n');
    let mut reply = typed(body, "application/json");
    *reply.status_mut() = status;
    put(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// Sets a header to a text of ours.
pub(super) fn put(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Returns an answer that is a stream of events.
pub(super) fn events(body: Body) -> Reply {
    let mut reply = typed(body, "text/event-stream");
    put(&mut reply, CACHE_CONTROL, "no-store");
    // A proxy on the way is not to wait until there is more.
    reply.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    reply
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn tags_are_compared_by_the_book() {
        for (line, same) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("\"b\" ,W/\"a\"", true),
            ("\"x,y\", \"a\"", true),
            ("*", true),
            ("a", false),
            ("\"b\"", false),
            ("\"a", false),
            ("", false),
            ("\"x, \"a\"", false),
            ("w/\"a\"", false),
        ] {
            assert_eq!(matches(&[line], "\"a\""), same, "{line}");
        }
        assert!(matches(&["\"b\"", "\"a\""], "\"a\""));
    }
}
