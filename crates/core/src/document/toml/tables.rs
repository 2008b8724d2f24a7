//! The tables of a text while it is read: which keys may still be added where, and in the end the tree.
//!
//! TOML lets headers open tables in any order, so tables wait here by number until the text is done.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::document::node::TomlTable;
use crate::document::unreadable::MAX_DEPTH;
use crate::document::{Form, List, Map, Member, Node, NodeKind, Unreadable, UnreadableReason};

/// From this many members on, a look-up table is quicker than looking.
const MANY: usize = 12;

/// One part of a key or of a header.
pub(super) struct Key<'t> {
    pub(super) name: Cow<'t, str>,
    pub(super) span: Range<usize>,
}

/// What stands under a key.
enum Entry<'t> {
    Value(Node<'t>),
    Table(usize),
    /// The items of a `[[list]]`.
    Items(Vec<usize>),
}

struct Table<'t> {
    span: Range<usize>,
    form: TomlTable,
    /// Within braces: nothing outside of them may add to it.
    inline: bool,
    depth: usize,
    members: Vec<(Key<'t>, Entry<'t>)>,
    index: HashMap<Cow<'t, str>, usize>,
}

fn unnamed(path: Vec<String>, dotted: bool) -> TomlTable {
    TomlTable { path, header: None, dotted, body_end: None }
}

/// All tables of a text; the first is the root.
pub(super) struct Tables<'t> {
    text: &'t str,
    all: Vec<Table<'t>>,
    end: usize,
}

impl<'t> Tables<'t> {
    pub(super) const ROOT: usize = 0;

    pub(super) fn new(text: &'t str) -> Self {
        let mut tables = Self { text, all: Vec::new(), end: 0 };
        tables.add(0..0, unnamed(Vec::new(), false), false, 0);
        tables
    }

    fn add(&mut self, span: Range<usize>, form: TomlTable, inline: bool, depth: usize) -> usize {
        self.all.push(Table { span, form, inline, depth, members: Vec::new(), index: HashMap::new() });
        self.all.len() - 1
    }

    pub(super) fn depth(&self, id: usize) -> usize {
        self.all[id].depth
    }

