//! A small world outside of the daemon, in which plans are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::*;
use super::{id, server};
use crate::name::{ClientId, ServerName};

/// What stands outside of the daemon.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) revision: u64,
    pub(super) doors: u64,
    pub(super) clients: BTreeSet<&'static str>,
    /// Another process holds the home.
    pub(super) held: bool,
    /// Clients whose files cannot be written.
    pub(super) stuck: BTreeSet<&'static str>,
    /// The revision that each client's file has.
    pub(super) files: BTreeMap<ClientId, u64>,
    pub(super) announced: Vec<u64>,
    pub(super) watched: BTreeSet<ClientId>,
    pub(super) open: u64,
    /// The servers that the catalogue has, each with the number of its version.
    pub(super) wanted: BTreeMap<&'static str, u64>,
    /// Servers that never answer.
    pub(super) dead: BTreeSet<&'static str>,
    /// The versions that run.
    pub(super) running: BTreeSet<(ServerName, String)>,
    /// The versions that calls find.
    pub(super) table: Versions,
    /// Servers that have told of something new, which is not in the registry yet.
    pub(super) unrecorded: BTreeSet<ServerName>,
    /// How much was put into the registry.
    pub(super) recorded: u64,
    /// The revision, and how much was in the registry, when the policy was last brought up to date.
    pub(super) judged: (u64, u64),
    /// Every name that calls could not find though it was served before and is still wanted.
    pub(super) gaps: Vec<ServerName>,
}

impl World {
    pub(super) fn reading(&self) -> Reading {
        let client = Client { auto: true, settings: String::new() };
        Reading {
            revision: self.revision,
            doors: self.doors.to_string(),
            clients: self.clients.iter().map(|name| (id(name), client.clone())).collect(),
            servers: self.wanted.iter().map(|(name, version)| (server(name), version.to_string())).collect(),
            service: String::new(),
            policy: self.revision.to_string(),
        }
    }

    /// Does what a plan says, in the order of its fields.
    pub(super) fn carry_out(&mut self, plan: &Plan) -> Vec<Event> {
        let mut events = Vec::new();
        if plan.answer && self.held {
            events.push(Event::Held);
        } else if plan.answer {
            // What somebody asked for changes the catalogue.
            self.revision += 1;
            events.push(Event::Answered);
        }
        if plan.read {
            events.push(if self.held { Event::Unread } else { Event::Read(self.reading()) });
        }
        if plan.open {
            self.open = self.doors;
            events.push(Event::Opened);
        }
        for (name, version) in &plan.start {
            self.running.insert((name.clone(), version.clone()));
            events.push(Event::Started(name.clone(), version.clone()));
            let well = !self.dead.contains(name.as_str());
            events.push(Event::Came(name.clone(), version.clone(), well));
        }
        if let Some(table) = &plan.publish {
            for (name, version) in table {
                assert!(
                    self.running.contains(&(name.clone(), version.clone())),
                    "{name} {version} does not run"
                );
            }
            let wanted = |name: &ServerName| self.wanted.contains_key(name.as_str());
            let gap = self.table.keys().filter(|name| wanted(name) && !table.contains_key(*name));
            self.gaps.extend(gap.cloned());
            self.table.clone_from(table);
            events.push(Event::Published(table.clone(), String::new()));
        }
        for (name, version) in &plan.retire {
            assert_ne!(self.table.get(name), Some(version), "what calls find must not go");
            self.running.remove(&(name.clone(), version.clone()));
            events.push(Event::Retired(name.clone(), version.clone()));
        }
        if let Some(revision) = plan.announce {
            self.announced.push(revision);
            events.push(Event::Announced(revision));
        }
        for client in &plan.rewrite {
            let stuck = self.stuck.contains(client.as_str());
            if !stuck {
                self.files.insert(client.clone(), self.revision);
            }
            let outcome = if stuck { Outcome::Again } else { Outcome::Rest };
            events.push(Event::Tended(client.clone(), outcome));
        }
        for server in &plan.record {
            if self.held {
                events.push(Event::Unrecorded(server.clone()));
                continue;
            }
            self.unrecorded.remove(server);
            self.recorded += 1;
            events.push(Event::Recorded(server.clone()));
        }
        if plan.judge {
            self.judged = (self.revision, self.recorded);
            events.push(Event::Judged);
        }
        if plan.watch {
            self.watched = self.clients.iter().map(|name| id(name)).collect();
            events.push(Event::Watched);
        }
        events
    }

    /// Carries plans out until there is nothing to do at this time, and returns the last one.
    pub(super) fn settle(&mut self, state: &mut State, now: Duration) -> Plan {
        for _ in 0..100 {
            let plan = state.plan(now);
            if plan.is_empty() || plan.end {
                return plan;
            }
            for event in self.carry_out(&plan) {
                state.fold(event, now);
            }
        }
        panic!("it never comes to rest: {:?}", state.plan(now));
    }
}
