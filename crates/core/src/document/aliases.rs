//! What YAML aliases (`*name`) and merge keys (`<<: *name`) stand for.
//!
//! The tree keeps them as they are spelt, because that is what an edit must keep. Whoever wants to know what a client
//! would see asks here. A few lines of aliases of aliases can stand for more than any memory holds, so nothing is
//! expanded without a bound.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use super::unreadable::MAX_DEPTH;
use super::{Document, Member, Node, NodeKind, Step};
use crate::value::Value;

/// How much the aliases of one value may stand for, in bytes: far more than any entry has.
const LIMIT: usize = 1 << 20;

/// How much the aliases of all values of a document may stand for together.
const TOTAL: usize = 16 << 20;

/// What a value costs beside its text.
const COST: usize = 64;

/// The key that takes in the members of another map.
pub(super) const MERGE: &str = "<<";

/// What the aliases of a document stand for. Documents without any cost nothing.
#[derive(Debug)]
pub struct Aliases<'d, 't> {
    document: &'d Document<'t>,
    anchors: HashMap<NonZeroU32, &'d Node<'t>>,
    /// What is left of [`TOTAL`].
    left: Cell<usize>,
}

/// The aliases of a value stand for more than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its YAML aliases stand for more than is read")]
pub struct TooMuch;

impl<'d, 't> Aliases<'d, 't> {
    pub(super) fn of(document: &'d Document<'t>) -> Self {
        let mut anchors = HashMap::new();
        if document.tree.aliased {
            document.root().into_iter().for_each(|root| note(root, &mut anchors));
        }
        Self { document, anchors, left: Cell::new(TOTAL) }
    }

    /// Returns whether the document has none, so that everything stands for itself.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Returns the node that `node` stands for: of an alias the anchored one, else itself.
    pub fn target(&self, node: &'d Node<'t>) -> &'d Node<'t> {
        let anchor = node.anchor.filter(|_| node.is_alias());
        anchor.and_then(|anchor| self.anchors.get(&anchor).copied()).unwrap_or(node)
    }

    /// Returns the node at `path`, on the way going on where aliases and merge keys point to.
    pub fn at(&self, path: &[Step]) -> Option<&'d Node<'t>> {
        path.iter().try_fold(self.document.root()?, |node, step| self.step(node, step))
    }

    /// Returns the node one step further down from what `node` stands for.
    pub fn step(&self, node: &'d Node<'t>, step: &Step) -> Option<&'d Node<'t>> {
        match step {
            Step::Key(key) => self.get(node, key),
            Step::Item { key, value } => {
                let items = &self.target(node).as_list()?.items;
                items.iter().find(|item| self.text_at(item, key) == Some(value))
            }
        }
    }

    /// Returns the member `key` of the map that `node` stands for: an own one, else one that is merged in.
    pub fn get(&self, node: &'d Node<'t>, key: &str) -> Option<&'d Node<'t>> {
        let map = self.target(node);
        map.get(key).or_else(|| {
            let merged = |merge| self.merged(merge).into_iter().find(|member| member.key == key);
            self.merge_key(map).and_then(merged).map(|member| &member.node)
        })
    }

