//! Which servers are in service, and in which version: make before break, decided.
//!
//! A changed server is started beside the one in service, and takes its place once it answers. Until then, and when it
//! does not, the old one stays. A server that was not there before is in service at once, because there is nothing that
//! it could be worse than.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use crate::name::ServerName;

/// The version of each server: equal when it is launched in the same way.
pub type Versions = BTreeMap<ServerName, String>;

/// A version of a server that is not in service.
type Version = (ServerName, String);

/// What is known of the servers that are or were started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Service {
    /// The versions in service.
    serving: Versions,
    /// What else was said of them when they were put in service.
    said: Option<String>,
    /// Versions that were started to take a place, and whether they answer.
    beside: BTreeMap<ServerName, (String, bool)>,
    /// Versions that are wanted no more, and still there.
    leaving: BTreeSet<Version>,
}

impl Service {
    /// A version was started.
    pub(super) fn started(&mut self, server: ServerName, version: String) {
        if let Some((before, _)) = self.beside.insert(server.clone(), (version, false)) {
            self.leaving.insert((server, before));
        }
    }

    /// A version answers, or does not.
    pub(super) fn came(&mut self, server: &ServerName, version: &str, well: bool) {
        if let Some((beside, answers)) = self.beside.get_mut(server)
            && beside == version
        {
            *answers = well;
        }
    }

    /// These versions are in service now.
    pub(super) fn published(&mut self, serving: Versions, said: String) {
        for (server, version) in std::mem::replace(&mut self.serving, serving) {
            if self.serving.get(&server) != Some(&version) {
                self.leaving.insert((server, version));
            }
        }
        self.beside.retain(|server, (version, _)| self.serving.get(server) != Some(version));
        self.said = Some(said);
    }

    /// A version was told to go.
    pub(super) fn retired(&mut self, server: ServerName, version: String) {
        self.leaving.remove(&(server, version));
    }

    /// Puts into `plan` what is to be done so that the `wanted` versions come into service.
    pub(super) fn plan(&self, wanted: &Versions, said: &str, plan: &mut Plan) {
        let is_there = |server: &ServerName, version: &String| {
            self.serving.get(server) == Some(version)
                || self.beside.get(server).is_some_and(|(beside, _)| beside == version)
        };
        let missing = wanted.iter().filter(|(server, version)| !is_there(server, version));
        plan.start = missing.map(|(server, version)| (server.clone(), version.clone())).collect();
        let table = self.table(wanted);
        let same = table == self.serving && self.said.as_deref() == Some(said);
        plan.publish = (plan.start.is_empty() && !same).then_some(table);
        let mut leaving = self.leaving.clone();
        // Started, and wanted no more before it came into service.
        leaving.extend(
            self.beside
                .iter()
                .filter(|(server, (version, _))| wanted.get(*server) != Some(version))
                .map(|(server, (version, _))| (server.clone(), version.clone())),
        );
        let serves = |(server, version): &Version| self.serving.get(server) == Some(version);
        // Only when the table says so already: calls find the new one first.
        plan.retire = if plan.publish.is_none() && plan.start.is_empty() {
            leaving.into_iter().filter(|one| !serves(one)).collect()
        } else {
            BTreeSet::new()
        };
    }

    /// A version that is wanted no more was told to go before it came into service.
    pub(super) fn forget(&mut self, server: &ServerName, version: &str) {
        if self.beside.get(server).is_some_and(|(beside, _)| beside == version) {
            self.beside.remove(server);
        }
    }

    /// Returns the versions that can be in service now.
    fn table(&self, wanted: &Versions) -> Versions {
        let choose = |server: &ServerName, version: &String| {
            let old = self.serving.get(server);
            let beside = self.beside.get(server).filter(|(beside, _)| beside == version);
            let takes_over = match (old, beside) {
                (Some(old), _) if old == version => true,
                (Some(_), Some((_, answers))) => *answers,
                (Some(_), None) => false,
                (None, beside) => beside.is_some(),
            };
            if takes_over { Some(version.clone()) } else { old.cloned() }
        };
        let chosen = wanted.iter().map(|(server, version)| Some((server.clone(), choose(server, version)?)));
        chosen.flatten().collect()
    }
}
