//! What has to be said otherwise when a message crosses from one era to the other (requirements L5, L7).
//!
//! Within one era nothing here is used: messages pass as they are.

use std::borrow::Cow;

use bytes::Bytes;
use switchboard_core::mcp::revision::LATEST;

use crate::caller::Caller;
use crate::object::Object;
use crate::trouble::{INVALID_PARAMS, RESOURCE_NOT_FOUND};

/// The members of `_meta` that belong to the modern era.
const RESERVED: [&str; 4] = [
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
];

/// Who answers, in `_meta` of a modern result.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Methods whose modern results say how long they may be kept.
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// What has to be done to an answer on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing: both speak alike.
    Same,
    /// The client is of the legacy era and the server is not; the answer is to this method.
    ToLegacy(Box<str>),
    /// The client is of the modern era and the server is not.
    ToModern(Box<str>),
}

/// Returns a tool as callers of the legacy era may be told of it: what it puts out is an object there, or not described.
pub(crate) fn tool_for_legacy(item: &Bytes) -> Cow<'_, [u8]> {
    let known = memchr::memmem::find(item, b"\"outputSchema\"").is_some();
    let object = std::str::from_utf8(item).ok().filter(|_| known).and_then(Object::read);
    let Some(mut object) = object else { return Cow::Borrowed(item) };
    let is_object = object
        .member("outputSchema")
        .and_then(Object::read)
        .is_some_and(|schema| schema.member("type").is_some_and(|kind| kind == "\"object\""));
    if is_object || !object.remove("outputSchema") {
        return Cow::Borrowed(item);
    }
    Cow::Owned(object.to_string().into_bytes())
}

/// Returns a modern result as a legacy client takes it; some take an empty result only when it is empty.
pub(crate) fn result_for_legacy(method: &str, result: &str) -> String {
    let Some(mut object) = Object::read(result) else { return result.to_owned() };
    for name in ["resultType", "ttlMs", "cacheScope"] {
        object.remove(name);
    }
    if let Some(meta) = object.member("_meta").map(str::to_owned)
        && let Some(mut meta) = Object::read(&meta)
        && meta.remove(SERVER_INFO)
    {
        if meta.is_empty() {
            object.remove("_meta");
        } else {
            object.set("_meta", meta.to_string());
        }
    }
    if method == "tools/call" && object.member("structuredContent").is_some_and(|said| !said.starts_with('{'))
    {
        object.remove("structuredContent");
    }
    object.to_string()
}

/// Returns a legacy result as a modern client expects it.
pub(crate) fn result_for_modern(method: &str, result: &str) -> String {
    let Some(mut object) = Object::read(result) else { return result.to_owned() };
    if object.member("resultType").is_none() {
        object.set("resultType", "\"complete\"");
    }
    if CACHEABLE.contains(&method) {
        for (name, said) in [("ttlMs", "0"), ("cacheScope", "\"private\"")] {
            if object.member(name).is_none() {
                object.set(name, said);
            }
        }
    }
    object.to_string()
}

/// Returns an error with the code that the other era has for it.
pub(crate) fn error_for(shape: &Shape, error: &str) -> String {
    let (method, from, to) = match shape {
        Shape::Same => return error.to_owned(),
        Shape::ToLegacy(method) => (method, INVALID_PARAMS, RESOURCE_NOT_FOUND),
        Shape::ToModern(method) => (method, RESOURCE_NOT_FOUND, INVALID_PARAMS),
    };
    let Some(mut object) = Object::read(error).filter(|_| &**method == "resources/read") else {
        return error.to_owned();
    };
    if object.member("code") == Some(from.to_string().as_str()) {
        object.set("code", to.to_string());
    }
    object.to_string()
}

