//! What a tool answered, as parts that can be shown one after another.

use serde_json::Value;

/// A table has at most so many columns: what is wider is read better as it came.
const COLUMNS: usize = 12;

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text, as the server wrote it.
    Text(String),
    /// A picture.
    Picture(Picture),
    /// Something else, by its kind and its address, where it has one.
    Other(String),
}

/// A picture, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Its media type, such as `image/png`.
    pub(crate) kind: String,
    /// Its bytes, in base64.
    pub(crate) data: String,
}

impl Picture {
    /// Returns what it is, in words.
    pub(crate) fn in_words(&self) -> String {
        format!("{}, {} KB", self.kind, (self.data.len() * 3 / 4).div_ceil(1024))
    }
}

/// Returns the parts of the result of a call, in their order.
pub(crate) fn parts(result: &Value) -> Vec<Part> {
    result["content"].as_array().into_iter().flatten().map(part).collect()
}

/// Returns whether a tool says that it failed.
pub(crate) fn has_failed(result: &Value) -> bool {
    result["isError"] == true
}

fn part(content: &Value) -> Part {
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let text = content["text"].as_str().or(content["resource"]["text"].as_str());
    match (content["type"].as_str(), text) {
        (_, Some(text)) => Part::Text(text.to_owned()),
        (Some("image"), None) => {
            Part::Picture(Picture { kind: word(&content["mimeType"]), data: word(&content["data"]) })
        }
        (kind, None) => {
            let address = content["uri"].as_str().or(content["resource"]["uri"].as_str());
            let address = address.map(|address| format!(" {address}")).unwrap_or_default();
            Part::Other(format!("{}{address}", kind.unwrap_or("?")))
        }
    }
}

/// A header, and rows that are as long.
pub(crate) type Table = (Vec<String>, Vec<Vec<String>>);

/// Returns a text that is a list of like objects as a table: a JSON array of them, or an object with nothing but one.
pub(crate) fn as_table(text: &str) -> Option<Table> {
    let value: Value = serde_json::from_str(text).ok()?;
    let list = match &value {
        Value::Array(list) => list,
        Value::Object(members) if members.len() == 1 => members.values().next()?.as_array()?,
        _ => return None,
    };
    let rows: Vec<_> = list.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut header: Vec<&String> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !header.contains(&name) {
            header.push(name);
        }
        if header.len() > COLUMNS {
            return None;
        }
    }
    if header.is_empty() {
        return None;
    }
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let cells = rows.iter().map(|row| header.iter().map(|name| cell(row.get(*name))).collect()).collect();
    Some((header.into_iter().cloned().collect(), cells))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_has_parts() {
        let result = json!({ "content": [
            { "type": "text", "text": "a" },
            { "type": "resource", "resource": { "uri": "x:1", "text": "b" } },
            { "type": "image", "mimeType": "image/png", "data": "AAAA" },
            { "type": "resource_link", "uri": "x:2" },
            { "type": "resource", "resource": { "uri": "x:3", "blob": "AA==" } },
            { "type": "audio", "mimeType": "audio/wav", "data": "AAAA" },
            7,
        ]});
        let text = |text: &str| Part::Text(text.to_owned());
        let other = |text: &str| Part::Other(text.to_owned());
        let picture = Picture { kind: "image/png".to_owned(), data: "AAAA".to_owned() };
        assert_eq!(picture.in_words(), "image/png, 1 KB");
        let expected = [
            text("a"),
            text("b"),
            Part::Picture(picture),
            other("resource_link x:2"),
            other("resource x:3"),
            other("audio"),
            other("?"),
        ];
        assert_eq!(parts(&result), expected);
        assert_eq!(parts(&json!({})), []);
    }

    #[test]
    fn a_list_of_like_objects_is_a_table_and_nothing_else_is() {
        let table = |text: &str| {
            let (header, rows) = as_table(text)?;
            let rows: Vec<String> = rows.iter().map(|row| row.join("|")).collect();
            Some(format!("{}: {}", header.join("|"), rows.join(", ")))
        };
        for (text, expected) in [
            (r#"[{"a":1,"b":"x"},{"b":"y","c":[1]}]"#, Some("a|b|c: 1|x|, |y|[1]")),
            (r#"{"items":[{"a":null}]}"#, Some("a: ")),
            (r#"{"items":[{"a":1}],"more":2}"#, None),
            ("[]", None),
            ("[{}]", None),
            ("[1,2]", None),
            ("[{\"a\":1},2]", None),
            ("no json", None),
        ] {
            assert_eq!(table(text).as_deref(), expected, "{text}");
        }
    }
}
