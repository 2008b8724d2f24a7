//! The spots of one message that are exchanged.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::envelope::{place_in, splice};
use crate::object::part;

/// The spots of one message that are exchanged, as they are found.
pub(super) struct Spots<'m> {
    whole: &'m [u8],
    found: Vec<(Range<usize>, String)>,
}

impl<'m> Spots<'m> {
    /// Returns the spots of a message of which none was found.
    pub(super) fn of(whole: &'m [u8]) -> Self {
        Self { whole, found: Vec::new() }
    }

    /// Returns whether the message may have such a member, wherever.
    pub(super) fn may_have(&self, name: &str) -> bool {
        memchr::memmem::find(self.whole, name.as_bytes()).is_some()
    }

    /// Has the text at the end of a path within `object`, which is part of the message, be what `new` makes of it; where
    /// that is nothing, or there is no text, it stays.
    pub(super) fn at(&mut self, object: &'m str, path: &[&str], new: &dyn Fn(&str) -> Option<String>) {
        let Some(spot) = part(object, path) else { return };
        let said = serde_json::from_str::<String>(spot).ok();
        if let Some(new) = said.and_then(|said| new(&said)) {
            self.found.push((place_in(self.whole, spot), serde_json::Value::from(new).to_string()));
        }
    }

    /// Returns the message with all of them exchanged; `None` where there are none.
    pub(super) fn spliced(mut self) -> Option<Vec<u8>> {
        self.found.sort_by_key(|(place, _)| place.start);
        let edits: Vec<_> = self.found.iter().map(|(place, new)| (place.clone(), new.as_bytes())).collect();
        (!edits.is_empty()).then(|| splice(self.whole, &edits))
    }
}

/// Returns the items of a member: of an array each, else the one that it is.
pub(super) fn each<'m>(object: &'m str, name: &str) -> Vec<&'m str> {
    match part(object, &[name]) {
        Some(list) if list.starts_with('[') => {
            let items: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
            items.into_iter().map(RawValue::get).collect()
        }
        one => one.into_iter().collect(),
    }
}
