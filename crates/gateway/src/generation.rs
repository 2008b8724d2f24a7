//! One server in one version of the catalogue: what was started for it, and what it offers.
//!
//! A changed server is another generation. Both live beside each other until the new one has taken over.

mod key;
mod said;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use switchboard_core::catalogue::{Isolation, Server};
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;

use crate::caller::{Caller, Profile};
use crate::gateway::Inside;
use crate::log::Log;
use crate::offer::{Item, Offer};
use crate::policy::Policed;
use crate::slot::Slot;
use crate::stats::Stats;

pub(crate) use key::Key;
pub(crate) use said::Said;

/// How often is looked whether a version is gone.
const LOOK: Duration = Duration::from_millis(10);

/// A server that was found to speak the older way is asked once more after so long: it may have learnt the newer one, and
/// what is believed of it never fails by itself (requirement L2).
const BELIEVED: Duration = Duration::from_secs(24 * 60 * 60);

/// So many connections a server has for callers who can do different things for it. Sessions that have one to themselves
/// are bounded by themselves.
const MOST_PROFILES: usize = 64;

/// A server that takes longer than this to come up is told of.
const LONG: Duration = Duration::from_secs(10);

/// So many connections are made for stateless callers of a server that asks things back; what is more shares the last.
const LANES: usize = 16;

/// One server in one version of the catalogue.
///
/// What is said about how it is treated may change while it runs; how it is launched may not.
pub(crate) struct Generation {
    pub(crate) name: ServerName,
    /// What tells it from other versions of the server.
    pub(crate) fingerprint: String,
    pub(crate) stats: Arc<Stats>,
    pub(crate) log: Arc<Log>,
    said: ArcSwap<Said>,
    /// The version before, which has to be gone before this one may begin: it cannot run twice.
    before: Mutex<Option<Arc<Generation>>>,
    /// It turned out to need one process for each session.
    isolated: AtomicBool,
    /// It asks its callers things in the middle of calls, which only tells whom where there is one call at a time.
    asks: AtomicBool,
    /// It is in service, or was.
    served: AtomicBool,
    /// It is no longer wanted.
    retired: AtomicBool,
    /// It speaks without sessions, so that everybody shares one connection.
    modern: AtomicBool,
    /// It is believed until then to speak the older way; in milliseconds since the gateway began.
    legacy_until: AtomicU64,
    rooted: bool,
    /// What somebody else says that it offers, from before it was first spoken with.
    hearsay: ArcSwapOption<Offer>,
    /// What it told last of what it offers, on whichever connection.
    latest: ArcSwapOption<Offer>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    /// What callers may do with its tools.
    pub(crate) policed: Policed,
    /// Whoever attends to a process of it holds one more of these.
    processes: Arc<()>,
}

impl Generation {
    /// Returns a server with nothing started.
    pub(crate) fn new(
        server: Arc<Server>,
        fingerprint: String,
        drain: Duration,
        stats: Arc<Stats>,
        log: Arc<Log>,
    ) -> Self {
        let rooted = wants_root(&server);
        Self {
            name: server.name.clone(),
            fingerprint,
            stats,
            log,
            said: ArcSwap::from_pointee(Said::new(server, drain)),
            before: Mutex::default(),
            isolated: AtomicBool::new(false),
            asks: AtomicBool::new(false),
            served: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            modern: AtomicBool::new(false),
            legacy_until: AtomicU64::new(0),
            rooted,
            hearsay: ArcSwapOption::empty(),
            latest: ArcSwapOption::empty(),
            slots: Mutex::default(),
            policed: Policed::default(),
            processes: Arc::default(),
        }
    }

    /// Returns what the catalogue says about it.
    pub(crate) fn said(&self) -> arc_swap::Guard<Arc<Said>> {
        self.said.load()
    }

    /// Returns whether a tool of it is offered: by the server's owner, and by the policy.
    pub(crate) fn offers(&self, tool: &str) -> bool {
        self.said().offers(tool) && self.policed.offers(self.name.as_str(), tool)
    }

    /// The catalogue says something else about how it is treated. Returns whether that is so.
    pub(crate) fn say(&self, server: &Arc<Server>, drain: Duration) -> bool {
        let before = self.said();
        let other = *before.server != **server || before.rules.drain != drain;
        if other {
            self.said.store(Arc::new(Said::new(Arc::clone(server), drain)));
        }
        other
    }

    /// It is put in service.
    pub(crate) fn is_served(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    /// Returns whether it is or was in service.
    pub(crate) fn was_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// It may not begin before this one is gone.
    pub(crate) fn comes_after(&self, before: Arc<Generation>) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    }

