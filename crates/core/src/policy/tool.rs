//! A tool as its server describes it.

use crate::document::{Document, Format, Node, Unreadable};
use crate::value::Value;

/// What a server says of one of its tools: those parts that tell a model what the tool is and how to call it.
///
/// Numbers keep their spelling, and a text in which a key stands twice is not read: readers differ in which one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tool {
    /// What it is called by.
    pub name: String,
    /// What it is called for people.
    pub title: Option<Value>,
    /// What it is for, in the server's words.
    pub description: Option<Value>,
    /// What it takes, as a JSON Schema.
    pub input_schema: Option<Value>,
    /// What it gives, as a JSON Schema.
    pub output_schema: Option<Value>,
    /// What the server claims of it.
    pub annotations: Option<Value>,
}

impl Tool {
    /// Returns a tool of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Reads a tool as it stands in the answer to `tools/list`.
    ///
    /// # Errors
    /// The text is no JSON object with a name, or a key stands twice in it.
    pub fn parse(raw: &str) -> Result<Self, Unreadable> {
        let document = Document::parse(raw, Format::Json)?;
        let root = document.root();
        let part = |key| root.and_then(|root| root.get(key)).map(Node::value);
        let Some(Value::Text(name)) = part("name") else {
            return Err(Unreadable::syntax(raw, 0, "a tool needs a `name`"));
        };
        Ok(Self {
            name,
            title: part("title"),
            description: part("description"),
            input_schema: part("inputSchema"),
            output_schema: part("outputSchema"),
            annotations: part("annotations"),
        })
    }

    /// Returns what the server claims under `key`, such as `readOnlyHint`.
    pub(crate) fn claims(&self, key: &str) -> Option<bool> {
        match self.annotations.as_ref()?.get(key)? {
            Value::Bool(claim) => Some(*claim),
            _ => None,
        }
    }

    /// Returns the description as text.
    pub fn description(&self) -> Option<&str> {
        self.description.as_ref().and_then(Value::as_text)
    }
}
