//! Arguments that a stateless server wants to see in headers too, so that what stands before it can route by them.
//!
//! A tool's schema marks such a property with `x-mcp-header: NAME`; a call then carries `Mcp-Param-NAME`. What is
//! marked is learnt from the lists of tools as they pass. A call of a tool that no list has shown carries none.

use std::collections::{BTreeMap, HashMap};

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::value::RawValue;

/// So many tools are remembered; no server that means well has more.
const TOOLS: usize = 10_000;

/// The marked properties of the tools seen until now.
#[derive(Default)]
pub(super) struct Mirror(HashMap<String, Vec<(String, HeaderName)>>);

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    result: Tools<'a>,
}

#[derive(Deserialize)]
struct Tools<'a> {
    #[serde(borrow)]
    tools: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
    #[serde(rename = "inputSchema")]
    schema: Schema,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(default)]
    properties: BTreeMap<String, Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(rename = "x-mcp-header")]
    header: Option<String>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    params: CallParams<'a>,
}

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow, default)]
    arguments: BTreeMap<String, &'a RawValue>,
}

impl Mirror {
    /// Learns from the answer to `tools/list`. A tool that cannot be read marks nothing.
    pub(super) fn learn(&mut self, answer: &[u8]) {
        let Ok(list) = serde_json::from_slice::<List<'_>>(answer) else { return };
        for tool in list.result.tools {
            let Ok(tool) = serde_json::from_str::<Tool>(tool.get()) else { continue };
            let marked: Vec<_> = tool.schema.properties.into_iter().filter_map(marked).collect();
            if marked.is_empty() {
                self.0.remove(&tool.name);
            } else if self.0.len() < TOOLS {
                self.0.insert(tool.name, marked);
            }
        }
    }

    /// Returns the headers of a call of `tool`, with the text that each repeats.
    pub(super) fn headers(&self, tool: &str, line: &[u8]) -> Vec<(HeaderName, String)> {
        let Some(marked) = self.0.get(tool) else { return Vec::new() };
        let Ok(call) = serde_json::from_slice::<Call<'_>>(line) else { return Vec::new() };
        let arguments = call.params.arguments;
        let repeated = |(property, header): &(String, HeaderName)| {
            Some((header.clone(), scalar(arguments.get(property)?)?))
        };
        marked.iter().filter_map(repeated).collect()
    }
}

fn marked((property, about): (String, Property)) -> Option<(String, HeaderName)> {
    let header = HeaderName::try_from(format!("mcp-param-{}", about.header?)).ok()?;
    Some((property, header))
}

/// Returns a string's text, and a number or truth value as it is written; nothing else fits a header.
fn scalar(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => serde_json::from_str(value.get()).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.get().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_arguments_are_repeated() {
        let mut mirror = Mirror::default();
        mirror.learn(
            br#"{"id":1,"result":{"tools":[{"name":"bad"},7,{"name":"t","inputSchema":{"properties":{
                "region":{"type":"string","x-mcp-header":"Region"},"n":{"x-mcp-header":"N"},"free":{},
                "list":{"x-mcp-header":"List"},"absent":{"x-mcp-header":"Absent"},"odd":{"x-mcp-header":"a b"}}}}]}}"#,
        );
        let line = br#"{"params":{"name":"t","arguments":{"region":"e\u0075","n":1.50,"free":1,"list":[1],"odd":1}}}"#;
        let mut headers = mirror.headers("t", line);
        headers.sort_by_key(|(_, text)| text.clone());
        let shown: Vec<String> = headers.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(shown, ["mcp-param-n=1.50", "mcp-param-region=eu"]);
        assert!(mirror.headers("other", line).is_empty());
    }
}
