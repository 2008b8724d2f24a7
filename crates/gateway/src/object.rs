//! One JSON object, taken apart into members and put together again; the members stay as they were written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object's members, in order. Values are borrowed as they stand; a key that stands twice stands twice here.
#[derive(Debug, Default)]
pub(crate) struct Object<'m>(Vec<(String, Member<'m>)>);

#[derive(Debug)]
enum Member<'m> {
    Read(&'m RawValue),
    Made(String),
}

impl<'m> Object<'m> {
    /// Reads an object; `None` where `text` is none.
    pub(crate) fn read(text: &'m str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns the last member with this name, as it is written.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        let (_, member) = self.0.iter().rev().find(|(key, _)| key == name)?;
        Some(match member {
            Member::Read(raw) => raw.get(),
            Member::Made(text) => text,
        })
    }

    /// Returns the names of the members, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Returns the members, in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, member)| {
            let text = match member {
                Member::Read(raw) => raw.get(),
                Member::Made(text) => text.as_str(),
            };
            (key.as_str(), text)
        })
    }

    /// Takes a member out, and says whether it was there.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(key, _)| key != name);
        self.0.len() < before
    }

    /// Has a member say `value`, which is JSON; where there is none it becomes the last.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let made = Member::Made(value.into());
        match self.0.iter_mut().rev().find(|(key, _)| key == name) {
            Some((_, member)) => *member = made,
            None => self.0.push((name.to_owned(), made)),
        }
    }

    /// Returns whether there is no member.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns what stands at the end of a path of members, where it stands in `text`: of two of one name the last.
pub(crate) fn part<'m>(text: &'m str, path: &[&str]) -> Option<&'m str> {
    let mut at = text.trim_start();
    for name in path {
        let members: Object<'m> =
            if at.starts_with('{') { serde_json::from_str(at).ok()? } else { return None };
        let (_, member) = members.0.into_iter().rev().find(|(key, _)| key == name)?;
        let Member::Read(raw) = member else { return None };
        at = raw.get();
    }
    Some(at)
}

/// Writes the object as JSON.
impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (key, value)) in self.members().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}:{value}", serde_json::Value::from(key))?;
        }
        f.write_str("}")
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((key, Member::Read(value)));
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_exchanged_and_the_others_stay_as_they_were_written() {
        let text = r#"{ "a" : 1.0, "b":"\ud800", "c": [1, 2], "a":2 }"#;
        let mut object = Object::read(text).unwrap();
        assert_eq!(object.member("a"), Some("2"));
        object.set("c", "null");
        object.set("d", "{}");
        assert_eq!(object.to_string(), r#"{"a":1.0,"b":"\ud800","c":null,"a":2,"d":{}}"#);
        assert!(object.remove("a") && !object.remove("x"));
        assert_eq!(object.to_string(), r#"{"b":"\ud800","c":null,"d":{}}"#);
        assert!(Object::read("[]").is_none() && Object::read("{}").unwrap().is_empty());
    }

    #[test]
    fn a_path_leads_to_what_it_names_or_to_nothing() {
        let text = r#" {"a":{"b":1.0,"b":[2]},"c":"x"}"#;
        for (path, found) in [
            (&["a", "b"][..], Some("[2]")),
            (&["c"], Some("\"x\"")),
            (&["c", "b"], None),
            (&["a", "x"], None),
            (&["a", "b", "c"], None),
        ] {
            assert_eq!(part(text, path), found, "{path:?}");
        }
        assert_eq!(part("[1]", &["a"]), None);
    }
}
