//! A JSON Schema as people read it: what there is, of which type, and what is said about it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::ui::plain;

/// So deep is told what stands within what.
const DEEPEST: usize = 5;

/// So many lines at most; schemas can be longer than any help.
const LONGEST: usize = 400;

/// So many values of a choice are told.
const VALUES: usize = 12;

/// Returns the lines that tell a schema; the first says what it is as a whole, the others are indented below it.
pub(super) fn lines(schema: &Value) -> Vec<String> {
    let mut lines = vec![head(schema)];
    members(schema, 0, &mut lines);
    if lines.len() > LONGEST {
        lines.truncate(LONGEST);
        lines.push("... and more; `--json` tells all of it".to_owned());
    }
    lines
}

fn head(schema: &Value) -> String {
    if schema["properties"].as_object().is_some_and(|members| !members.is_empty()) {
        return "an object of".to_owned();
    }
    match kind(schema).as_str() {
        "object" | "anything" => "nothing that is told".to_owned(),
        kind => kind.to_owned(),
    }
}

fn members(schema: &Value, depth: usize, lines: &mut Vec<String>) {
    if depth >= DEEPEST || lines.len() > LONGEST {
        return;
    }
    let of_items = schema.get("items").filter(|items| items.is_object());
    let schema = of_items.unwrap_or(schema);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(all) = schema["properties"].as_object() else { return };
    let width = all.keys().map(|name| plain(name).chars().count()).max().unwrap_or_default().min(24);
    for (name, member) in all {
        let mut said = kind(member);
        if required.contains(&name.as_str()) {
            said.push_str(", required");
        }
        if let Some(default) = member.get("default") {
            let _ = write!(said, ", {} when not said", plain(&default.to_string()));
        }
        let text = member["description"].as_str().unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = if text.is_empty() { text } else { format!(": {}", plain(&text)) };
        let indent = "  ".repeat(depth);
        lines.push(format!("{indent}{:width$}  {said}{text}", plain(name)));
        members(member, depth + 1, lines);
    }
}

/// Returns of which type something is.
fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let mut shown: Vec<String> =
            values.iter().take(VALUES).map(|value| plain(&value.to_string())).collect();
        if values.len() > VALUES {
            shown.push(format!("{} more", values.len() - VALUES));
        }
        return format!("one of {}", shown.join(", "));
    }
    if let Some(value) = schema.get("const") {
        return plain(&value.to_string());
    }
    if let Some(name) = schema["$ref"].as_str() {
        return plain(name.rsplit('/').next().unwrap_or(name));
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(all) = schema[word].as_array() {
            let mut kinds: Vec<String> = Vec::new();
            for kind in all.iter().take(VALUES).map(kind) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            return kinds.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(name) if name == "array" && schema["items"].is_object() => {
            format!("array of {}", kind(&schema["items"]))
        }
        Value::String(name) => plain(name),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).map(plain).collect::<Vec<_>>().join(" or ")
        }
        _ if schema["properties"].is_object() => "object".to_owned(),
        _ => "anything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lines;

    #[test]
    fn a_schema_is_told_in_lines() {
        for (schema, told) in [
            (json!({ "type": "object" }), "nothing that is told"),
            (json!({}), "nothing that is told"),
            (json!(true), "nothing that is told"),
            (json!({ "type": "string" }), "string"),
            (
                json!({ "type": "object", "required": ["a"], "properties": {
                    "a": { "type": "string", "description": "The first\n  of two" },
                    "long": { "type": "integer", "default": 3 },
                } }),
                "an object of
a     string, required: The first of two
long  integer, 3 when not said",
            ),
            (
                json!({ "properties": {
                    "list": { "type": "array", "items": { "type": "object", "properties": { "x": { "type": ["string", "null"] } } } },
                    "pick": { "enum": ["a", "b", 3] },
                    "any": { "anyOf": [{ "type": "string" }, { "type": "null" }, { "type": "string" }] },
                    "ref": { "$ref": "#/$defs/Thing" },
                    "fixed": { "const": "x" },
                    "free": {},
                } }),
                "an object of
any    string or null
fixed  \"x\"
free   anything
list   array of object
  x  string or null
pick   one of \"a\", \"b\", 3
ref    Thing",
            ),
            (
                json!({ "properties": { "\u{1b}[31m": { "type": "\u{7}", "description": "\u{1b}]0;x\u{7}" } } }),
                "an object of\n\\u{1b}[31m  \\u{7}: \\u{1b}]0;x\\u{7}",
            ),
        ] {
            assert_eq!(lines(&schema).join("\n"), told, "{schema}");
        }
    }

    #[test]
    fn no_schema_is_told_for_ever() {
        let deep = (0..100).fold(json!({}), |inner, _| json!({ "properties": { "x": inner } }));
        assert_eq!(lines(&deep).len(), 6);
        let wide: serde_json::Map<String, serde_json::Value> =
            (0..10_000).map(|number| (format!("p{number}"), json!({}))).collect();
        assert!(lines(&json!({ "properties": wide })).len() < 500);
    }
}
