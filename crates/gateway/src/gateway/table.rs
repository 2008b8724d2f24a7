//! Which servers are in service: one value, swapped whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use switchboard_core::upstream::Phase;

use super::Gateway;
use crate::face::{Face, Scope};
use crate::generation::Generation;
use crate::log::{Happened, Transition};
use crate::offer::{Item, Offer, Sort};
use crate::stats::Counts;

/// The servers in service, in the order of the catalogue.
#[derive(Default)]
pub struct Table {
    servers: Vec<Arc<Generation>>,
    /// The servers of each profile.
    profiles: BTreeMap<String, Vec<ServerName>>,
}

/// How one server stands, for people.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The server.
    pub name: ServerName,
    /// The phase of its connection that is furthest.
    pub state: &'static str,
    /// What was the matter last, where something is.
    pub trouble: Option<String>,
    /// Since when it answers.
    pub up: Option<Duration>,
    /// The revision that it speaks.
    pub revision: Option<String>,
    /// Its processes.
    pub pids: Vec<u32>,
    /// How many connections there are to it.
    pub connections: usize,
    /// How many calls wait for it.
    pub in_flight: usize,
    /// How many tools it offers; `None` where that is not known.
    pub tools: Option<usize>,
    /// What is counted.
    pub counts: Counts,
    /// The last lines of its standard error.
    pub stderr: Vec<String>,
    /// The last phases.
    pub transitions: Vec<Transition>,
    /// How often it came to each phase.
    pub phases: Vec<(&'static str, u64)>,
    /// The version that is to take its place and has not come up yet, where there is one.
    pub coming: Option<Coming>,
}

/// A version of a server that has not come up yet, so that the one before goes on in its place.
#[derive(Clone, Debug)]
pub struct Coming {
    /// The phase of its connection that is furthest.
    pub state: &'static str,
    /// What was the matter last, where something is.
    pub trouble: Option<String>,
    /// The version that goes on, as the catalogue said it.
    pub serves: Arc<Server>,
}

/// What came of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// How many tools were known before; `None` where that was not known.
    pub before: Option<usize>,
    /// They are other ones.
    pub is_news: bool,
}

impl Table {
    pub(super) fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        self.servers.iter()
    }

    pub(super) fn behind(&self, face: &Face) -> Vec<Arc<Generation>> {
        match &face.scope {
            Scope::All => self.servers.clone(),
            Scope::Server(name) => {
                self.servers.iter().find(|server| server.name == *name).cloned().into_iter().collect()
            }
            Scope::Profile(profile) => {
                let names = self.profiles.get(profile).map(Vec::as_slice).unwrap_or_default();
                self.servers.iter().filter(|server| names.contains(&server.name)).cloned().collect()
            }
        }
    }

    pub(super) fn has(&self, face: &Face) -> bool {
        match &face.scope {
            Scope::All => true,
            Scope::Server(name) => self.servers.iter().any(|server| server.name == *name),
            Scope::Profile(profile) => self.profiles.contains_key(profile),
        }
    }

    fn find(&self, name: &ServerName, fingerprint: &str) -> Option<&Arc<Generation>> {
        self.servers.iter().find(|server| server.name == *name && server.fingerprint == fingerprint)
    }
}

impl Gateway {
    /// Brings a server up beside what is in service, where somebody sees the difference: a session is open, or the version
    /// before runs. It is connected and asked for all that it offers. `told` hears how
    /// that went, and of one that could not be brought up hears again when it answers after all; where it is known already what the server offers, and none of its name is in service, nothing is
    /// started and it went well.
    ///
    /// A server that cannot run twice is not started before the one that it follows is gone: `told` hears at once, and
    /// calls wait until then.
    pub fn start(
        &self,
        server: Arc<Server>,
        fingerprint: String,
        told: impl Fn(Result<(), String>) + Send + 'static,
    ) {
        let inside = &self.0;
        let serving = inside.table.load().servers.iter().find(|old| old.name == server.name).cloned();
        let (stats, log) = inside.kept(&server);
        let drain = inside.options.load().drain;
        let exclusive = server.exclusive;
        let generation = Arc::new(Generation::new(server, fingerprint, drain, stats, log));
        generation.policed.set(inside.policy());
        let waits = exclusive && serving.is_some();
        if let Some(serving) = serving.clone().filter(|_| waits) {
            // Before there is a slot, which may connect at once.
            generation.comes_after(serving);
        }
        inside.beside().push(Arc::clone(&generation));
        // One that needs a project is started by the first client that has one.
        let Some(slot) = generation.first_slot(inside, serving.as_deref()) else { return told(Ok(())) };
        if waits {
            slot.tell(switchboard_core::upstream::Event::Wanted);
            return told(Ok(()));
        }
        // Whom nobody looks at is started by its first call; one that is to be kept starts by itself.
        let looked_at = !inside.sessions().is_empty();
        let runs = serving.as_ref().is_some_and(|old| old.all().iter().any(|slot| slot.ready().is_some()));
        let known = serving.is_none() && slot.own_offer().is_some();
        if known || !(looked_at || runs) {
            return told(Ok(()));
        }
        inside.tasks.spawn(async move {
            let first = slot.tried().await.map_err(|trouble| trouble.to_string());
            let failed = first.is_err();
            told(first);
            // It is tried again and again, and takes over when it answers at last.
            if failed && slot.answers().await {
                told(Ok(()));
            }
        });
    }

