//! The quick judgement of a result.
//!
//! All of the result is parsed, as always. But what no change concerns is compared event by event with the tree of the
//! original, instead of being made into a second tree first. Whatever is out of the ordinary is left to the slow way.

use std::collections::HashSet;

use saphyr_parser::{Event, ScalarStyle};

use super::super::judge::members_agree;
use super::super::wants::Wants;
use super::super::{Change, Document, Form, Format, Map, Member, Node, NodeKind, Step, Tree};
use super::reader::Reader;
use super::scalar::{Plain, plain};

/// Returns whether `after` surely says what `before` says but for `changes`; `false` where only the whole tree can tell.
pub(super) fn agrees(before: &Document<'_>, changes: &[Change], after: &str) -> bool {
    let wants = Wants::of(changes);
    let Some(root) = before.root().filter(|root| !root.anchored && !before.tree.aliased) else {
        return false;
    };
    let Some(touched) = touched(root, &wants).and_then(|keys| read(root, &keys, after)) else { return false };
    let members = Map { members: touched, form: Form::Flow };
    let tree = Tree { root: Some(Node::new(0..0, NodeKind::Map(members))), aliased: false };
    members_agree(before, &Document { text: after, format: Format::Yaml, tree }, &wants)
}

/// The keys of the root below which something is wanted; `None` where the root itself is concerned.
fn touched<'w>(root: &Node<'_>, wants: &Wants<'w>) -> Option<HashSet<&'w str>> {
    let block = root.as_map().is_some_and(|map| matches!(map.form, Form::Block { .. }));
    let keys = wants.steps.iter().map(|(step, _)| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item { .. } => None,
    });
    if block && wants.leaf.is_none() { keys.collect() } else { None }
}

/// Reads all of `after`. Returns the members of its root whose keys are `touched`, if the others are those of `root`.
fn read<'t>(root: &Node<'_>, touched: &HashSet<&str>, after: &'t str) -> Option<Vec<Member<'t>>> {
    let mut reader = Reader::of(after);
    loop {
        match reader.next().ok()? {
            (Event::DocumentStart(explicit), span) => {
                if explicit {
                    reader.cursor = span.end;
                }
                break;
            }
            (Event::StreamStart, _) => {}
            _ => return None,
        }
    }
    if !matches!(reader.next().ok()?.0, Event::MappingStart(0, None)) {
        return None;
    }
    let mut olds = root.as_map()?.members.iter().filter(|member| !touched.contains(member.key.as_ref()));
    let mut news: Vec<Member<'t>> = Vec::new();
    loop {
        let (event, span) = reader.next().ok()?;
        let key = match &event {
            Event::MappingEnd => break,
            Event::Scalar(key, _, 0, None) => key,
            _ => return None,
        };
        if touched.contains(key.as_ref()) {
            reader.cursor = span.start;
            let member = reader.member(event, span, 1).ok()?;
            if news.iter().any(|new| new.key == member.key) {
                return None;
            }
            news.push(member);
        } else if olds.next().is_none_or(|old| old.key != *key || !same(&mut reader, &old.node)) {
            return None;
        }
    }
    let ended = matches!(reader.next().ok()?.0, Event::DocumentEnd);
    // One event more, so that stray text behind the document is found.
    let alone = reader.next().is_ok();
    (ended && alone && olds.next().is_none() && !reader.aliased).then_some(news)
}

/// Reads one value, and returns whether it says what `old` says.
fn same(reader: &mut Reader<'_>, old: &Node<'_>) -> bool {
    let Some(Ok((event, _))) = reader.parser.next_event() else { return false };
    same_from(reader, &event, old)
}

fn same_from(reader: &mut Reader<'_>, event: &Event<'_>, old: &Node<'_>) -> bool {
    if old.anchored || old.anchor.is_some() {
        return false;
    }
    match (event, &old.kind) {
        (Event::Scalar(value, style, 0, None), kind) => says(value, *style, kind),
        (Event::SequenceStart(0, None), NodeKind::List(list)) => {
            list.items.iter().all(|item| same(reader, item)) && ends(reader, &Event::SequenceEnd)
        }
        (Event::MappingStart(0, None), NodeKind::Map(map)) => {
            let member = |member: &Member<'_>| {
                let Some(Ok((Event::Scalar(key, _, 0, None), _))) = reader.parser.next_event() else {
                    return false;
                };
                member.key == key && same(reader, &member.node)
            };
            map.members.iter().all(member) && ends(reader, &Event::MappingEnd)
        }
        _ => false,
    }
}

fn ends(reader: &mut Reader<'_>, end: &Event<'_>) -> bool {
    matches!(reader.parser.next_event(), Some(Ok((event, _))) if event == *end)
}

/// Whether a scalar that was read says what the node of the original does.
fn says(value: &str, style: ScalarStyle, old: &NodeKind<'_>) -> bool {
    if style != ScalarStyle::Plain {
        return matches!(old, NodeKind::Text(text) if text == value);
    }
    match (plain(value), old) {
        (Plain::Null, NodeKind::Null) => true,
        (Plain::Bool(flag), NodeKind::Bool(old)) => flag == *old,
        (Plain::Number, NodeKind::Number(old)) | (Plain::Doubtful, NodeKind::Other(old)) => value == *old,
        (Plain::Text, NodeKind::Text(old)) => old == value,
        _ => false,
    }
}
