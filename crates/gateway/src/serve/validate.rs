//! The headers that a stateless message repeats (2026-07-28, requirement L6): what they say has to be what it says.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::value::RawValue;
use switchboard_core::mcp::revision::{Era, LEGACY, MODERN};

use crate::envelope::{Envelope, Kind, Params, text};
use crate::object::Object;
use crate::trouble::error;

/// The protocol's code for headers that say something else than the message.
const MISMATCH: i32 = -32020;

/// What stands around a value that a header cannot hold as it is.
const CODED: (&str, &str) = ("=?base64?", "?=");

/// The headers of a request, as far as they matter here: names in lower case.
pub(super) type Headers<'h> = &'h dyn Fn(&str) -> Option<&'h str>;

/// Returns the error of a stateless message whose headers say something else than it does; `None` where all is well.
pub(super) fn mismatch(envelope: &Envelope<'_>, headers: Headers<'_>) -> Option<String> {
    let params = Params::read(envelope.params);
    let meta = params.meta();
    let wrong = |what: &str| Some(error(MISMATCH, what, None));
    match (headers("mcp-protocol-version"), meta.revision.as_deref()) {
        (None, _) => return wrong("`MCP-Protocol-Version` is missing"),
        (Some(said), Some(revision)) if said != revision => {
            return wrong("`MCP-Protocol-Version` says another revision than the message");
        }
        _ => {}
    }
    let method = envelope.method.as_deref().unwrap_or_default();
    match headers("mcp-method") {
        None => return wrong("`Mcp-Method` is missing"),
        Some(said) if said != method => return wrong("`Mcp-Method` says another method than the message"),
        Some(_) => {}
    }
    if envelope.kind != Kind::Request {
        return None;
    }
    let name = match method {
        "tools/call" | "prompts/get" => text(params.name),
        "resources/read" => text(params.uri),
        _ if method.starts_with("tasks/") => text(params.task),
        _ => return None,
    };
    match (headers("mcp-name"), name) {
        (_, None) => None,
        (None, Some(_)) => wrong("`Mcp-Name` is missing"),
        (Some(said), Some(name)) => match decoded(said) {
            Some(said) if *said == *name => None,
            Some(_) => wrong("`Mcp-Name` says another name than the message"),
            None => wrong("`Mcp-Name` is not well coded"),
        },
    }
}

/// Returns the error of a call whose `Mcp-Param-*` headers say something else than its arguments, by the schema of the
/// tool that it is for.
pub(super) fn parameters(
    params: Option<&RawValue>,
    schema: Option<&str>,
    headers: Headers<'_>,
) -> Option<String> {
    let schema: Value = serde_json::from_str(schema?).ok()?;
    let arguments = params.and_then(|params| {
        let object = Object::read(params.get())?;
        serde_json::from_str::<Value>(object.member("arguments")?).ok()
    });
    let properties = schema.get("properties")?.as_object()?;
    for (property, said) in properties {
        let Some(header) = said.get("x-mcp-header").and_then(Value::as_str) else { continue };
        let name = format!("mcp-param-{}", header.to_ascii_lowercase());
        let value = arguments.as_ref().and_then(|all| all.get(property)).filter(|value| !value.is_null());
        let fits = match (headers(&name), value) {
            (None, None) => true,
            (Some(said), Some(value)) => decoded(said).is_some_and(|said| says(&said, value)),
            _ => false,
        };
        if !fits {
            let what = format!("`Mcp-Param-{header}` does not say what the argument `{property}` says");
            return Some(error(MISMATCH, &what, None));
        }
    }
    None
}

/// Returns whether a header says a value: numbers count by what they are, not by how they are written.
fn says(said: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => said == text,
        Value::Bool(flag) => said == if *flag { "true" } else { "false" },
        Value::Number(number) => {
            said == number.to_string()
                || matches!((said.parse::<f64>(), number.as_f64()), (Ok(said), Some(number)) if said.to_bits() == number.to_bits())
        }
        _ => false,
    }
}

/// Returns what a header says; `None` where it says that it is coded, and is not.
fn decoded(said: &str) -> Option<Cow<'_, str>> {
    let prefix = said.get(..CODED.0.len()).filter(|prefix| prefix.eq_ignore_ascii_case(CODED.0));
    let Some(inner) = prefix.and_then(|_| said[CODED.0.len()..].strip_suffix(CODED.1)) else {
        return Some(Cow::Borrowed(said));
    };
    String::from_utf8(BASE64_STANDARD.decode(inner).ok()?).ok().map(Cow::Owned)
}

/// Returns the era that a request over HTTP speaks: the header and the message both may say so.
pub(super) fn era(header: Option<&str>, body: Option<&str>) -> Era {
    let says = |revision: &str| MODERN.contains(&revision);
    if body.is_some() || header.is_some_and(says) { Era::Modern } else { Era::Legacy }
}

/// Returns whether a revision in a header is one of the legacy era that is known. The very first has no name for itself.
pub(super) fn is_legacy(revision: &str) -> bool {
    LEGACY.contains(&revision) || revision == "2024-10-07"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, headers: &[(&str, &str)]) -> bool {
        let envelope = Envelope::read(body.as_bytes()).unwrap();
        let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        mismatch(&envelope, &find).is_none()
    }

    #[test]
    fn headers_say_what_the_message_says() {
        let call = r#"{"id":1,"method":"tools/call","params":{"name":"ä b","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "tools/call");
        for (headers, fits) in [
            (vec![version, method, ("mcp-name", "=?base64?w6QgYg==?=")], true),
            (vec![version, method, ("mcp-name", "=?BASE64?w6QgYg==?=")], true),
            (vec![version, method, ("mcp-name", "=?base64?w6QgYg=?=")], false),
            (vec![version, method, ("mcp-name", "a b")], false),
            (vec![version, method], false),
            (vec![version, ("mcp-name", "=?base64?w6QgYg==?=")], false),
            (vec![version, ("mcp-method", "TOOLS/CALL"), ("mcp-name", "=?base64?w6QgYg==?=")], false),
            (vec![("mcp-protocol-version", "2025-11-25"), method], false),
            (vec![method], false),
        ] {
            assert_eq!(check(call, &headers), fits, "{headers:?}");
        }
    }

    #[test]
    fn parameters_in_headers_say_what_the_arguments_say() {
        let schema = r#"{"properties":{"region":{"x-mcp-header":"Region"},"n":{"x-mcp-header":"N"}}}"#;
        let params = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        for (arguments, headers, fits) in [
            (r#"{"region":"eu","n":1}"#, vec![("mcp-param-region", "eu"), ("mcp-param-n", "1.0")], true),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "eu")], true),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "us")], false),
            (r#"{"region":"eu"}"#, vec![], false),
            (r#"{"region":null}"#, vec![], true),
            ("{}", vec![("mcp-param-region", "eu")], false),
        ] {
            let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            let raw = params(&format!(r#"{{"arguments":{arguments}}}"#));
            assert_eq!(
                parameters(Some(&raw), Some(schema), &find).is_none(),
                fits,
                "{arguments} {headers:?}"
            );
        }
    }
}
