//! Whether a result says what was intended, judged independently of the code that wrote it.

use std::collections::{HashMap, HashSet};

use super::wants::{Leaf, Wants};
use super::{Aliases, Change, Document, Form, Map, Node, NodeKind, Refusal, Step};
use crate::value::Value;

/// Judges a result: it must say what the original said, but for what the changes wanted.
pub(super) fn verify(before: &Document<'_>, changes: &[Change], after: &Document<'_>) -> Result<(), Refusal> {
    let wants = Wants::of(changes);
    // A TOML text without keys is an empty map, not a missing one.
    let empty = (after.format() == super::Format::Toml && before.root().is_some())
        .then(|| Node::new(0..0, NodeKind::Map(Map { members: Vec::new(), form: Form::Flow })));
    let judge = Judge { before: before.aliases(), after: after.aliases() };
    if judge.agrees(before.root(), after.root().or(empty.as_ref()), &wants, 0) {
        Ok(())
    } else {
        Err(Refusal::Unverified("something else than the intended would have changed".to_owned()))
    }
}

/// Judges only what is wanted below the root, where all else was compared already.
pub(super) fn members_agree(before: &Document<'_>, after: &Document<'_>, wants: &Wants<'_>) -> bool {
    let judge = Judge { before: before.aliases(), after: after.aliases() };
    wants.steps.iter().all(|(step, wants)| {
        let old = before.root().and_then(|root| root.step(step));
        let new = after.root().and_then(|root| root.step(step));
        judge.agrees(old, new, wants, 1)
    })
}

struct Judge<'d, 't> {
    before: Aliases<'d, 't>,
    /// What the result is to say, it may say through aliases.
    after: Aliases<'d, 't>,
}

impl<'d, 't> Judge<'d, 't> {
    fn agrees(
        &self,
        old: Option<&'d Node<'t>>,
        new: Option<&'d Node<'t>>,
        wants: &Wants<'_>,
        level: usize,
    ) -> bool {
        match wants.leaf {
            Some(Leaf::Set(value)) => {
                return new.is_some_and(|new| self.after.says(new, value) || self.says_named(new, value));
            }
            Some(Leaf::Remove) => return new.is_none(),
            None => {}
        }
        let Some(old) = old else {
            return match (wants.value(), new) {
                (Some(value), Some(new)) => self.after.says(new, &value) || self.says_named(new, &value),
                (None, None) => true,
                _ => false,
            };
        };
        let Some(new) = new else {
            // The container went with its last member, which only one of our own making may do.
            let ours = wants.footing.is_some_and(|footing| footing.depth.is_none_or(|depth| depth < level));
            return ours
                && wants
                    .steps
                    .iter()
                    .all(|(step, wants)| self.agrees(self.before.step(old, step), None, wants, level + 1))
                && old.children().count()
                    == wants.steps.iter().filter(|(step, _)| self.before.step(old, step).is_some()).count();
        };
        match (&old.kind, &new.kind) {
            (NodeKind::Map(_), NodeKind::Map(fresh)) => {
                let (olds, news) = (by_key(old), by_key(new));
                let merges = self.after.merge_key(new);
                let touched: HashSet<&str> = wants
                    .steps
                    .iter()
                    .filter_map(|(step, _)| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
                    .collect();
                let kept = olds
                    .iter()
                    .filter(|(key, _)| !touched.contains(*key))
                    .all(|(key, old)| news.get(key).is_some_and(|new| same(old, new)));
                let wanted = wants.steps.iter().all(|(step, wants)| match step {
                    Step::Key(key) => {
                        let found = news.get(key.as_str()).copied();
                        let found = found.or_else(|| merges.and_then(|_| self.after.get(new, key)));
                        self.agrees(olds.get(key.as_str()).copied(), found, wants, level + 1)
                    }
                    Step::Item { .. } => false,
                });
                let strangers = fresh
                    .members
                    .iter()
                    .any(|m| !touched.contains(m.key.as_ref()) && !olds.contains_key(m.key.as_ref()));
                kept && wanted && !strangers
            }
            (NodeKind::List(before), NodeKind::List(after)) => {
                let touched = |aliases: &Aliases<'d, 't>, item: &'d Node<'t>| {
                    wants.steps.iter().any(|(step, _)| match step {
                        Step::Item { key, value } => aliases.text_at(item, key) == Some(value),
                        Step::Key(_) => false,
                    })
                };
                let kept: Vec<_> = before.items.iter().filter(|item| !touched(&self.before, item)).collect();
                let still: Vec<_> = after.items.iter().filter(|item| !touched(&self.after, item)).collect();
                kept.len() == still.len()
                    && kept.iter().zip(&still).all(|(a, b)| same(a, b))
                    && wants.steps.iter().all(|(step, wants)| {
                        self.agrees(self.before.step(old, step), self.after.step(new, step), wants, level + 1)
                    })
            }
            _ => false,
        }
    }

    /// An item of a list may have its name beside what was wanted of it.
    fn says_named(&self, new: &'d Node<'t>, value: &Value) -> bool {
        match (new.as_map(), value) {
            (Some(map), Value::Map(members)) if map.members.len() == members.len() + 1 => members
                .iter()
                .all(|(key, value)| new.get(key).is_some_and(|node| self.after.says(node, value))),
            _ => false,
        }
    }
}

fn by_key<'n, 't>(node: &'n Node<'t>) -> HashMap<&'n str, &'n Node<'t>> {
    node.as_map()
        .into_iter()
        .flat_map(|map| map.members.iter().map(|member| (member.key.as_ref(), &member.node)))
        .collect()
}

fn same(old: &Node<'_>, new: &Node<'_>) -> bool {
    if old.anchored != new.anchored {
        return false;
    }
    match (&old.kind, &new.kind) {
        (NodeKind::Null, NodeKind::Null) => true,
        (NodeKind::Bool(a), NodeKind::Bool(b)) => a == b,
        (NodeKind::Number(a), NodeKind::Number(b)) | (NodeKind::Other(a), NodeKind::Other(b)) => a == b,
        (NodeKind::Text(a), NodeKind::Text(b)) => a == b,
        (NodeKind::List(a), NodeKind::List(b)) => {
            a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(a, b)| same(a, b))
        }
        (NodeKind::Map(a), NodeKind::Map(b)) => {
            a.members.len() == b.members.len()
                && if a.members.iter().zip(&b.members).all(|(a, b)| a.key == b.key) {
                    a.members.iter().zip(&b.members).all(|(a, b)| same(&a.node, &b.node))
                } else {
                    let news = by_key(new);
                    a.members.iter().all(|a| news.get(a.key.as_ref()).is_some_and(|b| same(&a.node, b)))
                }
        }
        _ => false,
    }
}
