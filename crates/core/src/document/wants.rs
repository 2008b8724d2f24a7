//! Changes, gathered into a tree over the document's own.
//!
//! The tree is walked together with the document to make the edits, and it judges the result.

use std::collections::HashMap;

use super::{Change, Footing, Step};
use crate::value::Value;

/// What changes want of one place and of those below it.
#[derive(Debug, Default)]
pub(super) struct Wants<'c> {
    /// What is wanted of this very place.
    pub(super) leaf: Option<Leaf<'c>>,
    /// What is wanted of the places below.
    pub(super) steps: Vec<(&'c Step, Wants<'c>)>,
    index: HashMap<&'c Step, usize>,
    /// Of all removals below: containers at this depth or deeper were made by us.
    pub(super) footing: Option<&'c Footing>,
}

/// What is wanted of one place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaf<'c> {
    /// It says this.
    Set(&'c Value),
    /// Nothing stands there.
    Remove,
}

impl<'c> Wants<'c> {
    /// Gathers changes.
    pub(super) fn of(changes: &'c [Change]) -> Self {
        let mut root = Self::default();
        for change in changes {
            let mut wants = &mut root;
            let (leaf, footing) = match change {
                Change::Set { value, .. } => (Leaf::Set(value), None),
                Change::Remove { footing, .. } => (Leaf::Remove, footing.as_ref()),
            };
            for step in change.path() {
                wants.footing = wants.footing.or(footing);
                let next = *wants.index.entry(step).or_insert_with(|| {
                    wants.steps.push((step, Wants::default()));
                    wants.steps.len() - 1
                });
                wants = &mut wants.steps[next].1;
            }
            wants.leaf = Some(leaf);
        }
        root
    }

    /// What the wants say of a place where nothing stands yet; `None` when they only remove.
    pub(super) fn value(&self) -> Option<Value> {
        match self.leaf {
            Some(Leaf::Set(value)) => return Some(value.clone()),
            Some(Leaf::Remove) => return None,
            None => {}
        }
        let mut members = Vec::new();
        let mut items = Vec::new();
        for (step, wants) in &self.steps {
            match (step, wants.value()) {
                (Step::Key(key), Some(value)) => members.push((key.clone(), value)),
                (Step::Item { key, value: name }, Some(value)) => items.push(named(key, name, value)),
                (_, None) => {}
            }
        }
        match (members.is_empty(), items.is_empty()) {
            (true, true) => None,
            (false, _) => Some(Value::Map(members)),
            (true, false) => Some(Value::List(items)),
        }
    }
}

/// An item says its name first.
pub(super) fn named(key: &str, name: &str, value: Value) -> Value {
    match value {
        Value::Map(mut members) if !members.iter().any(|(member, _)| member == key) => {
            members.insert(0, (key.to_owned(), Value::text(name)));
            Value::Map(members)
        }
        other => other,
    }
}
