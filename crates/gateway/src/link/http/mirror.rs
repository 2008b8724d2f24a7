//! Arguments that a stateless server wants to see in headers too, so that what stands before it can route by them.
//!
//! A tool's schema marks such a property with `x-mcp-header: NAME`; a call then carries `Mcp-Param-NAME`. What is
//! marked is learnt from the lists of tools as they pass. A call of a tool that no list has shown carries none.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hyper::header::HeaderName;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::object::Object;

/// So many tools are remembered; no server that means well has more.
const TOOLS: usize = 10_000;

/// No mark is looked for deeper than this.
const DEPTH: usize = 32;

/// The marked properties of the tools seen until now.
#[derive(Default)]
pub struct Mirror(HashMap<String, Arc<[Marked]>>);

/// A marked property.
struct Marked {
    /// The way to it, from the arguments on.
    path: Vec<String>,
    header: HeaderName,
}

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
    #[serde(rename = "inputSchema", default)]
    schema: Value,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    params: CallParams<'a>,
}

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl Mirror {
    /// Learns from the answer to `tools/list`. A tool that cannot be read marks nothing.
    pub fn learn(&mut self, answer: &[u8]) {
        let Ok(list) = serde_json::from_slice::<List<'_>>(answer) else { return };
        for tool in list.result.tools {
            let _ = self.offered(tool.get());
        }
    }

    /// Learns what a tool marks.
    ///
    /// # Errors
    /// It marks something in a way that the protocol does not have, so that it must not be called; the sentence says
    /// which.
    pub fn offered(&mut self, tool: &str) -> Result<(), String> {
        // Most mark nothing, and are not read any further.
        if memchr::memmem::find(tool.as_bytes(), b"x-mcp-header").is_none() && self.0.is_empty() {
            return Ok(());
        }
        let Ok(tool) = serde_json::from_str::<Tool>(tool) else { return Ok(()) };
        let mut found = Found::default();
        found.look(&tool.schema, true, DEPTH);
        self.0.remove(&tool.name);
        if let Some(problem) = found.problem {
            return Err(problem);
        }
        if !found.marked.is_empty() && self.0.len() < TOOLS {
            self.0.insert(tool.name, found.marked.into());
        }
        Ok(())
    }

    /// Returns the headers of a call of `tool`, with the text that each repeats.
    pub fn headers(&self, tool: &str, message: &[u8]) -> Vec<(HeaderName, String)> {
        let Some(marked) = self.0.get(tool) else { return Vec::new() };
        let Ok(call) = serde_json::from_slice::<Call<'_>>(message) else { return Vec::new() };
        let Some(arguments) = call.params.arguments else { return Vec::new() };
        let repeated = |marked: &Marked| Some((marked.header.clone(), at(arguments.get(), &marked.path)?));
        marked.iter().filter_map(repeated).collect()
    }
}

/// What is marked in a schema.
#[derive(Default)]
struct Found {
    marked: Vec<Marked>,
    names: HashSet<String>,
    path: Vec<String>,
    problem: Option<String>,
}

impl Found {
    /// Looks for marks; only what hangs together by `properties` alone can be found again in arguments.
    fn look(&mut self, schema: &Value, is_reachable: bool, depth: usize) {
        if depth == 0 {
            return;
        }
        match schema {
            Value::Array(all) => all.iter().for_each(|one| self.look(one, false, depth - 1)),
            Value::Object(members) => {
                if let Some(name) = members.get("x-mcp-header").filter(|_| depth < DEPTH || !is_reachable) {
                    self.mark(name, members.get("type"), is_reachable);
                }
                for (member, value) in members {
                    match value {
                        Value::Object(properties) if member == "properties" => {
                            for (property, schema) in properties {
                                self.path.push(property.clone());
                                self.look(schema, is_reachable, depth - 1);
                                self.path.pop();
                            }
                        }
                        // These hold values, not schemas.
                        _ if matches!(&**member, "const" | "default" | "enum" | "examples") => {}
                        _ => self.look(value, false, depth - 1),
                    }
                }
            }
            _ => {}
        }
    }

