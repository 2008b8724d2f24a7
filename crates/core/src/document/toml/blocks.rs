//! Edits of tables that are written in lines: headers, bodies, dotted keys.

use super::extent::{ancestors, blocks_of, last_end, lines_of, table_of};
use super::lines::{LineEdits, Lines};
use super::render::{self, Hand};
use super::unsayable;
use crate::document::layout::Reshape;
use crate::document::node::TomlTable;
use crate::document::{Document, Form, List, Map, Member, Node, NodeKind, Refusal};
use crate::text::TextEdit;
use crate::value::Value;

/// What comes into one table.
#[derive(Default)]
struct Coming {
    lines: Vec<String>,
    blocks: Vec<Vec<String>>,
}

/// One reshaping of a table or of a list of tables.
pub(super) struct Blocks<'d> {
    document: &'d Document<'d>,
    text: &'d str,
    lines: Lines<'d>,
    edits: LineEdits<'d>,
}

impl<'d> Blocks<'d> {
    pub(super) fn new(document: &'d Document<'d>) -> Self {
        let text = document.text();
        Self { document, text, lines: Lines::of(text), edits: LineEdits::new(text) }
    }

    /// Reshapes the map `node`, which is the table `table`.
    pub(super) fn table(
        mut self,
        node: &Node<'_>,
        map: &Map<'_>,
        table: &TomlTable,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let all_go = reshape.removed.len() == map.members.len() && reshape.added.is_empty();
        if all_go && table.header.is_none() && !table.path.is_empty() {
            self.keep_empty(node, map, table)?;
        } else {
            let coming = self.render(node, map, table, &reshape.added)?;
            let removed = || reshape.removed.iter().map(|&index| &map.members[index]);
            // The lines above the first header are set off by blank lines, so they go as a block when all go.
            let as_block = table.path.is_empty()
                && coming.lines.is_empty()
                && lines_of(removed()).len() == lines_of(&map.members).len();
            removed().for_each(|member| self.remove(member, as_block));
            self.add(node, table, coming);
        }
        self.edits.finish(out);
        Ok(())
    }

    /// Reshapes the `[[list]]` that `node` is.
    pub(super) fn items(
        mut self,
        node: &Node<'_>,
        list: &List<'_>,
        reshape: &Reshape<'_>,
        out: &mut Vec<TextEdit>,
    ) -> Result<(), Refusal> {
        let path =
            list.items.first().and_then(table_of).map(|table| table.path.as_slice()).unwrap_or_default();
        if reshape.added.is_empty() && reshape.removed.len() == list.items.len() {
            self.keep_empty_list(node, list, path)?;
        } else {
            let hand = list.items.last().map(|item| self.hand_of(item)).unwrap_or_default();
            let blocks = reshape.added.iter().map(|(_, value)| render::item(path, value, hand));
            let blocks = blocks.collect::<Option<Vec<_>>>().ok_or_else(|| unsayable(self.document, node))?;
            reshape.removed.iter().for_each(|&index| self.remove_blocks(&list.items[index]));
            self.add_blocks(node, &blocks);
        }
        self.edits.finish(out);
        Ok(())
    }

    fn remove(&mut self, member: &Member<'_>, as_block: bool) {
        for line in lines_of([member]) {
            if as_block {
                self.edits.remove_block(line);
            } else {
                self.edits.remove(line);
            }
        }
        self.remove_blocks(&member.node);
    }

    fn remove_blocks(&mut self, node: &Node<'_>) {
        for block in blocks_of([node]) {
            self.edits.remove_block(block);
        }
    }

    fn add(&mut self, node: &Node<'_>, table: &TomlTable, mut coming: Coming) {
        if !coming.lines.is_empty() {
            match table.body_end {
                Some(end) => self.edits.add(end, &coming.lines),
                None if table.path.is_empty() => self.edits.add_above(node.span.start, &coming.lines),
                None => {
                    // Only headers of children have named the table so far; lines need one of its own.
                    coming.lines.insert(0, format!("[{}]", render::dotted(&table.path)));
                    coming.blocks.insert(0, coming.lines);
                }
            }
        }
        self.add_blocks(node, &coming.blocks);
    }

    fn add_blocks(&mut self, node: &Node<'_>, blocks: &[Vec<String>]) {
        if let (Some(end), false) = (last_end(node), blocks.is_empty()) {
            self.edits.add_blocks(end, blocks);
        }
    }

    fn render(
        &self,
        node: &Node<'_>,
        map: &Map<'_>,
        table: &TomlTable,
        added: &[(&str, Value)],
    ) -> Result<Coming, Refusal> {
        let mut coming = Coming::default();
        if added.is_empty() {
            return Ok(coming);
        }
        let in_blocks = holds_blocks(map, table);
        let hand = self.hand_below(map);
        let start = self.line_start(node, map, table)?;
        for (name, value) in added {
            let rendered = if in_blocks && render::is_block(value) {
                let path: Vec<&str> = table.path.iter().map(String::as_str).chain([*name]).collect();
                render::blocks(&path, value, hand, &mut coming.blocks)
            } else {
                render_lines(map, table, &start, name, value, &mut coming.lines)
            };
            rendered.ok_or_else(|| unsayable(self.document, node))?;
        }
        Ok(coming)
    }

    /// What stands before the key on a new line of `table`: the indentation, and the keys before the last dot.
    fn line_start(&self, node: &Node<'_>, map: &Map<'_>, table: &TomlTable) -> Result<String, Refusal> {
        let Some(last) = lines_of(&map.members).iter().map(|line| line.start).max() else {
            let header = table.header.as_ref().map(|header| self.lines.indent(header.start));
            return Ok(header.unwrap_or_default().to_owned());
        };
        let indent = self.lines.indent(last);
        if !table.dotted {
            return Ok(indent.to_owned());
        }
        Ok(format!("{indent}{}", self.prefix(node, map)?))
    }

