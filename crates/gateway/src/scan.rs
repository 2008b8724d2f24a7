//! Finds the id of a message that is too long to be kept, while it is thrown away.

/// The longest id that is kept; a longer one is as good as none.
const LIMIT: usize = 256;

/// Reads a message byte by byte and keeps its id.
///
/// It knows just enough of JSON to tell the members of the outermost object from everything else.
#[derive(Default)]
pub struct IdScan {
    depth: usize,
    within: Within,
    /// Whether a value is being read, not a key; at depth 1.
    value: bool,
    /// The key or value so far, at depth 1.
    text: Vec<u8>,
    key: Vec<u8>,
    id: Option<Vec<u8>>,
    request: bool,
}

/// Whether the next byte belongs to a string.
#[derive(Clone, Copy, Default)]
enum Within {
    #[default]
    Nothing,
    String,
    /// Behind a backslash.
    Escape,
}

impl IdScan {
    /// Reads on.
    pub fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// Returns the id of the request, as it was written; `None` if the message is not a request, or has none.
    pub fn request_id(self) -> Option<String> {
        if self.request { self.id() } else { None }
    }

    /// Returns the id of the message, as it was written; `None` if it has none.
    pub fn id(self) -> Option<String> {
        let id = String::from_utf8(self.id?).ok()?;
        serde_json::from_str::<serde_json::Value>(&id)
            .is_ok_and(|id| id.is_string() || id.is_number())
            .then_some(id)
    }

    fn byte(&mut self, byte: u8) {
        let within = match (self.within, byte) {
            (Within::Nothing, _) => None,
            (Within::String, b'"') => Some(Within::Nothing),
            (Within::String, b'\\') => Some(Within::Escape),
            (Within::String | Within::Escape, _) => Some(Within::String),
        };
        if let Some(within) = within {
            self.within = within;
            return self.keep(byte);
        }
        match byte {
            b'"' => self.within = Within::String,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end_member();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 && !self.value => {
                self.key = std::mem::take(&mut self.text);
                self.value = true;
                return;
            }
            b',' if self.depth == 1 => return self.end_member(),
            byte if byte.is_ascii_whitespace() => return,
            _ => {}
        }
        if !matches!(byte, b'{' if self.depth == 1) {
            self.keep(byte);
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.text.len() <= LIMIT {
            self.text.push(byte);
        }
    }

    fn end_member(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.value = false;
        match &*std::mem::take(&mut self.key) {
            br#""id""# if text.len() <= LIMIT => self.id = Some(text),
            br#""method""# => self.request = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_wherever_it_stands() {
        for (message, id) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{}}"#, Some("7")),
            (
                r#" { "params" : {"id":1,"method":[{"id":2}]} , "method":"x", "id" : "a,}\"b" } "#,
                Some(r#""a,}\"b""#),
            ),
            (r#"{"method":"x","params":["id",{"id":3}],"id":-1.5}"#, Some("-1.5")),
            (r#"{"id":7,"result":{"method":"x"}}"#, None),
            (r#"{"method":"x","params":{"id":3}}"#, None),
            (r#"{"method":"id","id":null}"#, None),
            (r#"{"method":"x","id":{"a":1}}"#, None),
            (r#"[{"id":1,"method":"x"}]"#, None),
            ("}}]]\"", None),
            ("", None),
        ] {
            for size in [1, 3, 100] {
                let mut scan = IdScan::default();
                message.as_bytes().chunks(size).for_each(|piece| scan.read(piece));
                assert_eq!(scan.request_id().as_deref(), id, "{message}");
            }
        }
    }
}
