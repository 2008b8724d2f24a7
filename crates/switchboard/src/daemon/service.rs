//! The servers in service, from the daemon's side: what the catalogue says of them, carried to the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::{Catalogue, Server};
use switchboard_core::flow::{Event, Versions};
use switchboard_core::name::ServerName;
use switchboard_core::problem::Problem;
use switchboard_core::select::select;
use switchboard_core::settings::Settings;
use switchboard_gateway::face::Face;
use switchboard_gateway::offer::Offer;
use switchboard_gateway::{Gateway, Options};
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::facts::Standing;
use super::feeds::Feeds;
use super::gateway::version;
use super::inbox::Inbox;
use super::policing::{Policed, Policing};
use super::react::DRAIN;
use crate::approval::quoted;
use crate::home::Home;

/// The servers in service.
pub(crate) struct Service {
    gateway: Gateway,
    policing: Policing,
    feeds: Feeds,
    inbox: Inbox,
    handle: Handle,
    /// The servers of the catalogue that are enabled, in its order.
    servers: Vec<Arc<Server>>,
    profiles: BTreeMap<String, Vec<ServerName>>,
    /// Every version that was started and has not gone, as the catalogue said it then.
    known: BTreeMap<(ServerName, String), Arc<Server>>,
    /// The versions of servers that do not answer, and why.
    troubles: BTreeMap<(ServerName, String), String>,
}

impl Service {
    /// Returns a service without servers.
    pub(crate) fn new(
        gateway: Gateway,
        policing: Policing,
        feeds: Feeds,
        inbox: Inbox,
        handle: Handle,
    ) -> Self {
        Self {
            gateway,
            policing,
            feeds,
            inbox,
            handle,
            servers: Vec::new(),
            profiles: BTreeMap::new(),
            known: BTreeMap::new(),
            troubles: BTreeMap::new(),
        }
    }

    /// Takes in what the catalogue and the settings say now.
    pub(crate) fn read(&mut self, catalogue: &Catalogue, settings: &Settings) {
        let own = &settings.gateway;
        self.gateway.set_options(Options {
            drain: own.drain,
            name_limit: own.name_limit,
            reload_tool: own.reload_tool,
        });
        self.servers =
            catalogue.servers().iter().filter(|server| server.enabled).cloned().map(Arc::new).collect();
        self.profiles = catalogue
            .profiles
            .keys()
            .map(|name| {
                let chosen = select(catalogue, &[format!("profile:{name}")]);
                (name.clone(), chosen.into_iter().map(|server| server.name.clone()).collect())
            })
            .collect();
        self.troubles.retain(|(name, _), _| self.servers.iter().any(|server| server.name == *name));
    }

    /// Takes in what callers of their tools are held to now. Returns what stands in the files, and what is wrong.
    pub(crate) fn police(&mut self, home: &Home, is_gone: bool, settings: &Arc<Settings>) -> Policed {
        self.policing.read(home, is_gone, settings, &self.gateway)
    }

    /// Returns what servers offer as the catalogue has them now, as far as that is known: what is in service may still be
    /// the version before.
    pub(crate) fn offers(&self, servers: &BTreeSet<ServerName>) -> BTreeMap<ServerName, Arc<Offer>> {
        let told = self.servers.iter().filter(|server| servers.contains(&server.name));
        let known = |server: &Arc<Server>| {
            Some((server.name.clone(), self.gateway.offer(&server.name, &version(server))?))
        };
        told.filter_map(known).collect()
    }

