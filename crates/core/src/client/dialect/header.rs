//! Headers: as texts, and from variables where a client has keys of their own for that.

use std::collections::BTreeMap;

use super::draft::{Draft, list_like, map_like, set_or_clear};
use super::field::{at, says_something};
use super::read::{EntryProblem, malformed, read_texts, read_texts_by_name, wrong_kind};
use super::variables::env_name;
use super::{EnvHeaders, HeaderHand, Spelling};
use crate::value::Value;

/// The header that a bearer token stands in.
const AUTHORIZATION: &str = "Authorization";

/// What stands before the token there.
const BEARER: &str = "Bearer ";

impl Spelling {
    /// Returns the headers that an entry asks for; those from variables as `${env:NAME}`.
    pub(super) fn read_headers(&self, entry: &Value) -> Result<BTreeMap<String, String>, EntryProblem> {
        let mut headers = match self.headers_key(entry) {
            Some(key) => read_headers(key, at(entry, key))?,
            None => BTreeMap::new(),
        };
        if let Some(keys) = self.env_headers {
            for (name, variable) in keys.read_map(entry)? {
                headers.insert(name, format!("${{env:{variable}}}"));
            }
            if let Some(variable) = keys.read_bearer(entry)? {
                headers.insert(AUTHORIZATION.to_owned(), format!("{BEARER}${{env:{variable}}}"));
            }
        }
        Ok(headers)
    }

    /// Makes the entry ask for these headers.
    pub(super) fn write_headers(&self, draft: &mut Draft, headers: &BTreeMap<String, String>) {
        if self.read_headers(&draft.entry).as_ref() == Ok(headers) {
            return;
        }
        match self.env_headers {
            Some(keys) => {
                let mut plain = headers.clone();
                keys.write(draft, &mut plain);
                self.write_plain(draft, &plain);
            }
            None => self.write_plain(draft, headers),
        }
    }

    fn write_plain(&self, draft: &mut Draft, headers: &BTreeMap<String, String>) {
        let path = self.headers_key(&draft.entry).unwrap_or(self.headers);
        let found = at(&draft.entry, path);
        if read_headers(path, found).as_ref() == Ok(headers) {
            return;
        }
        let value = match self.header_hand {
            HeaderHand::Map => map_like(found, headers),
            HeaderHand::Lines => {
                let lines: Vec<String> =
                    headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                list_like(found, &lines)
            }
        };
        if !headers.is_empty() {
            draft.set(path, value);
            return;
        }
        // Each key may hide another that the client reads as well.
        while let Some(key) =
            self.headers_key(&draft.entry).filter(|key| says_something(at(&draft.entry, key)))
        {
            draft.remove(key);
        }
    }
}

impl EnvHeaders {
    fn read_map(self, entry: &Value) -> Result<BTreeMap<String, String>, EntryProblem> {
        read_texts_by_name(&[self.map], entry.get(self.map))
    }

    fn read_bearer(self, entry: &Value) -> Result<Option<String>, EntryProblem> {
        match entry.get(self.bearer) {
            Some(Value::Text(name)) if !name.is_empty() => Ok(Some(name.clone())),
            value if !says_something(value) => Ok(None),
            Some(other) => Err(wrong_kind(&[self.bearer], other, "a text")),
            None => Ok(None),
        }
    }

    /// Takes those of `headers` that come from variables out, and writes them under the keys for that.
    fn write(self, draft: &mut Draft, headers: &mut BTreeMap<String, String>) {
        let mut bearer = None;
        let mut map = BTreeMap::new();
        headers.retain(|name, value| {
            let token = value.strip_prefix(BEARER).filter(|_| name == AUTHORIZATION).and_then(env_name);
            if let Some(variable) = token {
                bearer = Some(variable.to_owned());
            } else if let Some(variable) = env_name(value) {
                map.insert(name.clone(), variable.to_owned());
            } else {
                return true;
            }
            false
        });
        if self.read_bearer(&draft.entry).as_ref() != Ok(&bearer) {
            match bearer {
                Some(variable) => draft.set(&[self.bearer], Value::Text(variable)),
                None => draft.remove(&[self.bearer]),
            }
        }
        if self.read_map(&draft.entry).as_ref() != Ok(&map) {
            let value = map_like(draft.entry.get(self.map), &map);
            set_or_clear(draft, &[self.map], value);
        }
    }
}

/// Reads headers, written either way.
pub(super) fn read_headers(
    path: &[&str],
    value: Option<&Value>,
) -> Result<BTreeMap<String, String>, EntryProblem> {
    if !matches!(value, Some(Value::List(_))) {
        return read_texts_by_name(path, value);
    }
    let split = |line: String| match line.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(malformed(format!("`{}` has a line without a colon", path.join(".")))),
    };
    read_texts(path, value)?.into_iter().map(split).collect()
}
