//! From a text to tables: the grammar is `toml_parser`'s, the tree is ours, because edits need its bytes.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::{Event, EventKind, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{Expected, ParseError, Source, Span};

use super::tables::{Key, Tables};
use crate::document::unreadable::MAX_DEPTH;
use crate::document::{Form, List, Node, NodeKind, Unreadable, UnreadableReason};

/// Reads a text; `None` when it holds no value.
pub(in crate::document) fn read(text: &str) -> Result<Option<Node<'_>>, Unreadable> {
    let source = Source::new(text);
    let events = events(text, source)?;
    let mut reader = Reader { text, source, events: events.iter(), tables: Tables::new(text), done: 0 };
    reader.document()?;
    Ok(reader.tables.into_root())
}

fn events(text: &str, source: Source<'_>) -> Result<Vec<Event>, Unreadable> {
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut error: Option<ParseError> = None;
    let mut checked = ValidateWhitespace::new(&mut events, source);
    let depth = u32::try_from(MAX_DEPTH).unwrap_or(u32::MAX);
    let mut guarded = RecursionGuard::new(&mut checked, depth);
    parse_document(&tokens, &mut guarded, &mut error);
    match error {
        Some(error) => Err(unclosed_text(text, &events).unwrap_or_else(|| unreadable(text, &error))),
        None => Ok(events),
    }
}

/// The first text without its closing quotes. It swallows what follows, so the parser complains about something else.
fn unclosed_text(text: &str, events: &[Event]) -> Option<Unreadable> {
    let event = events.iter().find(|event| {
        let span = event.span();
        text.get(span.start()..span.end()).is_some_and(|raw| is_unclosed(raw, event.encoding()))
    })?;
    Some(Unreadable::new(text, event.span().start(), UnreadableReason::Unclosed("a text")))
}

fn is_unclosed(raw: &str, encoding: Option<Encoding>) -> bool {
    let quotes = match encoding {
        Some(Encoding::BasicString) => "\"",
        Some(Encoding::LiteralString) => "'",
        Some(Encoding::MlBasicString) => "\"\"\"",
        Some(Encoding::MlLiteralString) => "'''",
        None => return false,
    };
    let Some(inner) = raw.strip_prefix(quotes).and_then(|rest| rest.strip_suffix(quotes)) else {
        return true;
    };
    // An escaped quote at the end of a basic string does not close it.
    let escapes = inner.len() - inner.trim_end_matches('\\').len();
    matches!(encoding, Some(Encoding::BasicString | Encoding::MlBasicString)) && escapes % 2 == 1
}

fn unreadable(text: &str, error: &ParseError) -> Unreadable {
    let at = error.unexpected().or(error.context()).map_or(0, |span| span.start());
    let opened = error.context().map_or(at, |span| span.start());
    match error.description() {
        "unclosed array" => Unreadable::new(text, opened, UnreadableReason::Unclosed("a list")),
        "unclosed inline table" => Unreadable::new(text, opened, UnreadableReason::Unclosed("a map")),
        "cannot recurse further; max recursion depth met" => {
            Unreadable::new(text, at, UnreadableReason::TooDeep(MAX_DEPTH))
        }
        what => Unreadable::syntax(text, at, format!("{what}{}", expectation(error.expected()))),
    }
}

fn expectation(expected: Option<&[Expected]>) -> String {
    let words: Vec<String> = expected
        .unwrap_or_default()
        .iter()
        .filter_map(|expected| match expected {
            Expected::Literal("\n") => Some("a line end".to_owned()),
            Expected::Literal(literal) => Some(format!("`{}`", literal.escape_debug())),
            Expected::Description(words) => Some((*words).to_owned()),
            _ => None,
        })
        .collect();
    if words.is_empty() { String::new() } else { format!(", expected {}", words.join(" or ")) }
}

