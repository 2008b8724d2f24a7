//! What no edit should build upon: maps laid out in ways that hardly anybody writes.

use super::super::{Document, Form, Node, NodeKind, Refusal};
use super::lines::line_start;

/// Refuses to go on in a map or list whose hand nobody could follow.
///
/// # Errors
/// [`Refusal::Unwritable`], with the place of the part that is in the way.
pub(super) fn check(document: &Document<'_>, node: &Node<'_>) -> Result<(), Refusal> {
    let text = document.text();
    let refuse = |at, what: &str| Err(Refusal::unwritable(document, at, what));
    if let (NodeKind::Map(map), flow) = (&node.kind, is_flow(node)) {
        for member in &map.members {
            let key = &text[member.key_span.clone()];
            if !flow
                && key.starts_with(['?', '-', ':'])
                && key[1..].trim_start_matches([' ', '\t', '\n', '\r']).len() < key.len() - 1
            {
                return refuse(
                    member.key_span.start,
                    "a key that is itself a map or a list stands here, beside which nothing can be written safely",
                );
            }
            if key.is_empty() {
                return refuse(
                    member.key_span.start,
                    "a key without a text stands here, beside which nothing can be written safely",
                );
            }
        }
    }
    if node.children().next().is_none() {
        check_tab(document, node)?;
    }
    let start = first_byte(node);
    if !is_flow(node) && text[line_start(text, start)..start].contains('\t') {
        return refuse(start, "a tab stands before this part of the file, where YAML counts blanks");
    }
    Ok(())
}

/// Refuses to put something else in the place of the value `node` where a tab stands before it: readers differ in what
/// may stand behind one.
///
/// # Errors
/// [`Refusal::Unwritable`], with the place of the value.
pub(super) fn check_tab(document: &Document<'_>, node: &Node<'_>) -> Result<(), Refusal> {
    let start = node.span.start;
    if document.text()[..start].ends_with('\t') {
        return Err(Refusal::unwritable(
            document,
            start,
            "a tab stands before this value, where a blank belongs",
        ));
    }
    Ok(())
}

fn is_flow(node: &Node<'_>) -> bool {
    match &node.kind {
        NodeKind::Map(map) => map.form == Form::Flow,
        NodeKind::List(list) => list.form == Form::Flow,
        _ => true,
    }
}

fn first_byte(node: &Node<'_>) -> usize {
    let key = node.as_map().and_then(|map| map.members.first()).map(|member| member.key_span.start);
    key.unwrap_or(node.span.start)
}
