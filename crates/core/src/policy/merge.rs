//! The policy file, brought up to date: what was generated follows the tools, what a person wrote stays.
//!
//! Three texts meet: what was last generated (the [`Base`]), what stands in the file, and what would be generated now.
//! A value is ours while it is the one that we wrote last; any other is a person's and is never touched again, a line
//! or a table that is gone was taken out by a person and never comes back. Whoever writes what was last generated
//! gives the line back to us. A table with a person's words stays a table, also where its tool is not offered any more.

mod base;
mod date;
mod gone;
mod keys;
mod news;
mod offer;
mod place;
mod rename;
mod spell;

use std::collections::{BTreeMap, HashMap};

pub use base::Base;
pub use news::{News, What};
pub use rename::renamed;
pub(super) use spell::duration as spelt;

use super::Proposal;
use crate::document::{Change, Document, Format, Node, NodeKind, Refusal, Step, Unreadable};
use crate::text::{SpliceError, TextEdit, splice};
use crate::value::Value;
use base::Generated;
use gone::{Gone, KEPT};
use keys::wanted;
use offer::Offer;

/// What stands above the tables of a file that we begin.
pub const HEAD: &str = "\
#:schema ./tool-policy.schema.json
# What each tool may do, and how. One table per tool; change whatever you like: what you write stays.
# Lines that you do not touch follow the tools. `switchboard policy explain TOOL` says where each comes from.
";

/// What one server offers.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'o> {
    /// The server, as the catalogue calls it.
    pub server: &'o str,
    /// What is proposed for its tools; `None` while nobody knows what it offers, so that nothing of it changes.
    pub tools: Option<&'o [Proposal]>,
}

/// What a merge gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The new text; `None` when the file is as it should be.
    pub text: Option<String>,
    /// What is generated now, to be kept until the next time.
    pub base: Base,
    /// What has changed, in order.
    pub news: Vec<News>,
}

/// Why a policy file is left alone.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It cannot be changed without touching something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Our own edits contradict each other: a defect of ours, caught before it reached the file.
    #[error("the edits do not fit together ({0}); nothing was written")]
    Splice(#[from] SpliceError),
}