    /// Waits until the version before is gone with its processes, where that is needed. Whoever owns the catalogue
    /// retires it, once this one is in service.
    pub(crate) async fn may_begin(&self) {
        let exclusive = self.said().server.exclusive;
        while exclusive && !self.has_ended() {
            tokio::time::sleep(LOOK).await;
        }
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(before) = before else { return };
        while !(before.retired.load(Ordering::Relaxed) && before.is_gone() && before.has_ended()) {
            tokio::time::sleep(LOOK).await;
        }
        self.before.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Returns the connection that this caller uses; it is there from now on, though perhaps not made yet.
    pub(crate) fn slot(
        self: &Arc<Self>,
        gateway: &Arc<Inside>,
        caller: &Caller,
        session: u64,
        root: Option<&PathBuf>,
    ) -> Arc<Slot> {
        let own = match self.said().server.isolation {
            Isolation::PerSession => true,
            Isolation::Shared => false,
            Isolation::Auto => self.isolated.load(Ordering::Relaxed),
        };
        if self.said().server.exclusive {
            // One process, whoever calls.
            let root = root.filter(|_| self.rooted).cloned();
            return self.slot_of(gateway, Key { root, ..Key::default() });
        }
        let modern = self.modern.load(Ordering::Relaxed);
        if caller.era == Era::Modern && !modern && self.asks.load(Ordering::Relaxed) {
            return self.free_lane(gateway, caller, root);
        }
        // A stateless caller has no session that a process could belong to.
        let own = own && caller.era == Era::Legacy;
        let key = Key {
            profile: match (modern, own) {
                (true, _) => Profile::default(),
                (false, true) => Profile::whole(&caller.capabilities),
                (false, false) => caller.profile.clone(),
            },
            session: (own && !modern).then_some(session),
            root: root.filter(|_| self.rooted).cloned(),
            lane: 0,
        };
        self.slot_of(gateway, key)
    }

    /// Returns a connection on which no call is in flight, set aside, or on its way.
    fn free_lane(
        self: &Arc<Self>,
        gateway: &Arc<Inside>,
        caller: &Caller,
        root: Option<&PathBuf>,
    ) -> Arc<Slot> {
        let key = |lane| Key {
            profile: caller.profile.clone(),
            session: None,
            root: root.filter(|_| self.rooted).cloned(),
            lane,
        };
        let lanes = (0..LANES).map(|lane| self.slot_of(gateway, key(lane)));
        let mut last = None;
        for slot in lanes {
            if slot.is_free() {
                return slot;
            }
            last = Some(slot);
        }
        last.unwrap_or_else(|| self.slot_of(gateway, key(0)))
    }

    /// Notes that the server asks its callers things in the middle of calls.
    pub(crate) fn asks_back(&self) {
        self.asks.store(true, Ordering::Relaxed);
    }

    /// Returns the connection of those who can do nothing for servers, by which it is found out what a server offers.
    pub(crate) fn plain_slot(self: &Arc<Self>, gateway: &Arc<Inside>) -> Arc<Slot> {
        self.slot_of(gateway, Key::default())
    }

    /// Returns the connection by which it is found out whether the server comes up: the plain one, or where it has to know a
    /// project, that of a project which the version in service runs for; `None` where there is none.
    pub(crate) fn first_slot(
        self: &Arc<Self>,
        gateway: &Arc<Inside>,
        serving: Option<&Generation>,
    ) -> Option<Arc<Slot>> {
        if !self.rooted {
            return Some(self.plain_slot(gateway));
        }
        let runs = |slot: &Arc<Slot>| slot.key.root.clone().filter(|_| slot.ready().is_some());
        let root = serving?.all().iter().find_map(runs)?;
        Some(self.slot_of(gateway, Key { root: Some(root), ..Key::default() }))
    }

    fn slot_of(self: &Arc<Self>, gateway: &Arc<Inside>, mut key: Key) -> Arc<Slot> {
        {
            let slots = self.slots();
            if let Some(slot) = slots.get(&key) {
                return Arc::clone(slot);
            }
            let shared = slots.keys().filter(|key| key.session.is_none()).count();
            if shared >= MOST_PROFILES && key.session.is_none() {
                // Who can do something that hardly anybody can is served as one who cannot.
                key.profile = Profile::default();
                if let Some(slot) = slots.get(&key) {
                    return Arc::clone(slot);
                }
            }
        }
        // Read from the disk while nobody waits for it.
        let kept = gateway.keeper.load(&self.fingerprint, key.profile.capabilities());
        let offer = kept.and_then(|bytes| Offer::from_json(&bytes)).map(Arc::new);
        if offer.is_some() {
            let age = gateway.keeper.age(&self.fingerprint, key.profile.capabilities());
            self.believe_legacy(gateway.sweep.now() + BELIEVED.saturating_sub(age));
        }
        let mut slots = self.slots();
        if let Some(slot) = slots.get(&key) {
            return Arc::clone(slot);
        }
        let slot = Slot::start(gateway, Arc::clone(self), key.clone(), offer);
        if self.retired.load(Ordering::Relaxed) {
            slot.tell(switchboard_core::upstream::Event::Retire);
        }
        slots.insert(key, Arc::clone(&slot));
        slot
    }

    /// Returns what the server offers to a caller, as far as is known.
    pub(crate) fn offer_to(self: &Arc<Self>, gateway: &Arc<Inside>, caller: &Caller) -> Option<Arc<Offer>> {
        let shared = self.modern.load(Ordering::Relaxed) || self.said().server.exclusive;
        let profile = if shared { Profile::default() } else { caller.profile.clone() };
        let key = Key { profile, ..Key::default() };
        let own = if self.rooted { None } else { self.slot_of(gateway, key).own_offer() };
        own.or_else(|| self.any_offer())
    }

    /// Returns an offer of the server's to anybody, for those whose own is not known yet: the last that it told, so that a
    /// tool that becomes another on one connection is seen, whatever the others still say.
    pub(crate) fn any_offer(&self) -> Option<Arc<Offer>> {
        self.latest.load_full().or_else(|| self.slots().values().find_map(|slot| slot.own_offer()))
    }

    /// Notes what the server has just told on one of its connections.
    pub(crate) fn told(&self, offer: &Arc<Offer>) {
        self.latest.store(Some(Arc::clone(offer)));
    }

    /// Returns what the server offers to anybody, be it that only somebody else has said so.
    pub(crate) fn known_offer(&self) -> Option<Arc<Offer>> {
        self.any_offer().or_else(|| self.hearsay.load_full())
    }

    /// Somebody else says that it has these tools. Where it was spoken with, that changes what it offers on every
    /// connection; where not, it is kept apart, since nothing is known of what else it can do.
    pub(crate) fn announced(&self, gateway: &Inside, tools: &Arc<[Item]>) {
        let mut spoken = false;
        for slot in self.all().iter().filter(|slot| slot.own_offer().is_some()) {
            slot.announced(Arc::clone(tools));
            spoken = true;
        }
        if !spoken {
            self.hearsay.store(Some(Arc::new(Offer::hearsay(tools.to_vec()))));
            gateway.launcher.offers(&self.name);
        }
    }

    /// From now on each session has a process of its own: the server asks its clients things, and does not say whom.
    pub(crate) fn isolate(&self) -> bool {
        self.asks_back();
        self.said().server.isolation == Isolation::Auto && !self.isolated.swap(true, Ordering::Relaxed)
    }

    /// Notes that the server was asked just now how it speaks, and speaks the older way.
    pub(crate) fn found_legacy(&self, now: Duration) {
        self.believe_legacy(now + BELIEVED);
    }

    fn believe_legacy(&self, until: Duration) {
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.legacy_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Returns whether it need not be asked again how it speaks, where it spoke the older way.
    pub(crate) fn is_believed(&self, now: Duration) -> bool {
        now.as_millis() < u128::from(self.legacy_until.load(Ordering::Relaxed))
    }

    /// Notes how the server speaks.
    pub(crate) fn speaks(&self, era: Era) {
        self.modern.store(era == Era::Modern, Ordering::Relaxed);
    }

    /// Lets go of a session's own connections.
    pub(crate) fn leave(&self, session: u64) {
        let mut gone = Vec::new();
        self.slots().retain(|key, slot| {
            let own = key.session == Some(session);
            if own {
                gone.push(Arc::clone(slot));
            }
            !own
        });
        for slot in gone {
            slot.tell(switchboard_core::upstream::Event::Retire);
        }
    }

    /// It is no longer wanted: calls in flight may end, and then its connections do.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
        for slot in self.all() {
            slot.tell(switchboard_core::upstream::Event::Retire);
        }
    }

    /// Returns for how long an attempt to bring it up is under way, where that is long.
    pub(crate) fn tried_for(&self) -> Option<Duration> {
        let tried = |slot: Arc<Slot>| slot.standing().tried_since.map(|since| since.elapsed());
        self.all().into_iter().filter_map(tried).max().filter(|time| *time >= LONG)
    }

    /// Returns whether nothing is left of it.
    pub(crate) fn is_gone(&self) -> bool {
        self.all().iter().all(|slot| slot.is_gone())
    }

    /// Notes one more process of it, until what is returned is dropped.
    pub(crate) fn process(&self) -> Arc<()> {
        Arc::clone(&self.processes)
    }

    /// Returns whether no process of it runs.
    pub(crate) fn has_ended(&self) -> bool {
        Arc::strong_count(&self.processes) == 1
    }

    /// Returns all of its connections.
    pub(crate) fn all(&self) -> Vec<Arc<Slot>> {
        self.slots().values().map(Arc::clone).collect()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the launch data names the project of the client.
fn wants_root(server: &Server) -> bool {
    use switchboard_core::launch::Launch;
    let names = |text: &String| text.contains("${root}");
    match &server.launch {
        Launch::Stdio { args, env, cwd, .. } => {
            args.iter().any(names) || env.values().any(names) || cwd.iter().any(names)
        }
        Launch::Remote { url, headers, .. } => names(url) || headers.values().any(names),
    }
}
