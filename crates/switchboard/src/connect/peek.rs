//! Looks at a message that passes: its id and its method, and nothing else of it.
//!
//! The bytes are read once, where they lie, and strings are leapt over; nothing is built from them. It knows just enough
//! of JSON to tell the members of the outermost object from everything else.

/// The longest id that is remembered; a longer one is as good as none.
const LONGEST: usize = 256;

/// What is known of a message so far. The same one serves message after message.
#[derive(Default)]
pub(super) struct Peek {
    depth: u32,
    within: Within,
    /// Whether a value is being read, not a key; of the outermost object.
    value: bool,
    member: Member,
    /// The key so far, or the value where somebody wants it; one byte more than the longest says that it is too long.
    text: Vec<u8>,
    id: Vec<u8>,
    method: Vec<u8>,
    has_method: bool,
    has_error: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    String,
    /// Behind a backslash.
    Escape,
}

/// Which member of the outermost object is being read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Id,
    Method,
}

impl Peek {
    /// Reads on.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.within {
                Within::Nothing => self.plain(byte),
                Within::Escape => {
                    self.within = Within::String;
                    self.keep(&[byte]);
                }
                Within::String => {
                    let rest = &bytes[at..];
                    let Some(length) = memchr::memchr2(b'"', b'\\', rest) else {
                        return self.keep(rest);
                    };
                    self.within = if rest[length] == b'"' { Within::Nothing } else { Within::Escape };
                    self.keep(&rest[..=length]);
                    at += length;
                }
            }
            at += 1;
        }
    }

    /// Returns the id, as it is written; `None` where the message has none, or one that is no string and no number.
    pub(super) fn id(&self) -> Option<&[u8]> {
        let first = self.id.first()?;
        (self.id.len() <= LONGEST && matches!(first, b'"' | b'-' | b'0'..=b'9')).then_some(&*self.id)
    }

    /// Returns whether the message asks or tells something, and is no answer.
    pub(super) fn has_method(&self) -> bool {
        self.has_method
    }

    /// Returns whether the message is an answer that says what went wrong.
    pub(super) fn has_error(&self) -> bool {
        self.has_error
    }

    /// Returns whether the message is of this method, which is written without any escape.
    pub(super) fn is(&self, method: &str) -> bool {
        let inner = self.method.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        inner == Some(method.as_bytes())
    }

    /// Forgets the message, for the next one.
    pub(super) fn clear(&mut self) {
        for text in [&mut self.text, &mut self.id, &mut self.method] {
            text.clear();
        }
        (self.depth, self.within, self.value, self.member) = Default::default();
        (self.has_method, self.has_error) = (false, false);
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.within = Within::String;
                self.keep(b"\"");
            }
            b'{' | b'[' => {
                self.keep(&[byte]);
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 && !self.value => {
                self.value = true;
                self.member = match &*self.text {
                    br#""id""# => Member::Id,
                    br#""method""# => Member::Method,
                    br#""error""# => {
                        self.has_error = true;
                        Member::Other
                    }
                    _ => Member::Other,
                };
                self.text.clear();
            }
            b',' if self.depth == 1 => self.end(),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.keep(&[byte]),
        }
    }

    /// Keeps what belongs to a key, or to a value that is asked for.
    fn keep(&mut self, bytes: &[u8]) {
        if self.depth == 1 && (!self.value || self.member != Member::Other) {
            let room = (LONGEST + 1).saturating_sub(self.text.len());
            self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// A member of the outermost object ends.
    fn end(&mut self) {
        match self.member {
            Member::Id => std::mem::swap(&mut self.id, &mut self.text),
            Member::Method => {
                std::mem::swap(&mut self.method, &mut self.text);
                self.has_method = true;
            }
            Member::Other => {}
        }
        self.text.clear();
        self.member = Member::Other;
        self.value = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_method_are_found_wherever_they_stand() {
        let long = format!(r#"{{"id":"{}","method":"x"}}"#, "9".repeat(LONGEST));
        for (message, id, method) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{}}"#, Some("7"), Some("x")),
            (
                r#" { "params" : {"id":1,"method":[{"id":2}]} , "method":"x", "id" : "a,}\"b" } "#,
                Some(r#""a,}\"b""#),
                Some("x"),
            ),
            (
                r#"{"method":"tools/call","params":["id",{"id":3}],"id":-1.5}"#,
                Some("-1.5"),
                Some("tools/call"),
            ),
            ("{\"id\":\"\\\\\",\"method\":\"x\"}\r", Some(r#""\\""#), Some("x")),
            (r#"{"id":7,"result":{"method":"x","id":8}}"#, Some("7"), None),
            (r#"{"method":"x","params":{"id":3}}"#, None, Some("x")),
            (r#"{"method":"x","id":null}"#, None, Some("x")),
            (r#"{"method":"x","id":{"a":1}}"#, None, Some("x")),
            (r#"[{"id":1,"method":"x"}]"#, None, None),
            (&long, None, Some("x")),
            ("}}]]\"", None, None),
            ("", None, None),
        ] {
            for size in [1, 3, 1000] {
                // What a message before it left behind is not seen.
                let mut peek = Peek::default();
                peek.read(br#"{"id":1,"method":"y","error":[{"#);
                peek.clear();
                message.as_bytes().chunks(size).for_each(|piece| peek.read(piece));
                assert_eq!(peek.id().map(|id| std::str::from_utf8(id).unwrap()), id, "{message}");
                assert_eq!(peek.has_method(), method.is_some(), "{message}");
                assert!(method.is_none_or(|method| peek.is(method)), "{message}");
                assert!(!peek.has_error(), "{message}");
            }
        }
    }

    #[test]
    fn an_answer_that_tells_a_failure_is_known_by_its_own_member() {
        for (message, error) in [
            (r#"{"id":1,"error":{"code":-1}}"#, true),
            (r#"{"error":{},"id":1}"#, true),
            (r#"{"id":1,"result":{"error":1}}"#, false),
            (r#"{"id":"error","result":"error"}"#, false),
        ] {
            let mut peek = Peek::default();
            peek.read(message.as_bytes());
            assert_eq!(peek.has_error(), error, "{message}");
        }
    }
}