struct Reader<'t, 'e> {
    text: &'t str,
    source: Source<'t>,
    events: std::slice::Iter<'e, Event>,
    tables: Tables<'t>,
    /// Where the event that was taken last ends.
    done: usize,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<(), Unreadable> {
        let mut current = Tables::ROOT;
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => current = self.header(event)?,
                EventKind::SimpleKey => {
                    self.pair(event, current)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn header(&mut self, open: Event) -> Result<usize, Unreadable> {
        let mut keys = Vec::new();
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::SimpleKey => keys.push(self.key(event)?),
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    let span = open.span().start()..event.span().end();
                    return if open.kind() == EventKind::ArrayTableOpen {
                        self.tables.open_item(keys, span)
                    } else {
                        self.tables.open_table(keys, span)
                    };
                }
                _ => {}
            }
        }
        Err(Unreadable::syntax(self.text, open.span().start(), "unclosed table"))
    }

    /// Reads `key = value` into the table `id`.
    fn pair(&mut self, first: Event, id: usize) -> Result<(), Unreadable> {
        let mut key = self.key(first)?;
        let mut above = Vec::new();
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::SimpleKey => above.push(std::mem::replace(&mut key, self.key(event)?)),
                EventKind::KeyValSep => break,
                _ => {}
            }
        }
        let depth = self.tables.depth(id) + above.len() + 1;
        let Some(value) = self.value(depth)? else {
            return Err(Unreadable::syntax(self.text, first.span().start(), "a key without a value"));
        };
        self.tables.insert(id, above, key, value)
    }

    /// Reads the next value; `None` at the end of the list or map that it would be in.
    fn value(&mut self, depth: usize) -> Result<Option<Node<'t>>, Unreadable> {
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::Scalar => return self.scalar(event).map(Some),
                EventKind::ArrayOpen => return self.array(event, depth).map(Some),
                EventKind::InlineTableOpen => return self.inline_table(event, depth).map(Some),
                EventKind::ArrayClose => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    fn array(&mut self, open: Event, depth: usize) -> Result<Node<'t>, Unreadable> {
        let start = open.span().start();
        self.tables.check_depth(depth, start)?;
        let mut items = Vec::new();
        while let Some(item) = self.value(depth + 1)? {
            items.push(item);
        }
        Ok(Node::new(start..self.done, NodeKind::List(List { items, form: Form::Flow })))
    }

    fn inline_table(&mut self, open: Event, depth: usize) -> Result<Node<'t>, Unreadable> {
        let start = open.span().start();
        self.tables.check_depth(depth, start)?;
        let id = self.tables.open_inline(depth);
        while let Some(event) = self.next() {
            match event.kind() {
                EventKind::SimpleKey => self.pair(event, id)?,
                EventKind::InlineTableClose => break,
                _ => {}
            }
        }
        Ok(self.tables.close_inline(id, start..self.done))
    }

    fn scalar(&self, event: Event) -> Result<Node<'t>, Unreadable> {
        let span = range(event.span());
        let raw = self.text.get(span.clone()).unwrap_or_default();
        if let Some(plain) = plain_text(raw, event.encoding()) {
            return Ok(Node::new(span, NodeKind::Text(Cow::Borrowed(plain))));
        }
        let mut decoded = Cow::Borrowed("");
        let mut error: Option<ParseError> = None;
        let kind = self
            .source
            .get(event)
            .map_or(ScalarKind::String, |raw| raw.decode_scalar(&mut decoded, &mut error));
        if error.is_some() && raw.starts_with(char::is_alphabetic) {
            return Err(Unreadable::syntax(self.text, span.start, format!("the text `{raw}` needs quotes")));
        }
        self.check(error, event)?;
        let kind = match kind {
            ScalarKind::String => NodeKind::Text(decoded),
            ScalarKind::Boolean(value) => NodeKind::Bool(value),
            ScalarKind::Integer(_) | ScalarKind::Float => NodeKind::Number(raw),
            ScalarKind::DateTime => match decoded.parse::<toml::value::Datetime>() {
                Ok(_) => NodeKind::Other(raw),
                Err(error) => return Err(Unreadable::syntax(self.text, span.start, error.to_string())),
            },
        };
        Ok(Node::new(span, kind))
    }

    fn key(&self, event: Event) -> Result<Key<'t>, Unreadable> {
        let span = range(event.span());
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let plain =
            if event.encoding().is_none() { bare_key(raw) } else { plain_text(raw, event.encoding()) };
        if let Some(plain) = plain {
            return Ok(Key { name: Cow::Borrowed(plain), span });
        }
        let mut decoded = Cow::Borrowed("");
        let mut error: Option<ParseError> = None;
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut decoded, &mut error);
        }
        self.check(error, event)?;
        Ok(Key { name: decoded, span })
    }

    fn check(&self, error: Option<ParseError>, event: Event) -> Result<(), Unreadable> {
        let Some(error) = error else { return Ok(()) };
        Err(unclosed_text(self.text, &[event]).unwrap_or_else(|| unreadable(self.text, &error)))
    }

    fn next(&mut self) -> Option<Event> {
        let event = self.events.next().copied()?;
        self.done = event.span().end();
        Some(event)
    }
}

/// The text between quotes on one line, when it means itself. Nearly all texts do, and decoding is slow.
fn plain_text(raw: &str, encoding: Option<Encoding>) -> Option<&str> {
    let Some(Encoding::BasicString) = encoding else { return None };
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f;
    inner.bytes().all(plain).then_some(inner)
}

fn bare_key(raw: &str) -> Option<&str> {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!raw.is_empty() && raw.bytes().all(bare)).then_some(raw)
}

fn range(span: Span) -> Range<usize> {
    span.start()..span.end()
}