    pub(super) fn check_depth(&self, depth: usize, at: usize) -> Result<(), Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable::new(self.text, at, UnreadableReason::TooDeep(MAX_DEPTH)));
        }
        Ok(())
    }

    /// Opens the table that `[keys]` names.
    pub(super) fn open_table(
        &mut self,
        keys: Vec<Key<'t>>,
        header: Range<usize>,
    ) -> Result<usize, Unreadable> {
        let (parent, last) = self.descend_header(keys, &header)?;
        let id = match self.position(parent, &last.name) {
            None => self.new_child(parent, last, false),
            Some(at) => match &self.all[parent].members[at].1 {
                // Only headers of children have named it so far; now its own comes.
                Entry::Table(id) if self.is_unnamed(*id) => *id,
                _ => return Err(self.duplicate(&last)),
            },
        };
        self.name(id, header);
        Ok(id)
    }

    /// Opens the next item of the list that `[[keys]]` names.
    pub(super) fn open_item(
        &mut self,
        keys: Vec<Key<'t>>,
        header: Range<usize>,
    ) -> Result<usize, Unreadable> {
        let (parent, last) = self.descend_header(keys, &header)?;
        let id = self.unlinked_child(parent, &last, false);
        match self.position(parent, &last.name) {
            None => self.link(parent, last, Entry::Items(vec![id])),
            Some(at) => match &mut self.all[parent].members[at].1 {
                Entry::Items(items) => items.push(id),
                _ => return Err(self.duplicate(&last)),
            },
        }
        self.name(id, header);
        Ok(id)
    }

    fn is_unnamed(&self, id: usize) -> bool {
        let table = &self.all[id];
        !table.form.dotted && table.form.header.is_none()
    }

    fn name(&mut self, id: usize, header: Range<usize>) {
        self.see(&header);
        let table = &mut self.all[id];
        table.span = header.clone();
        table.form.body_end = Some(header.end);
        table.form.header = Some(header);
    }

    /// Opens a table between braces, which [`Tables::close_inline`] closes.
    pub(super) fn open_inline(&mut self, depth: usize) -> usize {
        self.add(0..0, unnamed(Vec::new(), false), true, depth)
    }

    /// Closes the table `id`, behind which nothing else was opened but what is in it.
    pub(super) fn close_inline(&mut self, id: usize, span: Range<usize>) -> Node<'t> {
        self.all[id].span = span;
        let node = self.node(id);
        self.all.truncate(id);
        node
    }

    /// Puts `value` under `key` in the table `id`, or below it when there are keys `above` before a dot.
    pub(super) fn insert(
        &mut self,
        id: usize,
        above: Vec<Key<'t>>,
        key: Key<'t>,
        value: Node<'t>,
    ) -> Result<(), Unreadable> {
        let whole = above.first().unwrap_or(&key).span.start..value.span.end;
        self.check_depth(self.depth(id) + above.len() + 1, key.span.start)?;
        if !self.all[id].inline {
            self.see(&whole);
            self.all[id].form.body_end = Some(whole.end);
        }
        let mut table = id;
        for part in above {
            table = self.descend_dotted(table, part)?;
            if !self.all[table].inline {
                self.all[table].form.body_end = Some(whole.end);
            }
        }
        if self.position(table, &key.name).is_some() {
            return Err(self.duplicate(&key));
        }
        self.link(table, key, Entry::Value(value));
        Ok(())
    }

    fn descend_header(
        &mut self,
        mut keys: Vec<Key<'t>>,
        header: &Range<usize>,
    ) -> Result<(usize, Key<'t>), Unreadable> {
        self.check_depth(keys.len(), header.start)?;
        let Some(last) = keys.pop() else {
            return Err(Unreadable::syntax(self.text, header.start, "a header without a key"));
        };
        let mut table = Self::ROOT;
        for key in keys {
            table = match self.entry(table, &key.name) {
                None => self.new_child(table, key, false),
                Some(Entry::Items(items)) => items.last().copied().unwrap_or(table),
                Some(Entry::Table(id)) => *id,
                Some(_) => return Err(self.closed(&key)),
            };
        }
        Ok((table, last))
    }

    fn descend_dotted(&mut self, table: usize, key: Key<'t>) -> Result<usize, Unreadable> {
        let id = match self.entry(table, &key.name) {
            None => return Ok(self.new_child(table, key, true)),
            Some(Entry::Table(id)) => *id,
            Some(_) => return Err(self.closed(&key)),
        };
        let next = &mut self.all[id];
        // A table has one place: dotted keys cannot add to what a header has defined.
        if next.form.header.is_some() {
            return Err(self.duplicate(&key));
        }
        next.form.dotted = true;
        Ok(id)
    }

    fn new_child(&mut self, parent: usize, key: Key<'t>, dotted: bool) -> usize {
        let id = self.unlinked_child(parent, &key, dotted);
        self.link(parent, key, Entry::Table(id));
        id
    }

    fn unlinked_child(&mut self, parent: usize, key: &Key<'t>, dotted: bool) -> usize {
        let above = &self.all[parent];
        let (inline, depth) = (above.inline, above.depth + 1);
        let mut path = Vec::with_capacity(above.form.path.len() + 1);
        path.extend_from_slice(&above.form.path);
        path.push(key.name.clone().into_owned());
        self.add(key.span.clone(), unnamed(path, dotted), inline, depth)
    }

    fn link(&mut self, parent: usize, key: Key<'t>, entry: Entry<'t>) {
        let table = &mut self.all[parent];
        table.members.push((key, entry));
        let count = table.members.len();
        if count == MANY {
            table.index =
                table.members.iter().enumerate().map(|(at, (key, _))| (key.name.clone(), at)).collect();
        } else if count > MANY
            && let Some((key, _)) = table.members.last()
        {
            table.index.insert(key.name.clone(), count - 1);
        }
    }

    fn position(&self, table: usize, name: &str) -> Option<usize> {
        let table = &self.all[table];
        if table.members.len() < MANY {
            return table.members.iter().position(|(key, _)| key.name == name);
        }
        table.index.get(name).copied()
    }

    fn entry(&self, table: usize, name: &str) -> Option<&Entry<'t>> {
        self.position(table, name).map(|at| &self.all[table].members[at].1)
    }

    fn duplicate(&self, key: &Key<'t>) -> Unreadable {
        let reason = UnreadableReason::DuplicateKey(key.name.clone().into_owned());
        Unreadable::new(self.text, key.span.start, reason)
    }

    fn closed(&self, key: &Key<'t>) -> Unreadable {
        let what = format!("`{}` is a value already, so no table can be under it", key.name);
        Unreadable::syntax(self.text, key.span.start, what)
    }

    /// Stretches the root over `span`.
    fn see(&mut self, span: &Range<usize>) {
        let root = &mut self.all[Self::ROOT].span;
        if self.end == 0 {
            root.start = span.start;
        }
        self.end = span.end;
        root.end = span.end;
    }

    /// Returns the finished tree; `None` when nothing was put in.
    pub(super) fn into_root(mut self) -> Option<Node<'t>> {
        if self.all[Self::ROOT].members.is_empty() {
            return None;
        }
        Some(self.node(Self::ROOT))
    }

    fn node(&mut self, id: usize) -> Node<'t> {
        let table = &mut self.all[id];
        let members = std::mem::take(&mut table.members);
        let (span, form) =
            (table.span.clone(), std::mem::replace(&mut table.form, unnamed(Vec::new(), false)));
        let form = if table.inline && !form.dotted { Form::Flow } else { Form::Table(Box::new(form)) };
        let members = members
            .into_iter()
            .map(|(key, entry)| Member { key: key.name, key_span: key.span, node: self.entry_node(entry) })
            .collect();
        Node::new(span, NodeKind::Map(Map { members, form }))
    }

    fn entry_node(&mut self, entry: Entry<'t>) -> Node<'t> {
        match entry {
            Entry::Value(node) => node,
            Entry::Table(id) => self.node(id),
            Entry::Items(ids) => {
                let span = ids.first().map_or(0..0, |id| self.all[*id].span.clone());
                let items = ids.into_iter().map(|id| self.node(id)).collect();
                Node::new(span, NodeKind::List(List { items, form: Form::Tables }))
            }
        }
    }
}
