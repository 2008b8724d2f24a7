//! A server that is called otherwise: what is said of its tools goes with it.

use super::{Base, MergeError, gone, path, spell, tables};
use crate::document::{Change, Document, Format, Refusal, Step};
use crate::text::{TextEdit, splice};

/// Returns the text of the policy file, and what was generated in it, with the server `from` called `to`.
///
/// Tables and comments stay where they are and are called otherwise. Where that cannot be, because `to` has tables
/// already or the file is written in another way, what is said under the old name is said under the new one as well, but
/// for tools of which the new one says something itself; nothing is removed.
///
/// # Errors
/// The text cannot be read, or not be changed without touching something else.
pub fn renamed(text: &str, base: &Base, from: &str, to: &str) -> Result<(String, Base), MergeError> {
    let document = Document::parse(text, Format::Toml)?;
    let there = tables(&document);
    let after = match (there.contains_key(from), there.contains_key(to)) {
        (false, _) => text.to_owned(),
        (true, false) => {
            let renamed = document.renamed(&[Step::key("tools")], from, to);
            renamed.or_else(|_| copied(&document, from, to))?
        }
        (true, true) => copied(&document, from, to)?,
    };
    let edits = gone::blocks(&after).into_iter().filter(|block| block.server == from).filter_map(|block| {
        let header = spell::header(from, &block.tool);
        let at = block.range.start + after[block.range].find(&header)?;
        Some(TextEdit::replace(at..at + header.len(), spell::header(to, &block.tool)))
    });
    let edits: Vec<TextEdit> = edits.collect();
    Ok((splice(&after, &edits)?, base.renamed(from, to)))
}

/// The tables of `from` under the name `to` as well, where they are not there yet.
fn copied(document: &Document<'_>, from: &str, to: &str) -> Result<String, Refusal> {
    let there = tables(document);
    let is_new = |tool: &str| there.get(to).is_none_or(|tools| !tools.contains_key(tool));
    let mut tools: Vec<_> = there.get(from).into_iter().flatten().filter(|(tool, _)| is_new(tool)).collect();
    tools.sort_unstable_by_key(|(tool, _)| **tool);
    let changes: Vec<Change> =
        tools.into_iter().map(|(tool, node)| Change::set(path(to, tool), node.value())).collect();
    document.revised(&changes)
}
