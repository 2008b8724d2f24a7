//! What one face shows, as one value: the lists ready to be sent, and where each name leads.
//!
//! A view is made of the offers of its servers and nothing else, so that equal offers give an equal view, whatever the
//! order in which servers came up. It is exchanged whole.

mod addresses;
mod join;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use switchboard_core::catalogue::Server;
use switchboard_core::mcp::public_name::{prefix, public_name};
use switchboard_core::mcp::revision::Era;

use crate::era;
use crate::face::Face;
use crate::generation::Generation;
use crate::object::{Object, part};
use crate::offer::{Item, Offer, Sort};
use crate::public::{self, Marker, Public, Tasks};

pub(crate) use addresses::Addresses;
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
    /// The names of tools and of prompts: which server, and what it calls it.
    names: [HashMap<String, Route>; 2],
    addresses: Arc<Addresses>,
    /// How the answers of each server are told, where they are not told as they are.
    publics: Vec<Option<Arc<Public>>>,
    pub(crate) joint: bool,
}

/// Where a name leads.
#[derive(Clone)]
pub(crate) struct Route {
    /// The place of the server among those of the view.
    pub(crate) server: usize,
    /// What the server calls it; `None` where that is the same.
    pub(crate) own: Option<String>,
    /// How its answers are told, where they are not told as they are; known once the view is whole.
    pub(crate) public: Option<Arc<Public>>,
}

impl Route {
    /// Returns the way to what a server calls `own`.
    pub(crate) fn new(server: usize, own: Option<String>) -> Self {
        Self { server, own, public: None }
    }
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
        let mut addresses =
            Addresses::new(servers.iter().map(|(one, _)| one.name.clone()).collect(), joint, version);
        let [resources, templates] = [Sort::Resources, Sort::Templates].map(|sort| {
            gather(sort, &servers, |at, item| {
                let public = addresses.add(sort, at, &item.key);
                Some(public.map_or_else(|| item.raw.clone(), |public| renamed(sort, item, &public)))
            })
        });
        let addresses = Arc::new(addresses);
        let said: Vec<_> = servers.iter().map(|(generation, _)| generation.said()).collect();
        let mut names: [HashMap<String, Route>; 2] = Default::default();
        let [tools, prompts] = [Sort::Tools, Sort::Prompts].map(|sort| {
            let known = &mut names[sort.at()];
            gather(sort, &servers, |at, item| {
                let server = &said.get(at)?.server;
                let raw = named(sort, item, known, (at, server), joint.then_some(name_limit))?;
                let shown =
                    addresses.is_apart(at).then(|| public::tool(&raw, &|uri| addresses.public(at, uri)));
                Some(shown.flatten().map_or(raw, Bytes::from))
            })
        });
        let joined = Joined::of(&servers, joint);
        let publics = publics(&servers, &addresses, joint);
        let lists = [tools, prompts, resources, templates];
        Self { version, servers, joined, lists, names, addresses, publics, joint }
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

    /// Returns where a name or address leads that is listed.
    pub(crate) fn route(&self, sort: Sort, key: &str) -> Option<Route> {
        let known = match sort {
            Sort::Tools | Sort::Prompts => self.names[sort.at()].get(key),
            Sort::Resources | Sort::Templates => self.addresses.listed(sort, key),
        };
        if let Some(route) = known {
            return Some(route.clone());
        }
        if let [(generation, _)] = self.servers.as_slice()
            && !self.joint
            && (sort != Sort::Tools || generation.offers(key))
        {
            // One server as it is: it may know more than it lists, and says itself what it does not know.
            return Some(Route::new(0, None));
        }
        if self.joint && matches!(sort, Sort::Tools | Sort::Prompts) {
            return self.unprefixed(sort, key);
        }
        None
    }

    /// Returns how the answers of a server are told, where they are not told as they are.
    pub(crate) fn public(&self, server: usize) -> Option<&Arc<Public>> {
        self.publics.get(server)?.as_ref()
    }

    /// Returns how the answers of a server are told to the one whose tasks these marks bind.
    pub(crate) fn public_to(&self, server: usize, marker: &Arc<Marker>) -> Option<Arc<Public>> {
        let (generation, offer) = self.servers.get(server)?;
        let public = self.public(server).map(Arc::as_ref).cloned().unwrap_or_else(|| Public {
            name: generation.name.clone(),
            server,
            addresses: None,
            tasks: offer.as_deref().map_or(Tasks::Some, Tasks::of),
            marker: None,
        });
        Some(Arc::new(Public { marker: Some(Arc::clone(marker)), ..public }))
    }

