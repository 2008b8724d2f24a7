//! What one face shows, as one value: the lists ready to be sent, and where each name leads.
//!
//! A view is made of the offers of its servers and nothing else, so that equal offers give an equal view, whatever the
//! order in which servers came up. It is exchanged whole.

mod join;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use switchboard_core::mcp::public_name::{prefix, public_name};
use switchboard_core::mcp::revision::Era;

use crate::era;
use crate::face::Face;
use crate::generation::Generation;
use crate::object::Object;
use crate::offer::{Item, Offer, Sort};

pub(crate) use join::Joined;

/// What a view is made of: the servers of its face in the order of the catalogue, with what they offer.
pub(crate) type Servers = Vec<(Arc<Generation>, Option<Arc<Offer>>)>;

/// What one face shows.
pub(crate) struct View {
    /// The version of the gateway's state that it was made of.
    pub(crate) version: u64,
    pub(crate) servers: Servers,
    pub(crate) joined: Joined,
    lists: [List; 4],
    /// Names and addresses: which server, and what it calls it.
    routes: [HashMap<String, Route>; 4],
    pub(crate) joint: bool,
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The place of the server among those of the view.
    pub(crate) server: usize,
    /// What the server calls it; `None` where that is the same.
    pub(crate) own: Option<String>,
}

/// One list, ready to be sent.
struct List {
    items: Vec<Bytes>,
    /// What it is told from others by.
    hash: [u8; 32],
    legacy: OnceLock<Bytes>,
    modern: OnceLock<Bytes>,
}

impl View {
    /// Returns what a face shows of these servers.
    pub(crate) fn new(face: &Face, servers: Servers, name_limit: usize, version: u64) -> Self {
        let joint = face.is_joint();
        let mut routes: [HashMap<String, Route>; 4] = Default::default();
        let lists = Sort::ALL.map(|sort| {
            let known = &mut routes[sort.at()];
            list(sort, &servers, known, joint.then_some(name_limit))
        });
        let joined = Joined::of(&servers, joint);
        Self { version, servers, joined, lists, routes, joint }
    }

    /// Returns whether it is known of every server what it offers.
    pub(crate) fn is_known(&self) -> bool {
        self.servers.iter().all(|(_, offer)| offer.is_some())
    }

    /// Returns the result that lists one sort.
    pub(crate) fn list(&self, sort: Sort, era: Era) -> Bytes {
        let list = &self.lists[sort.at()];
        let made = match era {
            Era::Legacy => list.legacy.get_or_init(|| body(sort, &list.items, era)),
            Era::Modern => list.modern.get_or_init(|| body(sort, &list.items, era)),
        };
        made.clone()
    }

    /// Returns the items of one sort.
    pub(crate) fn items(&self, sort: Sort) -> &[Bytes] {
        &self.lists[sort.at()].items
    }

    /// Returns what one list is told from others by.
    pub(crate) fn hash(&self, sort: Sort) -> [u8; 32] {
        self.lists[sort.at()].hash
    }

    /// Returns where a name or address leads.
    pub(crate) fn route(&self, sort: Sort, key: &str) -> Option<Route> {
        if let Some(route) = self.routes[sort.at()].get(key) {
            return Some(route.clone());
        }
        if let [(generation, _)] = self.servers.as_slice()
            && !self.joint
            && (sort != Sort::Tools || generation.offers(key))
        {
            // One server as it is: it may know more than it lists, and says itself what it does not know.
            return Some(Route { server: 0, own: None });
        }
        if self.joint && matches!(sort, Sort::Tools | Sort::Prompts) {
            return self.unprefixed(sort, key);
        }
        None
    }

    /// Views of MCP Apps call the tools of their own server by the names that it gave them (requirement C2).
    fn unprefixed(&self, sort: Sort, key: &str) -> Option<Route> {
        let mut owners = self.servers.iter().enumerate().filter(|(_, (generation, offer))| {
            let listed =
                offer.as_ref().is_some_and(|offer| offer.of(sort).iter().any(|item| item.key == key));
            listed && (sort != Sort::Tools || generation.offers(key))
        });
        match (owners.next(), owners.next()) {
            (Some((server, _)), None) => Some(Route { server, own: None }),
            _ => None,
        }
    }

    /// Returns the server that an address belongs to: the one that lists it, else the one whose template fits it, else
    /// the only one that has resources.
    pub(crate) fn owner(&self, uri: &str) -> Option<usize> {
        if let Some(route) = self.route(Sort::Resources, uri) {
            return Some(route.server);
        }
        let fits = |offer: &Offer| offer.of(Sort::Templates).iter().any(|item| template_fits(&item.key, uri));
        let by_template =
            self.servers.iter().position(|(_, offer)| offer.as_ref().is_some_and(|offer| fits(offer)));
        by_template.or_else(|| {
            let scheme = uri.split(':').next().unwrap_or_default();
            let same_scheme = |item: &Item| item.key.split(':').next() == Some(scheme);
            let by_scheme = self.servers.iter().position(|(_, offer)| {
                offer.as_ref().is_some_and(|offer| offer.of(Sort::Resources).iter().any(same_scheme))
            });
            by_scheme.or_else(|| self.only_with("resources"))
        })
    }