    fn mark(&mut self, name: &Value, kind: Option<&Value>, is_reachable: bool) {
        let header = name.as_str().filter(|name| !name.is_empty());
        let header = header.and_then(|name| HeaderName::try_from(format!("mcp-param-{name}")).ok());
        let fits = matches!(kind.and_then(Value::as_str), Some("string" | "integer" | "boolean"));
        let problem = match header {
            None => format!("{name} is no name of a header"),
            Some(_) if !is_reachable => format!("{name} is marked where it cannot be found in arguments"),
            Some(_) if !fits => {
                format!("{name} is marked on something other than a string, integer or boolean")
            }
            Some(header) if !self.names.insert(header.as_str().to_owned()) => {
                format!("{name} is marked twice")
            }
            Some(header) => return self.marked.push(Marked { path: self.path.clone(), header }),
        };
        self.problem.get_or_insert(problem);
    }
}

/// Returns the text of what stands in arguments at the end of a path; nothing where it is not there, or no text.
fn at(arguments: &str, path: &[String]) -> Option<String> {
    match path {
        [] => scalar(arguments),
        [first, rest @ ..] => {
            let object = Object::read(arguments)?;
            at(object.member(first)?, rest)
        }
    }
}

/// Returns a string's text, and a number or truth value as it is written; nothing else fits a header.
fn scalar(value: &str) -> Option<String> {
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_arguments_are_repeated() {
        let mut mirror = Mirror::default();
        mirror.learn(
            br#"{"id":1,"result":{"tools":[{"name":"bad"},7,{"name":"t","inputSchema":{"type":"object","properties":{
                "region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"},"free":{},
                "b":{"type":"boolean","x-mcp-header":"B"},"absent":{"type":"string","x-mcp-header":"Absent"},
                "in":{"type":"object","properties":{"deep":{"type":"string","x-mcp-header":"Deep"}}}}}}]}}"#,
        );
        let call = br#"{"params":{"name":"t","arguments":{"region":"e\u0075","n":1e400,"free":1,"b":null,"in":{"deep":"x"}}}}"#;
        let mut headers = mirror.headers("t", call);
        headers.sort_by_key(|(name, _)| name.to_string());
        let shown: Vec<String> = headers.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(shown, ["mcp-param-deep=x", "mcp-param-n=1e400", "mcp-param-region=eu"]);
        assert!(mirror.headers("other", call).is_empty());
        mirror.learn(br#"{"result":{"tools":[{"name":"t","inputSchema":{"properties":{"region":{}}}}]}}"#);
        assert!(mirror.headers("t", call).is_empty(), "it marks nothing any more");
    }

    #[test]
    fn a_tool_that_marks_what_the_protocol_does_not_have_is_refused() {
        let marked = |name: &str, kind: &str| format!(r#"{{"type":"{kind}","x-mcp-header":"{name}"}}"#);
        let one = |schema: &str| format!(r#"{{"a":{schema}}}"#);
        let text = marked("A", "string");
        for (properties, fits) in [
            (one(&text), true),
            (one(&marked("", "string")), false),
            (one(&marked("a b", "string")), false),
            (one(&marked("a:b", "string")), false),
            (one(&marked("é", "string")), false),
            (one(&marked("A", "number")), false),
            (one(&marked("A", "object")), false),
            (one(r#"{"x-mcp-header":"A"}"#), false),
            (one(r#"{"type":"string","x-mcp-header":7}"#), false),
            (format!(r#"{{"a":{text},"b":{}}}"#, marked("a", "string")), false),
            (one(&format!(r#"{{"type":"array","items":{text}}}"#)), false),
            (one(&format!(r#"{{"anyOf":[{text}]}}"#)), false),
            (one(r#"{"default":{"x-mcp-header":""}}"#), true),
            (r#"{"x-mcp-header":{"type":"string"}}"#.to_owned(), true),
        ] {
            let tool =
                format!(r#"{{"name":"t","inputSchema":{{"type":"object","properties":{properties}}}}}"#);
            let said = Mirror::default().offered(&tool);
            assert_eq!(said.is_ok(), fits, "{properties}: {said:?}");
        }
    }
}