    /// Returns the place of the server of this name.
    pub(crate) fn server(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|(generation, _)| generation.name.as_str() == name)
    }

    /// Views of MCP Apps call the tools of their own server by the names that it gave them (requirement C2).
    fn unprefixed(&self, sort: Sort, key: &str) -> Option<Route> {
        let mut owners = self.servers.iter().enumerate().filter(|(_, (generation, offer))| {
            let listed =
                offer.as_ref().is_some_and(|offer| offer.of(sort).iter().any(|item| item.key == key));
            listed && (sort != Sort::Tools || generation.offers(key))
        });
        match (owners.next(), owners.next()) {
            (Some((server, _)), None) => Some(Route::new(server, None)),
            _ => None,
        }
    }

    /// Returns where an address leads: to the server that lists it, else to the one that it is marked with, else to the one
    /// whose template fits it, else to the only one that has resources.
    pub(crate) fn owner(&self, uri: &str) -> Option<Route> {
        self.route(Sort::Resources, uri).or_else(|| self.addresses.marked(uri)).or_else(|| {
            let fits =
                |offer: &Offer| offer.of(Sort::Templates).iter().any(|item| template_fits(&item.key, uri));
            let by_template = self.with(fits);
            let scheme = uri.split(':').next();
            let same_scheme = |item: &Item| item.key.split(':').next() == scheme;
            let by_scheme = |offer: &Offer| offer.of(Sort::Resources).iter().any(same_scheme);
            let owner = by_template.or_else(|| self.with(by_scheme)).or_else(|| self.only_with("resources"));
            owner.map(|server| Route::new(server, None))
        })
    }

    /// Returns where a completion for a template leads.
    pub(crate) fn owner_of_template(&self, template: &str) -> Option<Route> {
        self.route(Sort::Templates, template).or_else(|| self.owner(template))
    }

    /// Returns the first server whose offer is like this.
    fn with(&self, like: impl Fn(&Offer) -> bool) -> Option<usize> {
        self.servers.iter().position(|(_, offer)| offer.as_deref().is_some_and(&like))
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

/// Gathers one list: each item as `told` says that clients are told of it, which may be not at all.
fn gather(sort: Sort, servers: &Servers, mut told: impl FnMut(usize, &Item) -> Option<Bytes>) -> List {
    let mut items = Vec::new();
    let mut hash = Sha256::new();
    for (at, (generation, offer)) in servers.iter().enumerate() {
        let Some(offer) = offer else { continue };
        for item in offer.of(sort) {
            if sort == Sort::Tools && !generation.offers(&item.key) {
                continue;
            }
            let Some(raw) = told(at, item) else { continue };
            hash.update((raw.len() as u64).to_be_bytes());
            hash.update(&raw);
            items.push(raw);
        }
    }
    List { items, hash: hash.finalize().into(), legacy: OnceLock::new(), modern: OnceLock::new() }
}

/// Takes in the name of an item, and returns how it is listed; `None` where another one has the name. With a limit, names
/// are prefixed.
fn named(
    sort: Sort,
    item: &Item,
    known: &mut HashMap<String, Route>,
    (at, server): (usize, &Server),
    limit: Option<usize>,
) -> Option<Bytes> {
    let public = limit
        .map(|limit| public_name(prefix(server.prefix.as_deref(), server.name.as_str()), &item.key, limit));
    let name = public.as_ref().unwrap_or(&item.key);
    if known.contains_key(name) {
        // The first in the order of the catalogue keeps the name; a reload never fails over it.
        tracing::warn!(server = server.name.as_str(), name, "a second one of this name is hidden");
        return None;
    }
    known.insert(name.clone(), Route::new(at, public.as_ref().map(|_| item.key.clone())));
    Some(public.map_or_else(|| item.raw.clone(), |public| renamed(sort, item, &public)))
}

/// Returns the object that describes an item, under another name or address.
fn renamed(sort: Sort, item: &Item, public: &str) -> Bytes {
    let known = std::str::from_utf8(&item.raw).ok().and_then(|raw| part(raw, &[sort.key()]));
    let Some(known) = known else { return item.raw.clone() };
    let place = crate::envelope::place_in(&item.raw, known);
    let public = serde_json::Value::from(public).to_string();
    crate::envelope::splice(&item.raw, &[(place, public.as_bytes())]).into()
}

/// Returns how the answers of each server are told, where they are not told as they are.
fn publics(servers: &Servers, addresses: &Arc<Addresses>, joint: bool) -> Vec<Option<Arc<Public>>> {
    let of = |(server, (generation, offer)): (usize, &(Arc<Generation>, Option<Arc<Offer>>))| {
        let tasks = offer.as_deref().map_or(Tasks::Some, Tasks::of);
        let addresses = addresses.is_apart(server).then(|| Arc::clone(addresses));
        let differs = joint && (tasks != Tasks::None || addresses.is_some());
        let name = generation.name.clone();
        differs.then(|| Arc::new(Public { name, server, addresses, tasks, marker: None }))
    };
    servers.iter().enumerate().map(of).collect()
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