/// Returns parameters for a modern server on behalf of a caller: everything that it has to be told in each request.
pub(crate) fn params_for_modern(params: Option<&str>, caller: &Caller, level: Option<&str>) -> String {
    let mut object = params.and_then(Object::read).unwrap_or_default();
    let before = object.member("_meta").map(str::to_owned);
    let mut meta = before.as_deref().and_then(Object::read).unwrap_or_default();
    meta.set(RESERVED[0], format!("\"{LATEST}\""));
    meta.set(RESERVED[1], &*caller.capabilities);
    if let Some(info) = &caller.info {
        meta.set(RESERVED[2], &**info);
    }
    if let Some(level) = level {
        meta.set(RESERVED[3], format!("\"{level}\""));
    }
    let meta = meta.to_string();
    object.set("_meta", meta);
    object.to_string()
}

/// Returns parameters for a legacy server: without what only the modern era knows. `None` where nothing is left.
pub(crate) fn params_for_legacy(params: Option<&str>) -> Option<String> {
    let mut object = Object::read(params?)?;
    // Tasks do not cross from one era to the other.
    for name in ["inputResponses", "requestState", "task"] {
        object.remove(name);
    }
    let before = object.member("_meta").map(str::to_owned);
    if let Some(mut meta) = before.as_deref().and_then(Object::read) {
        for name in RESERVED {
            meta.remove(name);
        }
        if meta.is_empty() {
            object.remove("_meta");
        } else {
            object.set("_meta", meta.to_string());
        }
    }
    (!object.is_empty()).then(|| object.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_lose_and_gain_what_the_other_era_does_not_know() {
        let modern = r#"{"resultType":"complete","ttlMs":5,"x":1.0,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{}}}"#;
        assert_eq!(result_for_legacy("tools/list", modern), r#"{"x":1.0}"#);
        assert_eq!(
            result_for_legacy("tools/call", r#"{"structuredContent":[1],"content":[]}"#),
            r#"{"content":[]}"#
        );
        assert_eq!(
            result_for_legacy("tools/call", r#"{"structuredContent":{"a":1},"_meta":{"b":2}}"#),
            r#"{"structuredContent":{"a":1},"_meta":{"b":2}}"#
        );
        assert_eq!(
            result_for_modern("tools/call", r#"{"content":[]}"#),
            r#"{"content":[],"resultType":"complete"}"#
        );
        assert_eq!(
            result_for_modern("resources/read", "{}"),
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#
        );
    }

    #[test]
    fn a_resource_that_is_not_there_has_a_code_in_each_era() {
        let to = |shape: fn(Box<str>) -> Shape, method: &str, code: i32| {
            error_for(&shape(method.into()), &format!(r#"{{"code":{code},"message":"x"}}"#))
        };
        assert!(to(Shape::ToLegacy, "resources/read", -32602).contains("-32002"));
        assert!(to(Shape::ToModern, "resources/read", -32002).contains("-32602"));
        assert!(to(Shape::ToLegacy, "tools/call", -32602).contains("-32602"));
    }

    #[test]
    fn parameters_say_what_the_other_era_asks_for() {
        let caller = Caller::new("2025-11-25", None, None);
        let modern =
            params_for_modern(Some(r#"{"name":"a","_meta":{"progressToken":7,"own":1}}"#), &caller, None);
        assert_eq!(
            modern,
            r#"{"name":"a","_meta":{"progressToken":7,"own":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}"#
        );
        assert_eq!(
            params_for_legacy(Some(&modern)).unwrap(),
            r#"{"name":"a","_meta":{"progressToken":7,"own":1}}"#
        );
        assert_eq!(params_for_legacy(None), None);
        assert_eq!(params_for_legacy(Some(&params_for_modern(None, &caller, None))), None);
    }

    #[test]
    fn a_legacy_client_is_told_of_output_that_is_an_object_and_of_no_other() {
        for (schema, kept) in
            [(r#"{"type":"object"}"#, true), (r#"{"type":"array"}"#, false), ("true", false)]
        {
            let tool = Bytes::from(format!(r#"{{"name":"a","outputSchema":{schema}}}"#));
            let shaped = tool_for_legacy(&tool);
            assert_eq!(*shaped == tool[..], kept, "{schema}");
        }
    }
}
