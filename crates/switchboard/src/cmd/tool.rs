//! `tool`: what the servers of the catalogue offer, as last seen.

mod call;
pub(crate) mod find;
mod list;
pub(crate) mod odd;
mod schema;
mod show;

use std::collections::BTreeMap;

use serde_json::json;
use switchboard_core::catalogue::Offered;
use switchboard_core::mcp::public_name::{prefix, public_name};
use switchboard_core::registry::{Choice, Kind};
use switchboard_host::dirs::Env;
use switchboard_host::registry::{self, Line, Registry, State};

use crate::cli::Tool as Verb;
use crate::cmd::status;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::sync::{self, Look, Moment};
use crate::ui::{Mark, Ui, plain};
use crate::when;

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: &Verb, env: Env, ui: &Ui) -> Done {
    let mut known = Known::look(env, ui)?;
    match verb {
        Verb::List(args) => list::list(&mut known, ui, &args.servers),
        Verb::Search(args) => list::search(&mut known, ui, &args.words.join(" "), args.limit),
        Verb::Show(args) => show::show(&mut known, ui, &args.tool),
        Verb::Call(args) => call::call(&mut known, ui, args),
    }
}

/// What is known of tools, brought in step with the catalogue first.
pub(crate) struct Known {
    pub(crate) home: Home,
    pub(crate) registry: Registry,
    /// The servers of the registry.
    pub(crate) servers: BTreeMap<String, registry::Server>,
    /// Which tools of each server its owner offers.
    offered: BTreeMap<String, Offered>,
}

impl Known {
    /// Reads a home, and has those servers asked that have to be. Whatever keeps that from being done is told, and what
    /// was known before is shown all the same.
    pub(crate) fn look(env: Env, ui: &Ui) -> Result<Self, Failure> {
        let moment = Moment::now();
        Ok(Self::of(Home::look(env)?, &moment, ui))
    }

    fn of(home: Home, moment: &Moment, ui: &Ui) -> Self {
        let path = home.dirs.registry();
        // A catalogue that is wrong changes nothing, and a dry run asks nobody.
        let registry = if home.catalogue.last_good || ui.dry_run {
            status::catalogue_problems(&home, ui);
            Registry::read(&path)
        } else if home.is_synced() {
            Registry::read(&path)
        } else {
            let look = Look::take(&home, moment, &Choice::Due, false);
            if look.refused().is_some() { look.registry } else { carried_out(look, &home, ui) }
        };
        let known = Self::with(home, registry);
        sync::tell_notes(&known.registry, ui);
        known
    }

    /// Takes what is known as it is, and asks nobody. The settings and the catalogue are those of `home`, which may be the
    /// last good ones where the files are wrong by now.
    ///
    /// # Errors
    /// The home cannot be read.
    pub(crate) fn as_it_is(home: &Home) -> Result<Self, Failure> {
        let mut own = Home::look(home.env.clone())?;
        own.settings.value.clone_from(&home.settings.value);
        own.settings.problems.clone_from(&home.settings.problems);
        own.catalogue.catalogue.clone_from(&home.catalogue.catalogue);
        own.catalogue.last_good = home.catalogue.last_good;
        let registry = Registry::read(&own.dirs.registry());
        Ok(Self::with(own, registry))
    }

    fn with(home: Home, registry: Registry) -> Self {
        let mut known = Self { home, registry, servers: BTreeMap::new(), offered: BTreeMap::new() };
        let servers = known.registry.servers();
        known.servers = servers.into_iter().map(|server| (server.name.clone(), server)).collect();
        let catalogue = known.home.catalogue.catalogue.servers().iter();
        known.offered =
            catalogue.map(|server| (server.name.to_string(), Offered::new(&server.tools))).collect();
        known
    }

    /// Returns whether a tool is one of those that its server's owner offers.
    pub(crate) fn is_offered(&self, line: &Line) -> bool {
        self.offered.get(&line.server).is_none_or(|offered| offered.has(&line.name))
    }

    /// Returns all tools, in the order of the catalogue and of the servers.
    pub(crate) fn tools(&mut self, server: Option<&str>) -> Vec<Line> {
        let mut lines = self.registry.list(Kind::Tool, server);
        lines.retain(|line| self.is_offered(line));
        lines
    }

    /// Returns what a tool is called behind the face that shows all servers.
    fn public(&self, line: &Line) -> String {
        let server = self.home.catalogue.catalogue.server(&line.server);
        let said = server.and_then(|server| server.prefix.as_deref());
        let limit = self.home.settings.value.gateway.name_limit;
        public_name(prefix(said, &line.server), &line.name, limit)
    }

    /// Returns a tool of a list, for programs.
    fn as_json(&self, line: &Line) -> serde_json::Value {
        let seen = self.servers.get(&line.server).and_then(|server| server.seen);
        json!({
            "server": line.server,
            "name": line.name,
            "public_name": self.public(line),
            "title": line.title,
            "description": line.brief,
            "hash": format!("sha256:{}", line.hash),
            "seen": seen.map(when::stamp),
            "stale": line.stale,
        })
    }

    /// Tells which of these servers did not answer when they were asked last.
    pub(crate) fn tell_stale(&self, ui: &Ui, names: impl Fn(&str) -> bool) {
        for server in self.servers.values().filter(|server| names(&server.name)) {
            if let Some(text) = stale(server) {
                ui.marked(Mark::Warn, text);
            }
        }
    }
}

/// Does what has to be done; what did not come of it is told, and is no reason to show nothing.
fn carried_out(look: Look, home: &Home, ui: &Ui) -> Registry {
    match look.carry_out(home, ui) {
        Ok((registry, _)) => registry,
        Err(failure) => {
            ui.note(format!("warning: {}", failure.sentence()));
            Registry::read(&home.dirs.registry())
        }
    }
}

/// Returns that a server did not answer when it was asked last; `None` where it did.
fn stale(server: &registry::Server) -> Option<String> {
    let State::Stale { since, why } = &server.state else { return None };
    let name = plain(&server.name);
    let why = plain(why.lines().next().unwrap_or_default());
    Some(match server.seen {
        Some(seen) => format!(
            "{name}: as seen {}; it has not answered since {}: {why}",
            when::local(seen),
            when::local(*since)
        ),
        None => format!("{name}: it has never answered: {why}"),
    })
}