    /// The keys before the last dot in the lines of a dotted table, as they are spelt there.
    fn prefix(&self, node: &Node<'_>, map: &Map<'_>) -> Result<&'d str, Refusal> {
        let spelt = map.members.iter().find_map(|member| {
            let line = lines_of([member]).into_iter().next()?;
            let start = self.lines.start(line.start) + self.lines.indent(line.start).len();
            // A member that a header named first has its key there.
            (start..=line.start)
                .contains(&member.key_span.start)
                .then(|| &self.text[start..member.key_span.start])
        });
        spelt.ok_or_else(|| {
            Refusal::unwritable(self.document, node.span.start, "headers and dotted keys are mixed here")
        })
    }

    /// Lets a table stand empty that exists only through its members.
    fn keep_empty(&mut self, node: &Node<'_>, map: &Map<'_>, table: &TomlTable) -> Result<(), Refusal> {
        if !table.dotted {
            let header = format!("[{}]", render::dotted(&table.path));
            self.replace_blocks(map.members.iter().map(|member| &member.node), header);
            return Ok(());
        }
        let own = self.prefix(node, map)?.trim_end_matches(['.', ' ', '\t']);
        let mut lines = lines_of(&map.members);
        lines.sort_by_key(|line| line.start);
        let mut lines = lines.into_iter();
        if let Some(first) = lines.next() {
            let start = self.lines.start(first.start) + self.lines.indent(first.start).len();
            self.edits.replace(start..first.end, format!("{own} = {{}}"));
        }
        lines.for_each(|line| self.edits.remove(line));
        map.members.iter().for_each(|member| self.remove_blocks(&member.node));
        Ok(())
    }

    /// Writes an empty list in the place of the `[[list]]` that `node` is.
    fn keep_empty_list(&mut self, node: &Node<'_>, list: &List<'_>, path: &[String]) -> Result<(), Refusal> {
        let above = self.document.root().map(|root| ancestors(root, node)).unwrap_or_default();
        let parent = above.last().and_then(|parent| Some((*parent, parent.as_map()?, table_of(parent)?)));
        let (Some((parent, map, table)), Some((name, above))) = (parent, path.split_last()) else {
            return Err(Refusal::unwritable(self.document, node.span.start, "a list cannot be emptied here"));
        };
        let empty = format!("{} = []", render::key(name));
        if table.body_end.is_none() && !table.path.is_empty() {
            let line_end = self.lines.line_end(node.span.start);
            let text = format!("[{}]{line_end}{empty}", render::dotted(above));
            self.replace_blocks(list.items.iter(), text);
            return Ok(());
        }
        list.items.iter().for_each(|item| self.remove_blocks(item));
        let line = format!("{}{empty}", self.line_start(parent, map, table)?);
        self.add(parent, table, Coming { lines: vec![line], blocks: Vec::new() });
        Ok(())
    }

    /// Puts `text` in the place of the first block of `nodes`; the others go.
    fn replace_blocks<'n, 't: 'n>(&mut self, nodes: impl Iterator<Item = &'n Node<'t>>, text: String) {
        let mut blocks = blocks_of(nodes);
        blocks.sort_by_key(|block| block.start);
        let mut blocks = blocks.into_iter();
        if let Some(first) = blocks.next() {
            self.edits.replace(first, text);
        }
        blocks.for_each(|block| self.edits.remove_block(block));
    }

    /// How the blocks below a table are indented: as the last one is.
    fn hand_below(&self, map: &Map<'_>) -> Hand<'d> {
        let last = map.members.iter().rev().find_map(|member| match &member.node.kind {
            NodeKind::List(list) if list.form == Form::Tables => list.items.last(),
            _ => table_of(&member.node)?.header.as_ref().map(|_| &member.node),
        });
        last.map(|node| self.hand_of(node)).unwrap_or_default()
    }

    fn hand_of(&self, node: &Node<'_>) -> Hand<'d> {
        let header = self.lines.indent(node.span.start);
        let lines = lines_of(node.as_map().into_iter().flat_map(|map| &map.members));
        let first = lines.iter().map(|line| line.start).min();
        Hand { header, key: first.map_or(header, |at| self.lines.indent(at)) }
    }
}

/// Whether maps that come into this table are written as blocks: it is the root, or holds nothing but maps.
fn holds_blocks(map: &Map<'_>, table: &TomlTable) -> bool {
    let is_map = |node: &Node<'_>| match &node.kind {
        NodeKind::Map(_) => true,
        NodeKind::List(list) => list.form == Form::Tables,
        _ => false,
    };
    !table.dotted
        && (table.path.is_empty() || table.header.is_none() || map.members.iter().all(|m| is_map(&m.node)))
}

/// Appends the lines that say `value` under `name`. Among dotted keys a map has a line for each of its members.
fn render_lines(
    map: &Map<'_>,
    table: &TomlTable,
    start: &str,
    name: &str,
    value: &Value,
    out: &mut Vec<String>,
) -> Option<()> {
    let deeper = table.dotted && map.members.iter().any(|m| table_of(&m.node).is_some_and(|t| t.dotted));
    match value {
        Value::Map(members) if deeper && !members.is_empty() => {
            for (below, value) in members {
                out.push(format!("{start}{}.{}", render::key(name), render::pair(below, value)?));
            }
        }
        _ => out.push(format!("{start}{}", render::pair(name, value)?)),
    }
    Some(())
}
