//! Why a request was not done, in the one shape that all of them have (RFC 9457).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::Reply;
use crate::ask::{Answer, Question};
use crate::fail::{Code, Failure};

/// A problem, as it is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the title says what the status means.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the status means.
    title: &'static str,
    /// The status.
    status: u16,
    /// What failed, as a sentence.
    detail: String,
    /// What went wrong inside, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
    /// Problems of a file, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Value>,
    /// The names that would have been known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    /// What has to be agreed to first: come again with `yes=true`, or with `agreed=` and its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    question: Option<Question>,
    /// What was done all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    /// Further headers of the answer.
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Returns a problem; boxed, because it is the rare case.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            problems: Vec::new(),
            known: Vec::new(),
            question: None,
            document: None,
            headers: Vec::new(),
        })
    }

    /// Returns the problem with what to do next.
    pub(crate) fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hints.push(hint.into());
        self
    }

    /// Returns the problem with the names that would have been known.
    pub(crate) fn known(mut self: Box<Self>, known: impl IntoIterator<Item = String>) -> Box<Self> {
        self.known.extend(known);
        self
    }

    /// Returns the problem with a header of its answer.
    pub(crate) fn header(self: Box<Self>, name: HeaderName, value: &'static str) -> Box<Self> {
        self.with_header(name, HeaderValue::from_static(value))
    }

    /// Returns the problem with a header of its answer that is made up now.
    pub(crate) fn with_header(mut self: Box<Self>, name: HeaderName, value: HeaderValue) -> Box<Self> {
        self.headers.push((name, value));
        self
    }

    /// Returns the problem of a command that did not do what it was asked.
    pub(crate) fn of(answer: Answer, failure: Failure) -> Box<Self> {
        let status = match failure.code {
            _ if answer.question.is_some() => StatusCode::CONFLICT,
            _ if failure.is_busy() => StatusCode::SERVICE_UNAVAILABLE,
            Code::Usage if failure.what.starts_with("find ") => StatusCode::NOT_FOUND,
            Code::Usage => StatusCode::BAD_REQUEST,
            Code::BadFile => StatusCode::UNPROCESSABLE_ENTITY,
            Code::Conflict => StatusCode::CONFLICT,
            Code::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let told = failure.to_json();
        let mut problem = Self::new(status, format!("failed to {}", failure.what));
        for cause in &failure.causes {
            problem.detail.push_str(": ");
            problem.detail.push_str(cause);
        }
        problem.problems = told["problems"].as_array().cloned().unwrap_or_default();
        problem.causes = failure.causes;
        problem.hints = failure.hints;
        problem.question = answer.question;
        problem.document = answer.document;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            problem = problem.header(axum::http::header::RETRY_AFTER, "1");
        }
        problem
    }

    /// Returns the problem as an answer.
    pub(crate) fn reply(mut self: Box<Self>) -> Reply {
        let headers = std::mem::take(&mut self.headers);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut reply = Reply::new(Body::from(body));
        *reply.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        for (name, value) in own {
            reply.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        reply.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        reply
    }
}
