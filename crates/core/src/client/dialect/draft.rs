//! An entry under change.

use std::collections::BTreeMap;

use super::field::{FieldChange, at, remove, says_something, set};
use super::read::spelt;
use crate::value::Value;

/// An entry under change: what it says by now, and how it got there.
pub(super) struct Draft {
    pub(super) entry: Value,
    changes: Vec<FieldChange>,
}

impl Draft {
    pub(super) fn new(entry: Value) -> Self {
        Self { entry, changes: Vec::new() }
    }

    /// Sets a text in front of the other changes: people look for the transport first.
    pub(super) fn lead(&mut self, path: &[&str], text: &str) {
        if at(&self.entry, path).and_then(Value::as_text) != Some(text) {
            self.set(path, Value::text(text));
            self.changes.rotate_right(1);
        }
    }

    pub(super) fn set(&mut self, path: &[&str], value: Value) {
        set(&mut self.entry, path, value.clone());
        self.changes.push(FieldChange::new(path, Some(value)));
    }

    pub(super) fn remove(&mut self, path: &[&str]) {
        if at(&self.entry, path).is_some() {
            remove(&mut self.entry, path);
            self.changes.push(FieldChange::new(path, None));
        }
    }

    /// Removes what says something; an empty list or map does no harm and may be the user's own.
    pub(super) fn clear(&mut self, path: &[&str]) {
        if says_something(at(&self.entry, path)) {
            self.remove(path);
        }
    }

    /// Returns the changes; a map that lost its last member to them goes as a whole.
    pub(super) fn finish(self) -> Vec<FieldChange> {
        let Self { entry, changes } = self;
        let emptied = |change: &FieldChange| match change.path.as_slice() {
            [outer, _] => entry.get(outer) == Some(&Value::Map(Vec::new())),
            _ => false,
        };
        let mut finished: Vec<FieldChange> = Vec::with_capacity(changes.len());
        for mut change in changes {
            if emptied(&change) {
                change = FieldChange { path: change.path[..1].to_vec(), value: None };
            }
            if !finished.contains(&change) {
                finished.push(change);
            }
        }
        finished
    }
}

/// Sets a field, or removes it where there is nothing to say.
pub(super) fn set_or_clear(draft: &mut Draft, path: &[&str], value: Value) {
    if says_something(Some(&value)) {
        draft.set(path, value);
    } else {
        draft.remove(path);
    }
}

/// Returns `wanted` as a list; items that say the same already keep their spelling.
pub(super) fn list_like(found: Option<&Value>, wanted: &[String]) -> Value {
    let old = match found {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let item = |(at, text): (usize, &String)| keep_or_text(old.get(at), text);
    Value::List(wanted.iter().enumerate().map(item).collect())
}

/// Returns `wanted` as a map in the order found; members that say the same already keep their spelling.
pub(super) fn map_like(found: Option<&Value>, wanted: &BTreeMap<String, String>) -> Value {
    let old = match found {
        Some(Value::Map(members)) => members.as_slice(),
        _ => &[],
    };
    let kept = old.iter().filter_map(|(key, value)| Some((key, Some(value), wanted.get(key)?)));
    let added = wanted.iter().filter(|(key, _)| !old.iter().any(|(name, _)| name == *key));
    let added = added.map(|(key, text)| (key, None, text));
    Value::Map(kept.chain(added).map(|(key, old, text)| (key.clone(), keep_or_text(old, text))).collect())
}

fn keep_or_text(old: Option<&Value>, text: &str) -> Value {
    match old {
        Some(old) if spelt(old).as_deref() == Some(text) => old.clone(),
        _ => Value::text(text),
    }
}