    /// Puts these servers in service, in this order, all at once: those that run in this version go on as they are, the
    /// others have to have been started. Calls in flight end where they began.
    pub fn publish(&self, servers: &[(Arc<Server>, String)], profiles: BTreeMap<String, Vec<ServerName>>) {
        let inside = &self.0;
        let before = inside.table.load_full();
        let drain = inside.options.load().drain;
        let mut beside = inside.beside();
        let mut table = Table { servers: Vec::new(), profiles };
        let mut said = false;
        for (server, fingerprint) in servers {
            let known = before.find(&server.name, fingerprint).cloned().or_else(|| {
                let is_it =
                    |one: &Arc<Generation>| one.name == server.name && one.fingerprint == *fingerprint;
                beside.iter().rev().find(|one| is_it(one)).cloned()
            });
            let Some(generation) = known else { continue };
            said |= generation.say(server, drain);
            generation.is_served();
            table.servers.push(generation);
        }
        let in_service = |one: &Arc<Generation>| table.servers.iter().any(|other| Arc::ptr_eq(one, other));
        beside.retain(|one| !in_service(one));
        beside.extend(before.servers.iter().filter(|one| !in_service(one)).cloned());
        drop(beside);
        let same = !said
            && before.profiles == table.profiles
            && before.servers.len() == table.servers.len()
            && before.servers.iter().zip(&table.servers).all(|(one, other)| Arc::ptr_eq(one, other));
        inside.table.store(Arc::new(table));
        if !same {
            inside.changed();
        }
    }

    /// Lets go of what was started and is not in service in this version: calls in flight have the drain to end.
    pub fn retire(&self, name: &ServerName, fingerprint: &str) {
        let inside = &self.0;
        let mut gone = Vec::new();
        inside.beside().retain(|one| {
            let is_it = one.name == *name && one.fingerprint == fingerprint;
            if is_it {
                gone.push(Arc::clone(one));
            }
            !is_it
        });
        for generation in gone {
            generation.retire();
        }
        // Sessions forget the old table with the next thing they do; what waits for the old servers has been told.
        inside.changed();
    }

    /// Has the servers that could not be had be tried again now, for a person who wants it.
    pub fn again(&self) {
        use switchboard_core::upstream::Event;
        let table = self.0.table.load();
        for generation in table.servers.iter().chain(&*self.0.beside()) {
            for slot in generation.all() {
                if matches!(slot.standing().phase, Phase::Waiting { .. } | Phase::Login { .. }) {
                    slot.tell(Event::Again);
                }
            }
        }
    }

    /// Returns what happens with a server in service, from now on: its messages, its phases, what it says on its standard
    /// error. `None` where there is none of this name. Whoever reads slowly misses some.
    pub fn watch(&self, name: &ServerName) -> Option<tokio::sync::broadcast::Receiver<Happened>> {
        let table = self.0.table.load();
        let generation = table.servers.iter().find(|one| one.name == *name)?;
        Some(generation.log.watch())
    }

    /// Returns how the servers in service stand.
    pub fn seen(&self) -> Vec<Seen> {
        let now = self.0.sweep.now();
        let beside = self.0.beside();
        let coming = |serving: &Arc<Generation>| {
            let next = beside.iter().rev().find(|one| one.name == serving.name && !one.was_served())?;
            let (state, trouble) = stands(next);
            Some(Coming { state, trouble, serves: Arc::clone(&serving.said().server) })
        };
        let table = self.0.table.load();
        table.servers.iter().map(|one| Seen { coming: coming(one), ..seen(one, now) }).collect()
    }

