//! Whether an answer is the right one.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Fault;

#[derive(Deserialize)]
struct Answer<'a, R> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    result: Option<R>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    content: Vec<Content<'a>>,
    #[serde(default, rename = "isError")]
    is_error: bool,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    tools: Vec<Tool<'a>>,
    #[serde(borrow, default, rename = "nextCursor")]
    cursor: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, rename = "inputSchema")]
    schema: &'a RawValue,
}

#[derive(Deserialize)]
struct Addressed<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// It answers the request of this id.
    Answer(Option<u64>),
    /// It asks something itself, under this id.
    Request(String, String),
    Notification(String),
}

/// Returns whom a message is for.
pub(super) fn about(message: &[u8]) -> Result<About, Fault> {
    let read: Addressed<'_> = read(message)?;
    let id = read.id.map(RawValue::get);
    Ok(match (read.method, id) {
        (Some(method), Some(id)) => About::Request(method.into_owned(), id.to_owned()),
        (Some(method), None) => About::Notification(method.into_owned()),
        (None, id) => About::Answer(id.and_then(|id| id.parse().ok())),
    })
}

/// Checks that this is the answer to call `id`, and that it has exactly `text`.
pub(super) fn called(message: &[u8], id: u64, text: &str) -> Result<(), Fault> {
    let result: Called<'_> = result(message, id)?;
    if result.is_error {
        return Err(Fault::Failed(shown(message)));
    }
    let [content] = result.content.as_slice() else {
        return Err(Fault::Wrong(format!("{} parts of content in {}", result.content.len(), shown(message))));
    };
    let came = content.text.map_or("", |text| text.get().trim_matches('"'));
    if content.kind != "text" || came != text {
        return Err(Fault::Wrong(format!("not the text `{}`: {}", cut(text), shown(message))));
    }
    Ok(())
}

/// Checks that this is a whole list of tools, and returns their names.
pub(super) fn listed(message: &[u8], id: u64) -> Result<Vec<String>, Fault> {
    let result: Listed<'_> = result(message, id)?;
    if result.cursor.is_some() {
        return Err(Fault::Wrong("the list has a second page".to_owned()));
    }
    if let Some(tool) = result.tools.iter().find(|tool| !tool.schema.get().starts_with('{')) {
        return Err(Fault::Wrong(format!("the schema of `{}` is no object", tool.name)));
    }
    Ok(result.tools.into_iter().map(|tool| tool.name.into_owned()).collect())
}

/// Checks that a list has so many tools, all different, those of the fast upstream among them.
pub(super) fn whole(names: &[String], count: usize) -> Result<(), Fault> {
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    if names.len() != count || different.len() != count {
        return Err(Fault::Wrong(format!(
            "{} tools, {} different, not {count}",
            names.len(),
            different.len()
        )));
    }
    for at in 2..count {
        let end = format!("tool_{at:04}");
        if !names.get(at).is_some_and(|name| name.ends_with(&end)) {
            return Err(Fault::Wrong(format!("tool {at} is not `{end}`")));
        }
    }
    Ok(())
}

/// Checks that this answers `initialize`.
pub(super) fn opened(message: &[u8]) -> Result<(), Fault> {
    result::<serde_json::Value>(message, 0).map(drop)
}

fn result<'a, R: Deserialize<'a>>(message: &'a [u8], id: u64) -> Result<R, Fault> {
    let answer: Answer<'a, R> = read(message)?;
    if let Some(error) = answer.error {
        return Err(Fault::Failed(cut(error.get())));
    }
    let own = answer.id.map_or("", RawValue::get);
    if own.parse() != Ok(id) {
        return Err(Fault::Wrong(format!("the id is {}, not {id}", cut(own))));
    }
    answer.result.ok_or_else(|| Fault::Wrong(format!("no result in {}", shown(message))))
}

fn read<'a, R: Deserialize<'a>>(message: &'a [u8]) -> Result<R, Fault> {
    serde_json::from_slice(message).map_err(|error| Fault::Wrong(format!("{error} in {}", shown(message))))
}

fn shown(message: &[u8]) -> String {
    cut(&String::from_utf8_lossy(message))
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