    /// Returns how the servers stand.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        self.gateway.seen().into_iter().map(Standing::from).collect()
    }

    /// Returns the version of each server that is to be in service.
    pub(crate) fn versions(&self) -> Versions {
        self.servers.iter().map(|server| (server.name.clone(), version(server))).collect()
    }

    /// Returns what stands for everything else that is said of them.
    pub(crate) fn said(&self) -> String {
        let settled = |server: &Arc<Server>| {
            // Where it stands in the file is nothing that it says.
            let place = switchboard_core::place::Place { line: 0, column: 0 };
            format!("{:?}", Server { place, ..Server::clone(server) })
        };
        let all: Vec<String> = self.servers.iter().map(settled).collect();
        format!("{all:?} {:?}", self.profiles)
    }

    /// Has a version be started beside what is in service.
    pub(crate) fn start(&mut self, name: &ServerName, wanted: &str) -> Event {
        if let Some(server) = self.servers.iter().find(|server| server.name == *name) {
            let key = (name.clone(), wanted.to_owned());
            self.known.insert(key.clone(), Arc::clone(server));
            let inbox = self.inbox.clone();
            self.gateway.start(Arc::clone(server), wanted.to_owned(), move |came| {
                let key = key.clone();
                inbox.put(|waiting| drop(waiting.came.insert(key, came)));
            });
        }
        Event::Started(name.clone(), wanted.to_owned())
    }

    /// Takes note of a version that answers, or does not. Of one that is wanted no more, nobody wants to know.
    pub(crate) fn came(&mut self, name: &ServerName, version: &str, came: Result<(), String>) {
        let key = (name.clone(), version.to_owned());
        if !self.known.contains_key(&key) {
            return;
        }
        match came {
            Ok(()) => {
                if self.troubles.remove(&key).is_some() {
                    info!(server = name.as_str(), "answers again");
                }
            }
            Err(why) => {
                warn!(server = name.as_str(), error = why, "could not be brought up");
                self.troubles.insert(key, why);
            }
        }
    }

    /// Puts versions in service, in the order of the catalogue.
    pub(crate) fn publish(&mut self, table: &Versions) -> Event {
        let said = self.said();
        let chosen: Vec<(Arc<Server>, String)> = self
            .servers
            .iter()
            .filter_map(|server| {
                let chosen = table.get(&server.name)?;
                // The old version goes on as the catalogue said it then.
                let as_known = if *chosen == version(server) {
                    Arc::clone(server)
                } else {
                    Arc::clone(self.known.get(&(server.name.clone(), chosen.clone()))?)
                };
                Some((as_known, chosen.clone()))
            })
            .collect();
        self.gateway.publish(&chosen, self.profiles.clone());
        // Only what is in service can be told what it offers.
        self.feeds.follow(&chosen);
        Event::Published(table.clone(), said)
    }

    /// Has a version go once its calls have ended.
    pub(crate) fn retire(&mut self, name: &ServerName, version: &str) -> Event {
        self.gateway.retire(name, version);
        let key = (name.clone(), version.to_owned());
        self.known.remove(&key);
        self.troubles.remove(&key);
        Event::Retired(name.clone(), version.to_owned())
    }

    /// Returns what is wrong with servers.
    pub(crate) fn problems(&self) -> Vec<(String, Problem)> {
        let told = |(name, why): (&ServerName, &String)| {
            let problem = Problem::warning(why)
                .help(format!("see `switchboard server show {}`", quoted(name.as_str())));
            (format!("[servers.{name}]"), problem)
        };
        let waits = |call: switchboard_gateway::policy::Waiting| {
            let what = format!("{} of {} waits for somebody to agree", call.tool.escape_debug(), call.server);
            let help = "see the calls that wait with `switchboard policy pending`";
            (format!("call {}", call.number), Problem::warning(what).help(help))
        };
        let waiting = self.gateway.waiting().into_iter().map(waits);
        // What did not come up, and what was in service and cannot be had any more.
        let mut down: BTreeMap<ServerName, String> = self.gateway.troubles().into_iter().collect();
        for ((name, _), why) in &self.troubles {
            let goes_on = !down.contains_key(name) && self.gateway.has(&Face::server(name.clone()));
            let after = if goes_on { "; the version before goes on" } else { "" };
            down.entry(name.clone()).or_insert_with(|| format!("{why}{after}"));
        }
        down.iter().map(told).chain(self.feeds.problems()).chain(waiting).collect()
    }

    /// Tries servers again that could not be had.
    pub(crate) fn try_again(&self) {
        self.gateway.again();
    }

    /// Tries feeds again that were given up.
    pub(crate) fn listen_again(&self) {
        self.feeds.again();
    }

    /// Returns whether a feed was given up, so that what its server offers may not be known.
    pub(crate) fn misses_feed(&self) -> bool {
        !self.feeds.problems().is_empty()
    }

    /// Ends the servers that cannot run twice, for whoever is to start them next: calls in flight have until `limit`.
    pub(crate) fn close_exclusive(&self, limit: Duration) {
        self.handle.block_on(self.gateway.end_exclusive(limit));
    }

    /// Ends all servers: calls in flight have a while to end.
    pub(crate) fn close(self) {
        let Self { gateway, feeds, handle, .. } = self;
        drop(feeds);
        handle.block_on(gateway.end(DRAIN));
    }
}
