//! What one server offers, as it was last discovered: the bytes that it sent, item by item.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use switchboard_core::mcp::revision::Era;

use crate::envelope::text;
use crate::object::Object;

/// What kinds of things a server offers in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Tools.
    Tools,
    /// Prompts.
    Prompts,
    /// Resources.
    Resources,
    /// Templates of resources.
    Templates,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// Returns the method that lists them.
    pub fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// Returns the member of a result that holds them.
    pub fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// Returns the capability without which there are none.
    pub fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// Returns the member of an item by which it is known.
    pub fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// Returns the sort that a method lists.
    pub fn listed_by(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.method() == method)
    }

    /// Returns the sorts that a notification says have changed.
    pub fn changed_by(method: &str) -> &'static [Self] {
        match method {
            "notifications/tools/list_changed" => &[Self::Tools],
            "notifications/prompts/list_changed" => &[Self::Prompts],
            "notifications/resources/list_changed" => &[Self::Resources, Self::Templates],
            _ => &[],
        }
    }

    pub(crate) fn at(self) -> usize {
        match self {
            Self::Tools => 0,
            Self::Prompts => 1,
            Self::Resources => 2,
            Self::Templates => 3,
        }
    }
}

/// The capabilities of a server of which nothing is known but its tools.
const TOOLS: &str = r#"{"tools":{}}"#;

/// One thing that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is known by: a name or an address.
    pub key: String,
    /// The object that describes it, as the server wrote it.
    pub raw: Bytes,
}

/// What one server offers.
#[derive(Clone, Debug)]
pub struct Offer {
    /// How the server speaks.
    pub era: Era,
    /// The revision that it speaks.
    pub revision: String,
    /// Its capabilities, as it wrote them.
    pub capabilities: String,
    /// Who it is (`serverInfo`), as it wrote it.
    pub info: Option<String>,
    /// What it says about its use, as a JSON text.
    pub instructions: Option<String>,
    /// What it offers, by [`Sort`].
    pub items: [Vec<Item>; 4],
    /// The hash over all of it.
    pub hash: String,
}

impl Offer {
    /// Returns an offer with its hash.
    pub(crate) fn new(
        era: Era,
        revision: String,
        capabilities: String,
        info: Option<String>,
        instructions: Option<String>,
        items: [Vec<Item>; 4],
    ) -> Self {
        let mut offer = Self { era, revision, capabilities, info, instructions, items, hash: String::new() };
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&offer.stored()).unwrap_or_default());
        offer.hash = hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        offer
    }

    /// Returns what is known of a server that was not spoken with, and of which somebody else says that it has these tools.
    pub(crate) fn hearsay(tools: Vec<Item>) -> Self {
        let items = [tools, Vec::new(), Vec::new(), Vec::new()];
        Self::new(Era::Legacy, String::new(), TOOLS.to_owned(), None, None, items)
    }

    /// Returns whether only its tools are known, and those from somebody else: how it speaks and what else it offers is not.
    pub fn is_hearsay(&self) -> bool {
        self.revision.is_empty()
    }

    /// Returns the offer with other tools.
    pub(crate) fn with_tools(&self, tools: Vec<Item>) -> Self {
        let Self { era, revision, mut capabilities, info, instructions, mut items, .. } = self.clone();
        items[Sort::Tools.at()] = tools;
        if !self.has(Sort::Tools.capability())
            && let Some(mut all) = Object::read(&self.capabilities)
        {
            all.set(Sort::Tools.capability(), "{}");
            capabilities = all.to_string();
        }
        Self::new(era, revision, capabilities, info, instructions, items)
    }

    /// Returns the items of one sort.
    pub fn of(&self, sort: Sort) -> &[Item] {
        &self.items[sort.at()]
    }

    /// Returns whether the server has this capability.
    pub fn has(&self, capability: &str) -> bool {
        Object::read(&self.capabilities).is_some_and(|all| all.member(capability).is_some())
    }

    /// Returns the offer as JSON, to be kept.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.stored()).unwrap_or_default()
    }

    /// Returns the offer that [`Offer::to_json`] wrote; `None` where it is none.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let stored: Stored<'_> = serde_json::from_slice(bytes).ok()?;
        let lists = [stored.tools, stored.prompts, stored.resources, stored.templates];
        let mut items: [Vec<Item>; 4] = Default::default();
        for ((sort, list), into) in Sort::ALL.into_iter().zip(lists).zip(&mut items) {
            into.extend(list.into_iter().filter_map(|raw| item(sort, raw.get())));
        }
        let own = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        Some(Self::new(
            Era::of(&stored.revision)?,
            stored.revision,
            stored.capabilities.get().to_owned(),
            own(stored.info),
            own(stored.instructions),
            items,
        ))
    }

    fn stored(&self) -> Stored<'_> {
        let list = |sort: Sort| {
            let raw = |item| raw(std::str::from_utf8(&Item::raw(item)[..]).ok()?);
            self.of(sort).iter().filter_map(raw).collect()
        };
        Stored {
            revision: self.revision.clone(),
            capabilities: raw(&self.capabilities).unwrap_or(RawValue::NULL),
            info: self.info.as_deref().and_then(raw),
            instructions: self.instructions.as_deref().and_then(raw),
            tools: list(Sort::Tools),
            prompts: list(Sort::Prompts),
            resources: list(Sort::Resources),
            templates: list(Sort::Templates),
        }
    }
}

