//! From the events of the parser to a tree whose nodes know their exact bytes.
//!
//! The parser counts characters, begins a block scalar at its content and lets quoted scalars run on over blanks and
//! comments. What it leaves inexact is found in the text, going on from the end of what was read last.

use std::borrow::Cow;
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::super::unreadable::MAX_DEPTH;
use super::super::{Form, List, Map, Member, Node, NodeKind, Tree, Unreadable, UnreadableReason};
use super::extent::{behind_properties, block_end, bracket, closing, quoted_end};
use super::lines::{body_start, line_start, skip_trivia};
use super::offsets::Offsets;
use super::scalar::{Plain, plain};

/// Reads the first document of `text`.
pub(super) fn read(text: &str) -> Result<Tree<'_>, Unreadable> {
    let mut reader = Reader::of(text);
    let mut root = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(Tree { root, aliased: reader.aliased }),
            Event::DocumentStart(explicit) => {
                if explicit {
                    reader.cursor = span.end;
                }
                let (event, span) = reader.next()?;
                root = reader.root(event, span)?;
            }
            Event::DocumentEnd => {
                // One event more, so that stray text behind the document is found.
                reader.next()?;
                return Ok(Tree { root, aliased: reader.aliased });
            }
            _ => {}
        }
    }
}

/// A reading under way.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) parser: Parser<'t, StrInput<'t>>,
    offsets: Offsets,
    /// The end of what was read last.
    pub(super) cursor: usize,
    /// The lists and maps in brackets that are not closed yet.
    open: Vec<(usize, &'static str)>,
    /// An alias was met.
    pub(super) aliased: bool,
    /// The members of the maps that are being read, the innermost last: each map takes its own with it when it ends,
    /// in a vector of just that length.
    members: Vec<Member<'t>>,
    /// The same of lists.
    items: Vec<Node<'t>>,
}

type Spanned<'t> = (Event<'t>, Range<usize>);