    /// Returns what is the matter with servers that cannot be had, in the order of the catalogue.
    pub fn troubles(&self) -> Vec<(ServerName, String)> {
        let late = |one: &Generation| {
            Some(format!("has not come up for {} s; it is waited for", one.tried_for()?.as_secs()))
        };
        let down = |one: &Arc<Generation>| {
            let (state, trouble) = stands(one);
            Some((one.name.clone(), trouble.filter(|_| state != "idle").or_else(|| late(one))?))
        };
        let (table, beside) = (self.0.table.load(), self.0.beside());
        // What has failed to take another's place was told to whoever started it.
        let coming = beside.iter().filter(|one| !one.was_served());
        let coming = coming.filter_map(|one| {
            Some((one.name.clone(), late(one)? + "; until then the version before goes on"))
        });
        table.servers.iter().filter_map(down).chain(coming).collect()
    }

    /// Returns what this version of a server offers, whether it is in service or about to be; `None` where that is not
    /// known.
    pub fn offer(&self, name: &ServerName, version: &str) -> Option<Arc<Offer>> {
        let table = self.0.table.load();
        let is_it = |one: &&Arc<Generation>| one.name == *name && one.fingerprint == version;
        let beside = self.0.beside();
        table.generations().chain(&*beside).find(is_it)?.known_offer()
    }

    /// Takes over what somebody else says: a server in service in this version has these tools, and no others. Whatever
    /// is said last counts, be it this or what the server says itself. Returns how many were known before, and whether
    /// this is news; `None` where there is no such server.
    pub fn announce(&self, name: &ServerName, fingerprint: &str, tools: &Arc<[Item]>) -> Option<Announced> {
        let table = self.0.table.load();
        let generation = table.find(name, fingerprint)?;
        let known = generation.known_offer();
        let before = known.as_ref().map(|offer| offer.of(Sort::Tools));
        let is_news = before != Some(tools);
        if is_news {
            generation.announced(&self.0, tools);
        }
        Some(Announced { before: before.map(<[Item]>::len), is_news })
    }

    /// Returns what a server in service offers of one sort, as it wrote it; `None` where that is not known.
    pub fn offered(&self, name: &ServerName, sort: Sort) -> Option<Vec<bytes::Bytes>> {
        let table = self.0.table.load();
        let generation = table.servers.iter().find(|one| one.name == *name)?;
        let offer = generation.any_offer()?;
        Some(offer.of(sort).iter().map(|item| item.raw.clone()).collect())
    }
}

/// Returns the phase of a server's connection that is furthest, and what is the matter with it.
fn stands(generation: &Generation) -> (&'static str, Option<String>) {
    let rank = |phase: &Phase| match phase {
        Phase::Ready(_) => 5,
        Phase::Connecting { .. } => 4,
        Phase::Waiting { .. } | Phase::Login { .. } => 3,
        Phase::Draining { .. } => 2,
        Phase::Idle { .. } => 1,
        Phase::Gone => 0,
    };
    let standings = generation.all().into_iter().map(|slot| slot.standing());
    let Some(furthest) = standings.max_by_key(|standing| rank(&standing.phase)) else {
        return ("idle", None);
    };
    let trouble = furthest.why.filter(|_| !matches!(furthest.phase, Phase::Ready(_)));
    (furthest.phase.word(), trouble.map(|why| why.to_string()))
}

fn seen(generation: &Arc<Generation>, now: Duration) -> Seen {
    let (slots, (state, trouble)) = (generation.all(), stands(generation));
    let standings: Vec<_> = slots.iter().map(|slot| slot.standing()).collect();
    let ups: Vec<_> = slots.iter().filter_map(|slot| slot.ready()).collect();
    let since = standings.iter().filter_map(|standing| match &standing.phase {
        Phase::Ready(ready) => Some(now.saturating_sub(ready.since)),
        _ => None,
    });
    let offer = generation.known_offer();
    Seen {
        name: generation.name.clone(),
        state,
        trouble,
        up: since.max(),
        revision: offer.as_ref().filter(|offer| !offer.is_hearsay()).map(|offer| offer.revision.clone()),
        pids: ups.iter().filter_map(|up| up.link.pid()).collect(),
        connections: ups.len(),
        in_flight: ups.iter().map(|up| up.in_flight()).sum(),
        tools: offer
            .map(|offer| offer.of(Sort::Tools).iter().filter(|item| generation.offers(&item.key)).count()),
        counts: generation.stats.counts(),
        stderr: generation.log.tail(),
        transitions: generation.log.transitions(),
        phases: generation.log.counted(),
        coming: None,
    }
}
