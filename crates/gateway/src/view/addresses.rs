//! Where addresses lead, and which have to be told otherwise because two servers have the same (requirement C3).

use std::collections::HashMap;

use switchboard_core::mcp::public_uri::{own_uri, public_uri};
use switchboard_core::name::ServerName;

use super::{Route, template_fits};
use crate::offer::Sort;

/// The addresses of all servers of a view: what one of them is called by clients, and where that leads.
///
/// The first server in the catalogue that has an address keeps it; behind a joint face those after it have a public one.
/// An address that looks like a public one gets another in any case, so that none is ever taken for what it is not.
pub(crate) struct Addresses {
    /// The version of the view that they are of.
    pub(crate) version: u64,
    servers: Vec<ServerName>,
    is_joint: bool,
    /// Those of resources and those of templates, as clients know them.
    routes: [HashMap<String, Route>; 2],
    /// What of each server is told otherwise: whether anything is, and which of its templates.
    apart: Vec<Option<Vec<String>>>,
}

impl Addresses {
    /// Returns the addresses of these servers, none of which is told yet.
    pub(super) fn new(servers: Vec<ServerName>, is_joint: bool, version: u64) -> Self {
        let apart = vec![None; servers.len()];
        Self { version, servers, is_joint, routes: Default::default(), apart }
    }

    /// Takes in an address of a server, and returns the public one where it is not told as it is.
    pub(super) fn add(&mut self, sort: Sort, server: usize, uri: &str) -> Option<String> {
        let routes = &mut self.routes[place(sort)];
        let is_taken = own_uri(uri).is_some() || routes.contains_key(uri);
        let name = self.servers.get(server).filter(|_| self.is_joint && is_taken);
        let public = name.map(|name| public_uri(name.as_str(), uri));
        let own = public.as_ref().map(|_| uri.to_owned());
        let key = public.clone().unwrap_or_else(|| uri.to_owned());
        routes.entry(key).or_insert(Route::new(server, own));
        if let Some(apart) = self.apart.get_mut(server).filter(|_| public.is_some()) {
            let templates = apart.get_or_insert_default();
            templates.extend((sort == Sort::Templates).then(|| uri.to_owned()));
        }
        public
    }

    /// Returns where an address leads that is listed.
    pub(super) fn listed(&self, sort: Sort, uri: &str) -> Option<&Route> {
        self.routes[place(sort)].get(uri)
    }

    /// Returns where an address leads that is public. It does so whether anybody else has the same by now or not, since
    /// clients keep what they were told.
    pub(super) fn marked(&self, uri: &str) -> Option<Route> {
        let (name, own) = own_uri(uri).filter(|_| self.is_joint)?;
        let server = self.servers.iter().position(|server| server.as_str() == name)?;
        Some(Route::new(server, Some(own)))
    }

    /// Returns whether anything of a server is told otherwise.
    pub(super) fn is_apart(&self, server: usize) -> bool {
        self.apart.get(server).is_some_and(Option::is_some)
    }

    /// Returns the public address of what a server calls `uri`; `None` where clients are told the same.
    pub(crate) fn public(&self, server: usize, uri: &str) -> Option<String> {
        let templates = self.apart.get(server)?.as_ref()?;
        let public = public_uri(self.servers.get(server)?.as_str(), uri);
        if own_uri(uri).is_some() {
            return Some(public);
        }
        let is_first = self.listed(Sort::Resources, uri).is_some_and(|route| route.server == server);
        let is_its_own = || {
            self.listed(Sort::Resources, &public).is_some()
                || templates.iter().any(|template| template_fits(template, uri))
        };
        (!is_first && is_its_own()).then_some(public)
    }
}

fn place(sort: Sort) -> usize {
    usize::from(sort == Sort::Templates)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn name(at: usize) -> ServerName {
        ServerName::parse(["a", "b", "c"][at]).unwrap()
    }

    proptest! {
        #[test]
        fn whatever_servers_list_each_address_leads_back_to_whoever_has_it(
            lists in proptest::collection::vec(
                proptest::collection::btree_set("x:(switchboard~[abz]/){0,2}[pq]?", 0..6), 3,
            ),
            links in proptest::collection::vec((0..3_usize, "x:(switchboard~[abz]/){0,2}[pq]t?"), 0..6),
        ) {
            let mut addresses = Addresses::new((0..3).map(name).collect(), true, 1);
            let mut told = BTreeSet::new();
            for (at, list) in lists.iter().enumerate() {
                for uri in list {
                    let is_first = !lists[..at].iter().any(|before| before.contains(uri));
                    let public = addresses.add(Sort::Resources, at, uri);
                    prop_assert_eq!(public.is_none(), is_first && own_uri(uri).is_none(), "{}", uri);
                    prop_assert!(told.insert(public.unwrap_or_else(|| uri.clone())), "two are one: {}", uri);
                }
                addresses.add(Sort::Templates, at, "x:{id}t");
            }
            let listed = lists.iter().enumerate().flat_map(|(at, list)| list.iter().map(move |uri| (at, uri)));
            for (at, uri) in listed.chain(links.iter().map(|(at, uri)| (*at, uri))) {
                let public = addresses.public(at, uri);
                let told = public.as_deref().unwrap_or(uri);
                let leads = addresses.listed(Sort::Resources, told).cloned().or_else(|| addresses.marked(told));
                let is_its_own = lists[at].contains(uri) || public.is_some();
                if let Some(route) = leads.filter(|_| is_its_own) {
                    prop_assert_eq!((route.server, route.own.as_deref().unwrap_or(told)), (at, uri.as_str()));
                }
                prop_assert!(!lists[at].contains(uri) || addresses.listed(Sort::Resources, told).is_some());
            }
        }
    }

    #[test]
    fn behind_one_server_alone_nothing_is_marked() {
        let mut addresses = Addresses::new(vec![name(0)], false, 1);
        assert_eq!(addresses.add(Sort::Resources, 0, "x:switchboard~a/p"), None);
        assert!(addresses.marked("x:switchboard~a/p").is_none() && !addresses.is_apart(0));
        assert_eq!(addresses.public(0, "x:switchboard~a/p"), None);
    }
}
