//! Messages that the gateway itself writes.

use bytes::Bytes;

/// Returns an answer with this result; `id` and `result` are JSON as it stands.
pub fn result(id: &str, result: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(id.len() + result.len() + 36);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","result":"#);
    out.extend_from_slice(result);
    out.push(b'}');
    out.into()
}

/// Returns an answer with this error; `id` and `error` are JSON as it stands.
pub fn error(id: &str, error: &str) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into()
}

/// Returns a request; `id` and `params` are JSON as it stands.
pub fn request(id: &str, method: &str, params: Option<&str>) -> Bytes {
    let method = serde_json::Value::from(method);
    match params {
        Some(params) => {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#).into()
        }
        None => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method}}}"#).into(),
    }
}

/// Returns a notification; `params` is JSON as it stands.
pub fn notification(method: &str, params: Option<&str>) -> Bytes {
    let method = serde_json::Value::from(method);
    match params {
        Some(params) => format!(r#"{{"jsonrpc":"2.0","method":{method},"params":{params}}}"#).into(),
        None => format!(r#"{{"jsonrpc":"2.0","method":{method}}}"#).into(),
    }
}
