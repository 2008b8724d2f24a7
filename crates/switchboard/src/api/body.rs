//! Bodies of requests, read whole and within bounds.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};

use super::guard::{LONGEST_BODY, too_long};
use super::problem::Problem;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the whole body.
pub(super) async fn read(body: Body) -> Result<Bytes, Box<Problem>> {
    let limit = usize::try_from(LONGEST_BODY).unwrap_or(usize::MAX);
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect());
    match whole.await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body broke off")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
    }
}
