//! Fields of an entry: the way to one, and changes of it.

use crate::value::Value;

/// Literal keys, each inside the one before.
pub type KeyPath = &'static [&'static str];

/// A field of an entry that should say something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The way from the entry to the field; not empty.
    pub path: Vec<String>,
    /// What stands there afterwards; `None` for nothing.
    pub value: Option<Value>,
}

impl FieldChange {
    /// Returns the change that sets or removes the field at `path`.
    pub fn new(path: &[&str], value: Option<Value>) -> Self {
        Self { path: path.iter().map(|&key| key.to_owned()).collect(), value }
    }
}

/// Makes `entry` say what `changes` want, as an edit of its document would.
pub fn apply(entry: &mut Value, changes: &[FieldChange]) {
    for change in changes {
        let path: Vec<&str> = change.path.iter().map(String::as_str).collect();
        match &change.value {
            Some(value) => set(entry, &path, value.clone()),
            None => remove(entry, &path),
        }
    }
}

/// Returns the value at `path`.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Puts `new` at `path`; maps on the way are made where they are missing.
pub(super) fn set(value: &mut Value, path: &[&str], new: Value) {
    let Some((key, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !matches!(value, Value::Map(_)) {
        *value = Value::Map(Vec::new());
    }
    let Value::Map(members) = value else { return };
    if let Some((_, member)) = members.iter_mut().find(|(name, _)| name == key) {
        set(member, rest, new);
    } else {
        let mut member = Value::Null;
        set(&mut member, rest, new);
        members.push(((*key).to_owned(), member));
    }
}

/// Takes away what stands at `path`.
pub(super) fn remove(value: &mut Value, path: &[&str]) {
    let Value::Map(members) = value else { return };
    match path {
        [] => {}
        [key] => members.retain(|(name, _)| name != key),
        [key, rest @ ..] => {
            if let Some((_, member)) = members.iter_mut().find(|(name, _)| name == key) {
                remove(member, rest);
            }
        }
    }
}

/// Returns whether a value says something: it is there, and neither null nor empty.
pub(super) fn says_something(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(Value::List(items)) => !items.is_empty(),
        Some(Value::Map(members)) => !members.is_empty(),
        Some(_) => true,
    }
}
