//! One request, taken apart.

use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, Request, StatusCode};
use serde::de::DeserializeOwned;

use super::access::Visitor;
use super::problem::Problem;

/// What was asked, beside the route.
pub(super) struct Call {
    pub(super) headers: HeaderMap,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// Who asks.
    pub(super) visitor: Visitor,
    /// What tells them from others.
    pub(super) owner: String,
}

impl Call {
    /// Takes a request apart, up to its body; `params` are the parts of the path that the route leaves open.
    pub(super) fn new(
        request: Request<Body>,
        params: Vec<(String, String)>,
        visitor: Visitor,
        owner: String,
    ) -> Result<(Self, Body), Box<Problem>> {
        let query = match request.uri().query() {
            None => Vec::new(),
            Some(_) => {
                Query::<Vec<(String, String)>>::try_from_uri(request.uri())
                    .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the query is not readable"))?
                    .0
            }
        };
        let (parts, body) = request.into_parts();
        Ok((Self { headers: parts.headers, params, query, visitor, owner }, body))
    }

    /// Returns the part of the path that the route calls `name`.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// Returns a value of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns every value of that name in the query.
    pub(super) fn queries<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c str> {
        self.query.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns a yes or no of the query; no when nothing is said.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Box<Problem>> {
        match self.query(name) {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("" | "true" | "1" | "yes") => Ok(true),
            Some(_) => {
                Err(Problem::new(StatusCode::BAD_REQUEST, format!("`{name}` is neither true nor false")))
            }
        }
    }
}

/// Reads a body; an empty one says nothing.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Problem>> {
    let text = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not what is expected: {error}"))
    })
}
