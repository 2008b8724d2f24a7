//! TOML: reading and writing.

mod blocks;
mod extent;
mod flow;
mod lines;
mod reader;
mod render;
mod tables;

pub(super) use reader::read;

use super::layout::{Layout, Reshape};
use super::node::TomlTable;
use super::{Document, Form, List, Map, Node, NodeKind, Refusal};
use crate::text::TextEdit;
use crate::value::Value;
use blocks::Blocks;
use flow::Flow;

/// Writes in the hand of the file.
pub(super) struct TomlLayout;

impl Layout for TomlLayout {
    fn replace(
        &self,
        document: &Document<'_>,
        parent: &Node<'_>,
        index: usize,
        value: &Value,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let Some(node) = parent.children().nth(index) else { return Ok(()) };
        let in_lines = match &node.kind {
            NodeKind::Map(map) => map.form != Form::Flow,
            NodeKind::List(list) => list.form != Form::Flow,
            _ => false,
        };
        match (&node.kind, value) {
            (NodeKind::Map(map), Value::Map(members)) if in_lines && members.is_empty() => {
                let all = Reshape { removed: (0..map.members.len()).collect(), ..Reshape::default() };
                self.reshape(document, node, &all, out)
            }
            _ if in_lines => {
                let key = parent.as_map().and_then(|map| map.members.get(index)).map(|member| &*member.key);
                let added = vec![(key.unwrap_or_default(), value.clone())];
                self.reshape(document, parent, &Reshape { removed: vec![index], added, gap: None }, out)
            }
            (NodeKind::List(list), Value::List(items)) => replace_items(document, node, list, items, out),
            _ => {
                let text = render::inline(value).ok_or_else(|| unsayable(document, node))?;
                out.push(TextEdit::replace(node.span.clone(), text));
                Ok(())
            }
        }
    }

    fn reshape(
        &self,
        document: &Document<'_>,
        node: &Node<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        match &node.kind {
            NodeKind::Map(map) => match &map.form {
                Form::Table(table) if table.dotted && table.body_end.is_none() => {
                    reshape_dotted_inline(document, node, map, table, reshape, out)
                }
                Form::Table(table) => Blocks::new(document).table(node, map, table, reshape, out),
                _ => reshape_inline(document, node, map, reshape, out),
            },
            NodeKind::List(list) if list.form == Form::Tables => {
                Blocks::new(document).items(node, list, reshape, out)
            }
            NodeKind::List(_) => {
                let added = reshape.added.iter().map(|(_, value)| render::inline(value));
                let added = added.collect::<Option<Vec<_>>>().ok_or_else(|| unsayable(document, node))?;
                let flow = Flow::of(document.text(), &node.span);
                flow.edit(&reshape.removed, &added, reshape.gap, out);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&self, document: &Document<'_>, members: &[(&str, Value)]) -> Result<String, Refusal> {
        let text = document.text();
        let first = lines::Lines::of(text).first();
        let line_end = lines::Lines::of(text).line_end(0);
        let mut paragraphs = Vec::new();
        let head = text[first..].trim_end();
        if !head.is_empty() {
            paragraphs.push(head.to_owned());
        }
        let (mut keys, mut blocks) = (Vec::new(), Vec::new());
        for (name, value) in members {
            let rendered = if render::is_block(value) {
                render::blocks(&[name], value, render::Hand::default(), &mut blocks)
            } else {
                render::pair(name, value).map(|pair| keys.push(pair))
            };
            rendered.ok_or_else(|| Refusal::unwritable(document, 0, UNSAYABLE))?;
        }
        if !keys.is_empty() {
            paragraphs.push(keys.join(line_end));
        }
        paragraphs.extend(blocks.iter().map(|block| block.join(line_end)));
        let last = if head.is_empty() || text.ends_with('\n') { line_end } else { "" };
        Ok(format!("{}{}{last}", &text[..first], paragraphs.join(&line_end.repeat(2))))
    }
}

const UNSAYABLE: &str = "TOML has no way to say this value";

fn unsayable(document: &Document<'_>, node: &Node<'_>) -> Refusal {
    Refusal::unwritable(document, node.span.start, UNSAYABLE)
}

/// Makes an array say `items`, item by item, so that comments and layout stay.
fn replace_items(
    document: &Document<'_>,
    node: &Node<'_>,
    list: &List<'_>,
    items: &[Value],
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let shared = list.items.len().min(items.len());
    for (old, new) in list.items.iter().zip(items).filter(|(old, new)| !old.says(new)) {
        let text = render::inline(new).ok_or_else(|| unsayable(document, node))?;
        out.push(TextEdit::replace(old.span.clone(), text));
    }
    let added = items[shared..].iter().map(render::inline).collect::<Option<Vec<_>>>();
    let added = added.ok_or_else(|| unsayable(document, node))?;
    let removed: Vec<usize> = (shared..list.items.len()).collect();
    Flow::of(document.text(), &node.span).edit(&removed, &added, None, out);
    Ok(())
}

fn reshape_inline(
    document: &Document<'_>,
    node: &Node<'_>,
    map: &Map<'_>,
    reshape: &Reshape<'_>,
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let added = reshape.added.iter().map(|(name, value)| render::pair(name, value));
    let added = added.collect::<Option<Vec<_>>>().ok_or_else(|| unsayable(document, node))?;
    let flow = Flow::of(document.text(), &node.span);
    flow.edit(&parts_of(&flow, map, &reshape.removed), &added, reshape.gap, out);
    Ok(())
}

/// Reshapes what dotted keys within braces make: `{ a.b = 1 }`. Such a table has no lines, so no end of its body,
/// and its path begins at the braces.
fn reshape_dotted_inline(
    document: &Document<'_>,
    node: &Node<'_>,
    map: &Map<'_>,
    table: &TomlTable,
    reshape: &Reshape<'_>,
    out: &mut Vec<TextEdit>,
) -> Result<(), Refusal> {
    let above = document.root().map(|root| extent::ancestors(root, node)).unwrap_or_default();
    let braces = above.iter().rev().find(|node| node.as_map().is_some_and(|map| map.form == Form::Flow));
    let Some(braces) = braces else { return Err(unsayable(document, node)) };
    let prefix = render::dotted(&table.path);
    let added =
        reshape.added.iter().map(|(name, value)| Some(format!("{prefix}.{}", render::pair(name, value)?)));
    let mut added = added.collect::<Option<Vec<_>>>().ok_or_else(|| unsayable(document, node))?;
    if added.is_empty() && reshape.removed.len() == map.members.len() {
        added.push(format!("{prefix} = {{}}"));
    }
    let flow = Flow::of(document.text(), &braces.span);
    flow.edit(&parts_of(&flow, map, &reshape.removed), &added, None, out);
    Ok(())
}

/// The numbers of the parts that the members with the numbers `members` are written in.
fn parts_of(flow: &Flow<'_>, map: &Map<'_>, members: &[usize]) -> Vec<usize> {
    let lines = extent::lines_of(members.iter().map(|&index| &map.members[index]));
    let mut parts: Vec<usize> = lines.iter().filter_map(|line| flow.part_at(line.start)).collect();
    parts.sort_unstable();
    parts
}

#[cfg(test)]
mod tests;
