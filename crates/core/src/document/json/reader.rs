//! Text to tree: one pass over the bytes, borrowing whatever needs no decoding.

use std::collections::HashSet;

use super::super::unreadable::MAX_DEPTH;
use super::super::{BOM, Form, Format, List, Map, Member, Node, NodeKind, Unreadable, UnreadableReason};
use super::trivia::{comment_end, white_len};

/// Maps up to this size are searched for duplicate keys pair by pair, which is quicker than hashing.
const FEW: usize = 8;

/// Reads a text; `None` when it holds no value.
pub(in super::super) fn read(text: &str, format: Format) -> Result<Option<Node<'_>>, Unreadable> {
    let mut reader = Reader::new(text, format);
    reader.skip()?;
    if reader.peek().is_none() {
        return Ok(None);
    }
    let root = reader.value()?;
    reader.skip()?;
    match reader.peek() {
        None => Ok(Some(root)),
        Some(_) => Err(reader.unexpected("the end of the file")),
    }
}

/// A place in a text that is being read.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    format: Format,
    /// The openings of the lists and maps around this place.
    open: Vec<(usize, &'static str)>,
    /// The members of all open maps, so that each map is allocated once and in its exact size.
    members: Vec<Member<'t>>,
    /// The items of all open lists, likewise.
    items: Vec<Node<'t>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, format: Format) -> Self {
        let at = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        let (open, members, items) = Default::default();
        Self { text, bytes: text.as_bytes(), at, format, open, members, items }
    }

    pub(super) fn json5(&self) -> bool {
        self.format == Format::Json5
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over `byte` when it stands here.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// Steps over white space and comments.
    fn skip(&mut self) -> Result<(), Unreadable> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    let rest = &self.bytes[self.at..];
                    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
                    self.at += rest.iter().position(|byte| !white(byte)).unwrap_or(rest.len());
                }
                Some(b'/') => self.comment()?,
                Some(0x0b | 0x0c | 0x80..) if self.json5() => match white_len(self.text, self.at) {
                    0 => return Ok(()),
                    len => self.at += len,
                },
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Unreadable> {
        if !matches!(self.bytes.get(self.at + 1), Some(b'/' | b'*')) {
            return Err(self.error(self.at, "a lone `/` stands here"));
        }
        if self.format == Format::Json {
            return Err(Unreadable::new(self.text, self.at, UnreadableReason::Comment));
        }
        self.at = comment_end(self.text, self.at, self.json5())
            .ok_or_else(|| Unreadable::new(self.text, self.at, UnreadableReason::Unclosed("a comment")))?;
        Ok(())
    }

    fn value(&mut self) -> Result<Node<'t>, Unreadable> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => self.text_value()?,
            Some(b'{') => self.map()?,
            Some(b'[') => self.list()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", NodeKind::Bool(true))?,
            Some(b'f') => self.word("false", NodeKind::Bool(false))?,
            Some(b'n') => self.word("null", NodeKind::Null)?,
            Some(b'\'') if self.json5() => self.text_value()?,
            Some(b'+' | b'.' | b'I' | b'N') if self.json5() => self.number()?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node::new(start..self.at, kind))
    }

    fn text_value(&mut self) -> Result<NodeKind<'t>, Unreadable> {
        let start = self.at;
        // A lone surrogate has no decoded form, and putting U+FFFD there would make different texts equal.
        Ok(match self.quoted()? {
            Some(text) => NodeKind::Text(text),
            None => NodeKind::Other(&self.text[start..self.at]),
        })
    }

    fn word(&mut self, word: &str, kind: NodeKind<'t>) -> Result<NodeKind<'t>, Unreadable> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else {
            Err(self.unexpected("a value"))
        }
    }

    fn list(&mut self) -> Result<NodeKind<'t>, Unreadable> {
        self.enter("a list")?;
        let first = self.items.len();
        while !self.eat(b']') {
            let item = self.value()?;
            self.items.push(item);
            self.separator(b']', "`,` or `]`")?;
        }
        self.open.pop();
        let items = self.items.drain(first..).collect();
        Ok(NodeKind::List(List { items, form: Form::Flow }))
    }

    fn map(&mut self) -> Result<NodeKind<'t>, Unreadable> {
        self.enter("a map")?;
        let first = self.members.len();
        while !self.eat(b'}') {
            let member = self.member()?;
            self.members.push(member);
            self.separator(b'}', "`,` or `}`")?;
        }
        self.open.pop();
        if let Some(twice) = duplicate(&self.members[first..]) {
            let reason = UnreadableReason::DuplicateKey(twice.key.clone().into_owned());
            return Err(Unreadable::new(self.text, twice.key_span.start, reason));
        }
        let members = self.members.drain(first..).collect();
        Ok(NodeKind::Map(Map { members, form: Form::Flow }))
    }

    fn member(&mut self) -> Result<Member<'t>, Unreadable> {
        let start = self.at;
        let key = match self.peek() {
            Some(b'"') => self.quoted()?,
            Some(b'\'') if self.json5() => self.quoted()?,
            Some(_) if self.json5() => Some(self.bare_key()?),
            _ => return Err(self.unexpected("a key in double quotes")),
        };
        let key = key.ok_or_else(|| self.error(start, "a lone surrogate stands in a key"))?;
        let key_span = start..self.at;
        self.skip()?;
        if !self.eat(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.skip()?;
        Ok(Member { key, key_span, node: self.value()? })
    }

    /// Steps over an opening bracket and up to the first part.
    fn enter(&mut self, what: &'static str) -> Result<(), Unreadable> {
        if self.open.len() == MAX_DEPTH {
            return Err(Unreadable::new(self.text, self.at, UnreadableReason::TooDeep(MAX_DEPTH)));
        }
        self.open.push((self.at, what));
        self.at += 1;
        self.skip()
    }

    /// Steps from the end of a part up to the next part or the closing bracket.
    fn separator(&mut self, close: u8, expected: &str) -> Result<(), Unreadable> {
        self.skip()?;
        let comma = self.at;
        if self.peek() == Some(close) {
            return Ok(());
        }
        if !self.eat(b',') {
            return Err(self.unexpected(expected));
        }
        self.skip()?;
        let trailing_allowed = matches!(self.format, Format::Jsonc | Format::Json5);
        if self.peek() == Some(close) && !trailing_allowed {
            return Err(Unreadable::new(self.text, comma, UnreadableReason::TrailingComma));
        }
        Ok(())
    }

    /// Returns the problem that something else than `expected` stands here, or nothing at all.
    pub(super) fn unexpected(&self, expected: &str) -> Unreadable {
        match (self.text[self.at..].chars().next(), self.open.last()) {
            (None, Some(&(start, what))) => {
                Unreadable::new(self.text, start, UnreadableReason::Unclosed(what))
            }
            (None, None) => self.error(self.at, format!("expected {expected}, found the end of the file")),
            (Some(found), _) if found.is_control() => {
                let found = u32::from(found);
                self.error(self.at, format!("expected {expected}, found the character U+{found:04X}"))
            }
            (Some(found), _) => self.error(self.at, format!("expected {expected}, found `{found}`")),
        }
    }

    pub(super) fn error(&self, offset: usize, what: impl Into<String>) -> Unreadable {
        Unreadable::syntax(self.text, offset, what)
    }
}

/// Returns the first member whose key stood before.
fn duplicate<'m, 't>(members: &'m [Member<'t>]) -> Option<&'m Member<'t>> {
    if members.len() <= FEW {
        return (1..members.len())
            .find(|&at| members[..at].iter().any(|before| before.key == members[at].key))
            .map(|at| &members[at]);
    }
    let mut seen = HashSet::with_capacity(members.len());
    members.iter().find(|member| !seen.insert(member.key.as_ref()))
}
