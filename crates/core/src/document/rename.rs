//! Calling a member otherwise, wherever the text names it.

use std::ops::Range;

use super::quoted::quote;
use super::{Document, Form, Node, Refusal, Step};
use crate::text::{TextEdit, splice};
use crate::value::Value;

/// Returns the text in which the member `from` of the map at `container` is called `to`.
///
/// A TOML table is named by its header and by those of the tables below it; each is changed. The result is read again
/// and must say the same but for the name.
pub(super) fn renamed(
    document: &Document<'_>,
    container: &[Step],
    from: &str,
    to: &str,
) -> Result<String, Refusal> {
    let text = document.text();
    let map = document.at(container).and_then(Node::as_map);
    let Some(member) = map.and_then(|map| map.members.iter().find(|member| member.key == from)) else {
        return Err(Refusal::unwritable(document, 0, format!("there is no `{from}`")));
    };
    let at = member.key_span.start;
    if map.is_some_and(|map| map.members.iter().any(|member| member.key == to)) {
        return Err(Refusal::unwritable(document, at, format!("there is a `{to}` already")));
    }
    let mut spans = vec![member.key_span.clone()];
    header_parts(text, &member.node, container.len(), &mut spans);
    spans.sort_by_key(|span| span.start);
    spans.dedup();
    let edits: Vec<TextEdit> =
        spans.into_iter().map(|span| TextEdit::replace(span.clone(), requoted(&text[span], to))).collect();
    let after = splice(text, &edits).map_err(|error| Refusal::Unverified(error.to_string()))?;
    let read =
        Document::parse(&after, document.format()).map_err(|error| Refusal::Unverified(error.to_string()))?;
    let wanted = document.root().map(|root| swapped(root.value(), container, from, to));
    match (read.root().map(Node::value), wanted) {
        (Some(says), Some(wanted)) if says.same_as(&wanted) => Ok(after),
        _ => Err(Refusal::unwritable(document, at, format!("`{from}` is named in more than one line"))),
    }
}

/// Finds the part at `index` of every TOML header below `node`.
fn header_parts(text: &str, node: &Node<'_>, index: usize, out: &mut Vec<Range<usize>>) {
    if let Some(Form::Table(table)) = node.as_map().map(|map| &map.form)
        && let Some(header) = &table.header
        && let Some(part) = dotted_parts(text, header.clone()).into_iter().nth(index)
    {
        out.push(part);
    }
    node.children().for_each(|child| header_parts(text, child, index, out));
}

/// Splits the keys of a TOML header at the dots that stand outside of quotation marks.
fn dotted_parts(text: &str, header: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut quote = None;
    let mut start = None;
    let mut end = header.start;
    let mut escaped = false;
    for (offset, c) in text[header.clone()].char_indices() {
        let at = header.start + offset;
        match (quote, c) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                end = at + 1;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '.' | ']') => {
                parts.extend(start.take().map(|start| start..end));
                continue;
            }
            (None, '[' | ' ' | '\t') => continue,
            _ => {}
        }
        escaped = false;
        start.get_or_insert(at);
        end = at + c.len_utf8();
    }
    parts
}

/// A key that was bare stays bare where it can.
fn requoted(old: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare && !old.starts_with(['"', '\'']) {
        return name.to_owned();
    }
    let mut quoted = String::new();
    quote(name, &mut quoted, |c| c.is_control().then(|| format!("\\u{:04X}", u32::from(c))));
    quoted
}

fn swapped(value: Value, container: &[Step], from: &str, to: &str) -> Value {
    let Value::Map(members) = value else { return value };
    Value::Map(
        members
            .into_iter()
            .map(|(key, value)| match container.split_first() {
                Some((Step::Key(step), rest)) if *step == key => (key, swapped(value, rest, from, to)),
                None if key == from => (to.to_owned(), value),
                _ => (key, value),
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Format;

    #[test]
    fn every_header_that_names_a_table_is_changed() {
        let before =
            "[servers . \"a.b\"] # here\nx = 1\n[servers.'a.b'.env]\nA = \"servers.a.b\"\n[servers.c]\n";
        let document = Document::parse(before, Format::Toml).unwrap();
        let after = document.renamed(&[Step::key("servers")], "a.b", "d").unwrap();
        assert_eq!(
            after,
            "[servers . \"d\"] # here\nx = 1\n[servers.\"d\".env]\nA = \"servers.a.b\"\n[servers.c]\n"
        );
    }

    #[test]
    fn names_that_dotted_keys_repeat_are_refused() {
        let document = Document::parse("servers.a.x = 1\nservers.a.y = 2\n", Format::Toml).unwrap();
        assert!(document.renamed(&[Step::key("servers")], "a", "b").is_err());
    }
}