/// Returns the text of the policy file for what is offered now.
///
/// `text` is the file, which [`parse()`](super::parse) finds good, or `None` where there is none; a file without
/// anything in it begins anew. `offered` is every server of the catalogue, in its order: the tools of a server that is
/// not among them are gone. `now` is in seconds since 1970.
///
/// # Errors
/// The file is left alone when it cannot be read, or not be changed without touching what is not ours.
pub fn merge(
    text: Option<&str>,
    base: &Base,
    offered: &[Offered<'_>],
    now: u64,
) -> Result<Merged, MergeError> {
    let before = text.unwrap_or_default();
    let is_new = before.trim_start_matches('\u{feff}').trim().is_empty();
    let mut state = State {
        text: before.to_owned(),
        base: if is_new { Base::default() } else { base.clone() },
        news: Vec::new(),
        coming: Vec::new(),
    };
    let offer = Offer::of(offered);
    state.come_back(&offer)?;
    state.follow(&offer)?;
    state.go(&offer, now)?;
    state.drop_old(&offer, now)?;
    state.come(&offer, is_new)?;
    let changed = state.text != before;
    Ok(Merged { text: changed.then_some(state.text), base: state.base, news: state.news })
}

/// The tables of a file, by server and tool.
type Tables<'d, 't> = HashMap<&'d str, HashMap<&'d str, &'d Node<'t>>>;

fn tables<'d, 't>(document: &'d Document<'t>) -> Tables<'d, 't> {
    let members =
        |node: Option<&'d Node<'t>>| node.and_then(Node::as_map).into_iter().flat_map(|map| &map.members);
    members(document.root().and_then(|root| root.get("tools")))
        .map(|server| {
            let tools = members(Some(&server.node)).map(|tool| (&*tool.key, &tool.node)).collect();
            (&*server.key, tools)
        })
        .collect()
}

fn table<'d, 't>(tables: &Tables<'d, 't>, server: &str, tool: &str) -> Option<&'d Node<'t>> {
    tables.get(server)?.get(tool).copied()
}

fn path(server: &str, tool: &str) -> Vec<Step> {
    vec![Step::key("tools"), Step::key(server), Step::key(tool)]
}

/// A merge on its way.
struct State<'o> {
    text: String,
    base: Base,
    news: Vec<News>,
    /// New tools, and those whose comment a person has removed while they were gone.
    coming: Vec<(&'o str, &'o str, &'o Proposal)>,
}

impl<'o> State<'o> {
    /// Tools that are offered again stand where they stood, as they were.
    fn come_back(&mut self, offer: &Offer<'_>) -> Result<(), MergeError> {
        let blocks = gone::blocks(&self.text);
        if blocks.is_empty() {
            return Ok(());
        }
        let mut back: Vec<&Gone> = Vec::new();
        {
            let document = Document::parse(&self.text, Format::Toml)?;
            let there = tables(&document);
            for block in &blocks {
                let (server, tool) = (block.server.as_str(), block.tool.as_str());
                // Of a table that a person has taken out since, or of a second copy, a comment is a person's.
                let is_ours = self.base.gone(server, tool).is_some() || !self.base.knows(server, tool);
                let is_copy = back.iter().any(|other| other.server == server && other.tool == tool);
                let is_there = table(&there, server, tool).is_some();
                if is_ours && !is_copy && !is_there && offer.find(server, tool).is_some() {
                    back.push(block);
                }
            }
        }
        self.text = self.with_back(&back)?;
        for block in back {
            self.base.tool(&block.server, &block.tool).gone = None;
            self.news.push(News::back(&block.server, &block.tool));
        }
        Ok(())
    }

    /// Returns the text in which these comments are tables again.
    fn with_back(&self, back: &[&Gone]) -> Result<String, MergeError> {
        let set = |block: &Gone| Change::set(path(&block.server, &block.tool), block.says.clone());
        let document = Document::parse(&self.text, Format::Toml)?;
        let edits: Vec<TextEdit> =
            back.iter().map(|block| TextEdit::replace(block.range.clone(), block.body.clone())).collect();
        let changes: Vec<Change> = back.iter().map(|block| set(block)).collect();
        if let Ok(after) = document.verified(&changes, splice(&self.text, &edits)?) {
            return Ok(after);
        }
        // Somebody has moved one into another table, or closed the table that it was in. From the last on, so that
        // those before stay where they are.
        let mut text = self.text.clone();
        for block in back.iter().rev() {
            let document = Document::parse(&text, Format::Toml)?;
            let edit = TextEdit::replace(block.range.clone(), block.body.clone());
            let in_place = document.verified(&[set(block)], splice(&text, &[edit])?);
            if let Ok(after) = in_place {
                text = after;
            }
        }
        // What has no place there says what it said elsewhere, and stays a comment for its words.
        let document = Document::parse(&text, Format::Toml)?;
        let there = tables(&document);
        let rest = back.iter().filter(|block| table(&there, &block.server, &block.tool).is_none());
        let rest: Vec<Change> = rest.map(|block| set(block)).collect();
        Ok(document.revised(&rest)?)
    }

    /// Values that are ours follow what is proposed.
    fn follow(&mut self, offer: &Offer<'o>) -> Result<(), MergeError> {
        let document = Document::parse(&self.text, Format::Toml)?;
        let there = tables(&document);
        let mut changes = Vec::new();
        for (server, tool, proposal) in offer.all() {
            let Some(node) = table(&there, server, tool) else {
                if !self.base.knows(server, tool) || self.base.gone(server, tool).is_some() {
                    self.coming.push((server, tool, proposal));
                }
                continue;
            };
            let known = self.base.knows(server, tool);
            let generated = self.base.tool(server, tool);
            generated.gone = None;
            let before = changes.len();
            keys::follow(&document, node, generated, proposal, known, |key, value| {
                let mut path = path(server, tool);
                path.push(Step::key(key));
                changes.push(match value {
                    Some(value) => Change::set(path, Value::text(value)),
                    None => Change::remove(path),
                });
            });
            if changes.len() > before {
                self.news.push(News::changed(server, tool));
            }
        }
        if !changes.is_empty() {
            self.text = document.revised(&changes)?;
        }
        Ok(())
    }

    /// Tools that are offered no more become comments, where nothing but what we wrote stands in their tables.
    ///
    /// What a person wrote goes on standing: a tool that is denied must be denied at the moment it is offered again.
    fn go(&mut self, offer: &Offer<'_>, now: u64) -> Result<(), MergeError> {
        let leaving: Vec<(String, String)> = self
            .base
            .all()
            .filter(|(server, tool, generated)| generated.gone.is_none() && offer.is_gone(server, tool))
            .map(|(server, tool, _)| (server.to_owned(), tool.to_owned()))
            .collect();
        if leaving.is_empty() {
            return Ok(());
        }
        let document = Document::parse(&self.text, Format::Toml)?;
        let there = tables(&document);
        let mut edits = Vec::new();
        let mut all_said = said(&document);
        for (server, tool) in &leaving {
            let Some(node) = table(&there, server, tool) else { continue };
            // A table that a person wrote in another way stays: it does no harm.
            let Some(range) = place::lines_of(&self.text, node) else { continue };
            let is_ours =
                |generated: &Generated| generated.is_all_of(server, tool, &self.text[range.clone()]);
            if !self.base.get(server, tool).is_some_and(is_ours) {
                continue;
            }
            edits.push(TextEdit::replace(range.clone(), gone::commented(&self.text[range], now)));
            all_said.tools.remove(&(server.clone(), tool.clone()));
            self.base.tool(server, tool).gone = Some(now);
            self.news.push(News::gone(server, tool));
        }
        if edits.is_empty() {
            return Ok(());
        }
        let after = splice(&self.text, &edits)?;
        if said(&Document::parse(&after, Format::Toml)?) != all_said {
            return Err(Refusal::Unverified("a table that is gone took something along".to_owned()).into());
        }
        self.text = after;
        Ok(())
    }

    /// Comments that nobody has written in, and whose time is over, go for good.
    fn drop_old(&mut self, offer: &Offer<'_>, now: u64) -> Result<(), MergeError> {
        let mut edits = Vec::new();
        for block in gone::blocks(&self.text) {
            let (server, tool) = (block.server.as_str(), block.tool.as_str());
            let Some(generated) = self.base.get(server, tool) else { continue };
            let over = generated.gone.is_some_and(|since| now.saturating_sub(since) >= KEPT.as_secs());
            if over && offer.is_gone(server, tool) && generated.is_all_of(server, tool, &block.body) {
                let range = gone::with_gap(&self.text, &block.range);
                // The blank line between two of them goes once.
                let done = edits.last().map_or(0, |edit: &TextEdit| edit.range.end);
                edits.push(TextEdit::delete(range.start.max(done)..range.end));
                self.news.push(News::dropped(server, tool));
                self.base.forget(server, tool);
            }
        }
        if !edits.is_empty() {
            self.text = splice(&self.text, &edits)?;
        }
        Ok(())
    }

    /// New tools come in order.
    fn come(&mut self, offer: &Offer<'_>, is_new: bool) -> Result<(), MergeError> {
        let coming = std::mem::take(&mut self.coming);
        if coming.is_empty() {
            return Ok(());
        }
        if is_new {
            let bom = if self.text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
            self.text = format!("{bom}{HEAD}");
        }
        let document = Document::parse(&self.text, Format::Toml)?;
        let there = tables(&document);
        let changes: Vec<Change> = coming
            .iter()
            .map(|(server, tool, proposal)| Change::set(path(server, tool), keys::value(proposal)))
            .collect();
        let edits = place::come(&document, &there, offer, &coming);
        let after = match document.verified(&changes, splice(&self.text, &edits)?) {
            Ok(after) => after,
            // A person's own way of writing tables has no room for ours between them.
            Err(_) => document.revised(&changes)?,
        };
        for (server, tool, proposal) in coming {
            *self.base.tool(server, tool) = Generated::of(proposal);
            self.news.push(News::added(server, tool));
        }
        self.text = after;
        Ok(())
    }
}

/// All that a file says.
#[derive(PartialEq)]
struct AllSaid {
    tools: BTreeMap<(String, String), Value>,
    others: Vec<(String, Value)>,
}

fn said(document: &Document<'_>) -> AllSaid {
    let mut said = AllSaid { tools: BTreeMap::new(), others: Vec::new() };
    for (server, tools) in tables(document) {
        for (tool, node) in tools {
            said.tools.insert((server.to_owned(), tool.to_owned()), node.value());
        }
    }
    let root = document.root().and_then(Node::as_map);
    let others = root.into_iter().flat_map(|map| &map.members).filter(|member| member.key != "tools");
    said.others.extend(others.map(|member| (member.key.to_string(), member.node.value())));
    said
}

/// The text of a table that we write, without an end of its last line.
fn written(server: &str, tool: &str, proposal: &Proposal, line_end: &str) -> String {
    let mut text = spell::header(server, tool);
    for (key, value) in wanted(proposal) {
        if let Some(value) = value {
            text.push_str(line_end);
            text.push_str(&spell::pair(key, &value));
        }
    }
    text
}

fn text_of<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    match &node.kind {
        NodeKind::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
