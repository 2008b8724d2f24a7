//! A question and its answer.

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};

use super::lost::Lost;
use super::retry_after::retry_after;
use crate::ui::plain;

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// The longest description of a problem that is read, and how long it may take.
const DETAIL_LIMIT: usize = 64 << 10;
const DETAIL_TIME: Duration = Duration::from_secs(5);

/// Asks for what stands at an address, whatever the answer is. Redirects are followed within the origin only: what the
/// headers carry is meant for this one.
///
/// # Errors
/// There is no answer, or it is elsewhere.
pub(crate) async fn get(client: &Client, url: &Url, headers: &HeaderMap) -> Result<Response, Lost> {
    let mut url = url.clone();
    for _ in 0..=REDIRECTS {
        let mut request = Request::new(Method::GET, url.clone());
        request.headers_mut().clone_from(headers);
        // What a cache on the way remembers may be older than what we have.
        request.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let response = client.execute(request).await.map_err(|error| Lost::from(&error))?;
        if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let target = response.headers().get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
        url = match target {
            Some(target) if target.origin() == url.origin() => target,
            Some(target) => return Err(Lost::Elsewhere(target.origin().ascii_serialization())),
            None => return Ok(response),
        };
    }
    Err(Lost::Circle)
}

/// Returns an answer that is one.
///
/// # Errors
/// Its status says that it is none.
pub(crate) async fn good(mut response: Response) -> Result<Response, Lost> {
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
    Err(Lost::Status { status, detail, hold })
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