impl<'t> Reader<'t> {
    /// Begins to read.
    pub(super) fn of(text: &'t str) -> Self {
        let start = body_start(text);
        Self {
            text,
            parser: Parser::new_from_str(&text[start..]),
            offsets: Offsets::new(text, start),
            cursor: start,
            open: Vec::new(),
            aliased: false,
            members: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Reads the next event, with its bytes.
    pub(super) fn next(&mut self) -> Result<Spanned<'t>, Unreadable> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index());
                Ok((event, span))
            }
            Some(Err(error)) => Err(self.unreadable(&error)),
            None => Ok((Event::StreamEnd, self.text.len()..self.text.len())),
        }
    }

    fn unreadable(&self, error: &ScanError) -> Unreadable {
        let at = self.offsets.byte(error.marker().index());
        if error.info().contains("end of stream") {
            return Unreadable::new(self.text, at, UnreadableReason::Unclosed("a text"));
        }
        if error.info() == "recursion limit exceeded" {
            return Unreadable::new(self.text, at, UnreadableReason::TooDeep(MAX_DEPTH));
        }
        if self.text[..at].ends_with('\t') && error.info().contains("valid YAML whitespace") {
            let what = "a tab stands behind a colon, where a blank belongs";
            return Unreadable::syntax(self.text, at - 1, what);
        }
        match self.open.last() {
            Some((open, what)) if self.text[at..].trim().is_empty() => {
                Unreadable::new(self.text, *open, UnreadableReason::Unclosed(what))
            }
            _ => Unreadable::syntax(self.text, at, error.info()),
        }
    }

    fn root(&mut self, event: Event<'t>, span: Range<usize>) -> Result<Option<Node<'t>>, Unreadable> {
        if matches!(&event, Event::Scalar(value, ScalarStyle::Plain, 0, None) if value.is_empty()) {
            return Ok(None);
        }
        self.node(event, span, 0).map(Some)
    }

    fn node(&mut self, event: Event<'t>, span: Range<usize>, depth: usize) -> Result<Node<'t>, Unreadable> {
        let node = match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(value, style, (anchor, tag.is_some()), span)
            }
            Event::SequenceStart(anchor, tag) => {
                let mut node = self.list(span, depth + 1)?;
                node.anchored = anchor > 0 || tag.is_some();
                node.anchor = number(anchor);
                node
            }
            Event::MappingStart(anchor, tag) => {
                let mut node = self.map(span, depth + 1)?;
                node.anchored = anchor > 0 || tag.is_some();
                node.anchor = number(anchor);
                node
            }
            Event::Alias(anchor) => {
                self.aliased = true;
                let mut node = Node::new(span.clone(), NodeKind::Other(&self.text[span]));
                node.anchor = number(anchor);
                node
            }
            _ => return Err(Unreadable::syntax(self.text, span.start, "a value belongs here")),
        };
        self.cursor = node.span.end;
        Ok(node)
    }

    fn scalar(
        &self,
        value: Cow<'t, str>,
        style: ScalarStyle,
        (anchor, tagged): (usize, bool),
        span: Range<usize>,
    ) -> Node<'t> {
        let propertied = anchor > 0 || tagged;
        let span = match style {
            // Behind the colon or the dash.
            ScalarStyle::Plain if value.is_empty() && !propertied => self.cursor..self.cursor,
            ScalarStyle::Plain => span,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let open = if propertied { behind_properties(self.text, span.start) } else { span.start };
                span.start..quoted_end(self.text, open)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = behind_properties(self.text, self.cursor);
                let start = if propertied { span.start } else { header };
                start..block_end(self.text, header, span.end)
            }
        };
        let raw = &self.text[span.clone()];
        let kind = match style {
            _ if tagged => NodeKind::Other(raw),
            // With an anchor before it, the raw text is not the value.
            ScalarStyle::Plain => match plain(&value) {
                Plain::Null => NodeKind::Null,
                Plain::Bool(value) => NodeKind::Bool(value),
                Plain::Number if raw == value => NodeKind::Number(raw),
                Plain::Doubtful | Plain::Number => NodeKind::Other(raw),
                Plain::Text if raw == value => NodeKind::Text(Cow::Borrowed(raw)),
                Plain::Text => NodeKind::Text(value),
            },
            _ => NodeKind::Text(value),
        };
        Node { span, kind, anchored: anchor > 0, anchor: number(anchor) }
    }

    fn list(&mut self, span: Range<usize>, depth: usize) -> Result<Node<'t>, Unreadable> {
        self.check_depth(depth, span.start)?;
        let open = bracket(self.text, '[', &span);
        if let Some(at) = open {
            self.open.push((at, "a list"));
            self.cursor = at + 1;
        }
        let flow = open.is_some();
        let begin = self.items.len();
        let mut dash = None;
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let items = self.items.split_off(begin);
                return Ok(self.finish_list(items, span, flow, dash));
            }
            if !flow {
                let here = self.dash()?;
                dash = dash.or(Some(here));
                self.cursor = here + 1;
            }
            let item = self.node(event, at, depth)?;
            self.items.push(item);
        }
    }

    fn finish_list(
        &mut self,
        items: Vec<Node<'t>>,
        span: Range<usize>,
        flow: bool,
        dash: Option<usize>,
    ) -> Node<'t> {
        let Some(dash) = dash.filter(|_| !flow) else {
            self.open.pop();
            let end = closing(self.text, self.cursor);
            return Node::new(span.start..end, NodeKind::List(List { items, form: Form::Flow }));
        };
        let form = Form::Block { indent: dash - line_start(self.text, dash) };
        // The parser puts the start of a list without further indentation behind its dash.
        Node::new(span.start.min(dash)..self.cursor, NodeKind::List(List { items, form }))
    }

    /// The dash of the next item; the parser does not say where it stands.
    fn dash(&self) -> Result<usize, Unreadable> {
        let mut at = skip_trivia(self.text, self.cursor);
        // Only the first dash of a list can have something before it: the colon and the properties of the list.
        while !self.text[at..].starts_with('-') {
            if at == self.text.len() {
                return Err(Unreadable::syntax(self.text, self.cursor, "a dash belongs here"));
            }
            let rest = &self.text[at..];
            let step = match rest.bytes().next() {
                Some(b':' | b'?') => 1,
                _ => rest.find([' ', '\t', '\n', '\r']).unwrap_or(rest.len()),
            };
            at = skip_trivia(self.text, at + step);
        }
        Ok(at)
    }

    fn map(&mut self, span: Range<usize>, depth: usize) -> Result<Node<'t>, Unreadable> {
        self.check_depth(depth, span.start)?;
        let brace = bracket(self.text, '{', &span);
        let flow = !self.open.is_empty() || brace.is_some();
        if let Some(at) = brace {
            self.open.push((at, "a map"));
            self.cursor = at + 1;
        } else if flow {
            self.cursor = span.start;
        }
        let begin = self.members.len();
        let mut keys = Keys::default();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let end = if brace.is_some() { closing(self.text, self.cursor) } else { self.cursor };
                if brace.is_some() {
                    self.open.pop();
                }
                let form = if flow {
                    Form::Flow
                } else {
                    Form::Block { indent: span.end - line_start(self.text, span.end) }
                };
                let members = self.members.split_off(begin);
                return Ok(Node::new(span.start..end.max(span.start), NodeKind::Map(Map { members, form })));
            }
            let member = self.member(event, at, depth)?;
            if !keys.insert(&self.members[begin..], &member) {
                let reason = UnreadableReason::DuplicateKey(member.key.into_owned());
                return Err(Unreadable::new(self.text, member.key_span.start, reason));
            }
            self.members.push(member);
        }
    }

    /// Reads the member of a map that begins with this event.
    pub(super) fn member(
        &mut self,
        event: Event<'t>,
        at: Range<usize>,
        depth: usize,
    ) -> Result<Member<'t>, Unreadable> {
        let plain_key = match &event {
            Event::Scalar(value, style, _, None) => Some((value.clone(), *style)),
            _ => None,
        };
        if matches!(&plain_key, Some((value, ScalarStyle::Plain)) if value.is_empty()) {
            // No key at all: what follows is its colon.
            let start = self.key_start();
            self.cursor = start;
            return self.valued(Cow::Borrowed(""), start..start, false, depth);
        }
        let node = self.node(event, at, depth)?;
        let raw = &self.text[node.span.clone()];
        let key = match plain_key {
            Some((value, _)) if value == raw => Cow::Borrowed(raw),
            Some((value, _)) => value,
            None => Cow::Borrowed(raw),
        };
        self.valued(key, node.span, node.anchored, depth)
    }

    /// Where a key that is not there would stand.
    fn key_start(&self) -> usize {
        let mut at = skip_trivia(self.text, self.cursor);
        while self.text[at..].starts_with([',', '?']) {
            at = skip_trivia(self.text, at + 1);
        }
        at
    }

    fn valued(
        &mut self,
        key: Cow<'t, str>,
        key_span: Range<usize>,
        anchored: bool,
        depth: usize,
    ) -> Result<Member<'t>, Unreadable> {
        let colon = skip_trivia(self.text, self.cursor);
        if self.text[colon..].starts_with(':') {
            self.cursor = colon + 1;
        }
        let (event, at) = self.next()?;
        let mut node = self.node(event, at, depth)?;
        // An alias elsewhere may refer to an anchored key, so its member must not be edited either.
        node.anchored |= anchored;
        Ok(Member { key, key_span, node })
    }

    fn check_depth(&self, depth: usize, at: usize) -> Result<(), Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable::new(self.text, at, UnreadableReason::TooDeep(MAX_DEPTH)));
        }
        Ok(())
    }
}

/// The keys of one map: most maps are so small that looking through them is faster than a table.
#[derive(Default)]
struct Keys<'t> {
    table: HashSet<Cow<'t, str>>,
}

impl<'t> Keys<'t> {
    /// Takes in the key of `next`, which comes behind `members`; `false` when it is there already.
    fn insert(&mut self, members: &[Member<'t>], next: &Member<'t>) -> bool {
        const FEW: usize = 16;
        if members.len() < FEW {
            return members.iter().all(|member| member.key != next.key);
        }
        if self.table.is_empty() {
            self.table.extend(members.iter().map(|member| member.key.clone()));
        }
        self.table.insert(next.key.clone())
    }
}

/// The number of an anchor, as the parser counts them; 0 stands for none.
fn number(anchor: usize) -> Option<NonZeroU32> {
    u32::try_from(anchor).ok().and_then(NonZeroU32::new)
}