impl Item {
    fn raw(item: &Self) -> &Bytes {
        &item.raw
    }
}

fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}

/// Returns the item that an object describes; `None` where it has no name or address.
pub(crate) fn item(sort: Sort, raw: &str) -> Option<Item> {
    let key = Object::read(raw)?;
    let key: &RawValue = serde_json::from_str(key.member(sort.key())?).ok()?;
    Some(Item { key: text(Some(key))?.into_owned(), raw: Bytes::copy_from_slice(raw.as_bytes()) })
}

/// An offer as it is kept.
#[derive(Serialize, Deserialize)]
struct Stored<'o> {
    revision: String,
    #[serde(borrow)]
    capabilities: &'o RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    info: Option<&'o RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    instructions: Option<&'o RawValue>,
    #[serde(borrow, default)]
    tools: Vec<&'o RawValue>,
    #[serde(borrow, default)]
    prompts: Vec<&'o RawValue>,
    #[serde(borrow, default)]
    resources: Vec<&'o RawValue>,
    #[serde(borrow, default)]
    templates: Vec<&'o RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_kept_and_comes_back_as_it_was() {
        let tool = r#"{"name":"a","x-unknown":[1.0, 1e400],"inputSchema":{"type":"object"}}"#;
        let items = [vec![item(Sort::Tools, tool).unwrap()], vec![], vec![], vec![]];
        let offer = Offer::new(
            Era::Legacy,
            "2025-11-25".to_owned(),
            r#"{"tools":{"listChanged":true}}"#.to_owned(),
            Some(r#"{"name":"s","version":"1"}"#.to_owned()),
            None,
            items,
        );
        let back = Offer::from_json(&offer.to_json()).unwrap();
        assert_eq!(back.hash, offer.hash);
        assert_eq!(back.of(Sort::Tools)[0].raw, tool);
        assert!(back.has("tools") && !back.has("prompts"));
        assert!(Offer::from_json(b"{}").is_none() && Offer::from_json(b"").is_none());
    }

    #[test]
    fn other_tools_leave_the_rest_as_it_was() {
        let of = |capabilities: &str, sort: Sort, raw: &str| {
            let mut items: [Vec<Item>; 4] = Default::default();
            items[sort.at()].push(item(sort, raw).unwrap());
            Offer::new(Era::Legacy, "2025-06-18".to_owned(), capabilities.to_owned(), None, None, items)
        };
        let tools = || vec![item(Sort::Tools, r#"{"name":"new"}"#).unwrap()];
        for (capabilities, expected) in [
            (r#"{"tools":{"listChanged":true}}"#, r#"{"tools":{"listChanged":true}}"#),
            (r#"{"prompts":{}}"#, r#"{"prompts":{},"tools":{}}"#),
        ] {
            let offer = of(capabilities, Sort::Prompts, r#"{"name":"p"}"#).with_tools(tools());
            assert_eq!((offer.capabilities.as_str(), offer.of(Sort::Prompts).len()), (expected, 1));
            assert_eq!(offer.of(Sort::Tools)[0].key, "new");
            assert!(!offer.is_hearsay());
        }
        let before = of(TOOLS, Sort::Tools, r#"{"name":"new"}"#);
        assert_eq!(before.with_tools(tools()).hash, before.hash, "the same is no news");
        assert!(Offer::hearsay(tools()).is_hearsay());
    }

    #[test]
    fn what_has_no_name_is_no_item() {
        for raw in ["{}", r#"{"name":7}"#, "[]", r#"{"name":"\ud800"}"#] {
            assert_eq!(item(Sort::Tools, raw), None, "{raw}");
        }
    }
}