    /// Returns the text under `key` of the map that `node` stands for.
    pub fn text_at(&self, node: &'d Node<'t>, key: &str) -> Option<&'d str> {
        self.get(node, key).and_then(|node| self.target(node).as_text())
    }

    /// Returns the members of the map that `node` stands for, with those that are merged in standing where the merge
    /// key does; `None` when it is no map.
    pub fn members(&self, node: &'d Node<'t>) -> Option<Vec<&'d Member<'t>>> {
        let map = self.target(node).as_map()?;
        let Some(merge) = self.merge_key(self.target(node)) else {
            return Some(map.members.iter().collect());
        };
        let own: HashSet<&str> = map.members.iter().map(|member| member.key.as_ref()).collect();
        let merged = self.merged(merge);
        let merged = merged.into_iter().filter(|member| !own.contains(member.key.as_ref()));
        let (before, after) = map
            .members
            .split_at(map.members.iter().position(|member| std::ptr::eq(member, merge)).unwrap_or_default());
        Some(before.iter().chain(merged).chain(after.iter().skip(1)).collect())
    }

    /// Returns the merge key of a map, where it merges something that can be merged.
    pub(super) fn merge_key(&self, map: &'d Node<'t>) -> Option<&'d Member<'t>> {
        if self.is_empty() {
            return None;
        }
        let members = &map.as_map()?.members;
        // In quotation marks it is a key like any other.
        let merge = |member: &&Member<'_>| {
            member.key == MERGE && self.document.text().get(member.key_span.clone()) == Some(MERGE)
        };
        members.iter().find(merge).filter(|member| self.sources(member).is_some())
    }

    /// The maps that a merge key takes in, the strongest first; `None` when it takes in something else.
    fn sources(&self, merge: &'d Member<'t>) -> Option<Vec<&'d Node<'t>>> {
        let target = self.target(&merge.node);
        let maps: Vec<_> = match &target.kind {
            NodeKind::Map(_) => vec![target],
            NodeKind::List(list) => list.items.iter().map(|item| self.target(item)).collect(),
            _ => return None,
        };
        maps.iter().all(|map| map.as_map().is_some()).then_some(maps)
    }

    /// Returns the members that a merge key takes in; of several with one key, the one that counts.
    pub(super) fn merged(&self, merge: &'d Member<'t>) -> Vec<&'d Member<'t>> {
        let mut taken = HashSet::new();
        let mut out = Vec::new();
        // A map has nothing to add when it is met again, so rings and towers of merges end.
        let mut met = HashSet::new();
        let mut waiting = self.sources(merge).unwrap_or_default();
        waiting.reverse();
        while let Some(source) = waiting.pop() {
            let fresh = met.insert(std::ptr::from_ref(source));
            let Some(map) = source.as_map().filter(|_| fresh) else { continue };
            let next = self.merge_key(source);
            let is_next = |member: &Member<'_>| next.is_some_and(|next| next.key_span == member.key_span);
            let own = map.members.iter().filter(|member| !is_next(member));
            out.extend(own.filter(|member| taken.insert(member.key.as_ref())));
            waiting.extend(next.and_then(|next| self.sources(next)).unwrap_or_default().into_iter().rev());
        }
        out
    }

    /// Returns what `node` says to a client: each alias replaced by what it stands for, merge keys carried out.
    ///
    /// An alias of a key, and a merge key with something else than maps, stay as they are spelt.
    ///
    /// # Errors
    /// [`TooMuch`], before memory or time go into it.
    pub fn value(&self, node: &'d Node<'t>) -> Result<Value, TooMuch> {
        if self.is_empty() {
            return Ok(node.value());
        }
        let mut left = LIMIT.min(self.left.get());
        let before = left;
        let value = self.expanded(node, false, 0, &mut left);
        self.left.set(self.left.get() - (before - left));
        value
    }

    fn expanded(
        &self,
        node: &'d Node<'t>,
        shared: bool,
        depth: usize,
        left: &mut usize,
    ) -> Result<Value, TooMuch> {
        if depth > MAX_DEPTH {
            return Err(TooMuch);
        }
        let target = self.target(node);
        let shared = shared || !std::ptr::eq(target, node);
        if shared {
            pay(left, if target.children().next().is_none() { target.span.len() } else { 0 })?;
        }
        match &target.kind {
            NodeKind::List(list) => {
                let items = list.items.iter().map(|item| self.expanded(item, shared, depth + 1, left));
                items.collect::<Result<_, _>>().map(Value::List)
            }
            NodeKind::Map(map) => {
                let mut members = Vec::new();
                for member in self.members(target).unwrap_or_default() {
                    // What is merged in stands elsewhere as well.
                    let shared = shared || !map.members.as_ptr_range().contains(&std::ptr::from_ref(member));
                    if shared {
                        pay(left, member.key.len())?;
                    }
                    let value = self.expanded(&member.node, shared, depth + 1, left)?;
                    members.push((member.key.clone().into_owned(), value));
                }
                Ok(Value::Map(members))
            }
            _ => Ok(target.value()),
        }
    }

    /// Returns whether `node` says `value`, in its own words or through aliases.
    pub fn says(&self, node: &'d Node<'t>, value: &Value) -> bool {
        if self.is_empty() || node.says(value) {
            return node.says(value);
        }
        let target = self.target(node);
        match (&target.kind, value) {
            (NodeKind::List(list), Value::List(values)) => {
                list.items.len() == values.len()
                    && list.items.iter().zip(values).all(|(item, value)| self.says(item, value))
            }
            (NodeKind::Map(_), Value::Map(values)) => {
                let members = self.members(target).unwrap_or_default();
                let by_key: HashMap<&str, &'d Node<'t>> =
                    members.iter().map(|member| (member.key.as_ref(), &member.node)).collect();
                by_key.len() == values.len()
                    && values.iter().all(|(key, value)| {
                        by_key.get(key.as_str()).is_some_and(|node| self.says(node, value))
                    })
            }
            _ => target.says(value),
        }
    }
}

/// Notes every anchored node below `node`.
fn note<'d, 't>(node: &'d Node<'t>, anchors: &mut HashMap<NonZeroU32, &'d Node<'t>>) {
    if let Some(anchor) = node.anchor.filter(|_| !node.is_alias()) {
        anchors.insert(anchor, node);
    }
    node.children().for_each(|child| note(child, anchors));
}

fn pay(left: &mut usize, text: usize) -> Result<(), TooMuch> {
    *left = left.checked_sub(COST + text).ok_or(TooMuch)?;
    Ok(())
}