    /// Returns the only server with this capability; `None` where there are none or several.
    pub(crate) fn only_with(&self, capability: &str) -> Option<usize> {
        let mut with = self
            .servers
            .iter()
            .enumerate()
            .filter(|(_, (_, offer))| offer.as_ref().is_some_and(|offer| offer.has(capability)));
        match (with.next(), with.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    }
}

/// Gathers one list: what a name leads to goes into `routes`. With a limit, names are prefixed.
fn list(sort: Sort, servers: &Servers, routes: &mut HashMap<String, Route>, limit: Option<usize>) -> List {
    let mut items = Vec::new();
    let mut hash = Sha256::new();
    for (at, (generation, offer)) in servers.iter().enumerate() {
        let Some(offer) = offer else { continue };
        let said = generation.said();
        let server = &said.server;
        for item in offer.of(sort) {
            if sort == Sort::Tools && !generation.offers(&item.key) {
                continue;
            }
            let named = matches!(sort, Sort::Tools | Sort::Prompts);
            let public = limit.filter(|_| named).map(|limit| {
                public_name(prefix(server.prefix.as_deref(), server.name.as_str()), &item.key, limit)
            });
            let key = public.as_deref().unwrap_or(&item.key);
            if routes.contains_key(key) {
                // The first in the order of the catalogue keeps the name; a reload never fails over it.
                tracing::warn!(
                    server = server.name.as_str(),
                    name = key,
                    "a second one of this name is hidden"
                );
                continue;
            }
            let own = public.as_ref().map(|_| item.key.clone());
            routes.insert(key.to_owned(), Route { server: at, own });
            let raw = match &public {
                Some(public) => renamed(item, public),
                None => item.raw.clone(),
            };
            hash.update((raw.len() as u64).to_be_bytes());
            hash.update(&raw);
            items.push(raw);
        }
    }
    List { items, hash: hash.finalize().into(), legacy: OnceLock::new(), modern: OnceLock::new() }
}

/// Returns the object that describes an item, under another name.
fn renamed(item: &Item, public: &str) -> Bytes {
    #[derive(serde::Deserialize)]
    struct Named<'i> {
        #[serde(borrow)]
        name: &'i serde_json::value::RawValue,
    }
    let Ok(named) = serde_json::from_slice::<Named<'_>>(&item.raw) else {
        return item.raw.clone();
    };
    let place = crate::envelope::place_in(&item.raw, named.name.get());
    let public = serde_json::Value::from(public).to_string();
    crate::envelope::splice(&item.raw, &[(place, public.as_bytes())]).into()
}

/// Returns the result that lists these items, for callers of an era.
pub(crate) fn body(sort: Sort, items: &[Bytes], era: Era) -> Bytes {
    let length: usize = items.iter().map(|item| item.len() + 1).sum();
    let mut out = Vec::with_capacity(length + 96);
    out.extend_from_slice(format!("{{\"{}\":[", sort.member()).as_bytes());
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match era {
            Era::Legacy if sort == Sort::Tools => out.extend_from_slice(&era::tool_for_legacy(item)),
            _ => out.extend_from_slice(item),
        }
    }
    out.push(b']');
    if era == Era::Modern {
        out.extend_from_slice(br#","resultType":"complete","ttlMs":0,"cacheScope":"private""#);
    }
    out.push(b'}');
    out.into()
}

/// Returns whether an address can come of a template of RFC 6570, as far as its literal parts say.
pub(crate) fn template_fits(template: &str, uri: &str) -> bool {
    let mut rest = uri;
    let mut literals = Vec::new();
    let mut tail = template;
    while let Some((literal, more)) = tail.split_once('{') {
        literals.push(literal);
        tail = more.split_once('}').map_or("", |(_, tail)| tail);
    }
    let Some((first, others)) = literals.split_first() else { return template == uri };
    let Some(stripped) = rest.strip_prefix(first) else { return false };
    rest = stripped;
    for literal in others {
        match rest.find(literal) {
            Some(at) => rest = &rest[at + literal.len()..],
            None => return false,
        }
    }
    rest.ends_with(tail)
}

/// Returns whether a text is an object with members.
pub(crate) fn says_something(object: &str) -> bool {
    Object::read(object).is_some_and(|object| !object.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fit_templates_by_their_literal_parts() {
        for (template, uri, fits) in [
            ("test://template/{id}/data", "test://template/1/data", true),
            ("test://template/{id}/data", "test://template/1/other", false),
            ("file:///{+path}", "file:///a/b", true),
            ("file:///{+path}", "http://a", false),
            ("a://b", "a://b", true),
            ("a://b", "a://bc", false),
            ("{scheme}://x", "y://x", true),
            ("a{", "ab", true),
        ] {
            assert_eq!(template_fits(template, uri), fits, "{template} {uri}");
        }
    }
}
