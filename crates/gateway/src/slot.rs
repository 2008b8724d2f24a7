//! One connection to a server, whether it is there or not: who wants it, how it stands, what it offers.
//!
//! The phases are decided in [`switchboard_core::upstream`]; the task of a slot owns them, and does what it is told.

mod back;
mod handshake;
mod lists;
mod subscribers;
mod task;
mod whose;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use switchboard_core::upstream::{Event, Phase};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::gateway::Inside;
use crate::generation::{Generation, Key};
use crate::offer::{Item, Offer, Sort};
use crate::session::{Level, Session};
use crate::trouble::Trouble;
use crate::upstream::Upstream;

pub(crate) use back::updated;
pub(crate) use lists::pages;
pub(crate) use subscribers::Agreed;

/// Returns the parameters of a stateless question of our own, with one more member; its value is JSON.
pub(crate) fn own_params_with(name: &str, value: &str) -> String {
    handshake::params_of(switchboard_core::mcp::revision::LATEST, "{}", Some((name, value)))
}

/// So many events wait for a task; what is more is of no consequence, because each only has it look again.
const EVENTS: usize = 64;

/// One connection to a server.
pub(crate) struct Slot {
    pub(crate) generation: Arc<Generation>,
    pub(crate) key: Key,
    gateway: Weak<Inside>,
    /// The connection, while there is one that answers.
    up: ArcSwapOption<Upstream>,
    offer: ArcSwapOption<Offer>,
    standing: watch::Sender<Standing>,
    events: mpsc::Sender<Told>,
    sessions: Mutex<HashMap<u64, Weak<Session>>>,
    /// Lists that the server says have changed.
    stale: Mutex<[bool; 4]>,
    stale_bell: Notify,
    /// It was found out anew how the server speaks, which is to be kept with its date.
    found: AtomicBool,
    back: back::Back,
    /// Each call that waits for the connection holds one more of these.
    coming: Arc<()>,
}

/// How a connection stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The phase.
    pub(crate) phase: Phase,
    /// So many times those who waited were refused.
    pub(crate) refused: u64,
    /// So many times an attempt has ended, well or not.
    pub(crate) attempts: u64,
    /// What went wrong last.
    pub(crate) why: Option<Trouble>,
    /// Since when an attempt is under way.
    pub(crate) tried_since: Option<Instant>,
}

impl Standing {
    /// Returns whether an attempt has failed, or is under way for as long as this.
    pub(crate) fn has_been_tried(&self, limit: Duration) -> bool {
        match self.phase {
            Phase::Waiting { .. } | Phase::Login { .. } => true,
            Phase::Connecting { .. } => self.tried_since.is_some_and(|since| since.elapsed() >= limit),
            _ => false,
        }
    }
}

/// What a task is told.
pub(crate) enum Told {
    /// Something happened.
    Event(Event),
    /// Somebody else says that the server has these tools.
    Announced(Arc<[Item]>),
    /// This connection broke; one that is not the present one is of no interest.
    Lost(Weak<Upstream>, String),
}

impl Slot {
    /// Returns a slot whose task runs.
    pub(crate) fn start(
        gateway: &Arc<Inside>,
        generation: Arc<Generation>,
        key: Key,
        offer: Option<Arc<Offer>>,
    ) -> Arc<Self> {
        let (events, heard) = mpsc::channel(EVENTS);
        if let Some(offer) = &offer {
            generation.speaks(offer.era);
        }
        let slot = Arc::new(Self {
            generation,
            key,
            gateway: Arc::downgrade(gateway),
            up: ArcSwapOption::empty(),
            offer: ArcSwapOption::from(offer),
            standing: watch::Sender::new(Standing::default()),
            events,
            sessions: Mutex::default(),
            stale: Mutex::default(),
            stale_bell: Notify::new(),
            found: AtomicBool::new(false),
            back: back::Back::default(),
            coming: Arc::default(),
        });
        gateway.tasks.spawn(task::run(Arc::clone(&slot), Arc::clone(gateway), heard));
        slot
    }

    /// Returns the gateway, while it is there.
    pub(crate) fn gateway(&self) -> Option<Arc<Inside>> {
        self.gateway.upgrade()
    }

    /// Returns the connection, if it is there.
    pub(crate) fn ready(&self) -> Option<Arc<Upstream>> {
        self.up.load_full().filter(|up| up.takes_calls())
    }

    /// Notes a call that waits for the connection, until what is returned is dropped.
    pub(crate) fn comes(&self) -> Arc<()> {
        Arc::clone(&self.coming)
    }

    /// Returns whether no call of a client's is in flight, set aside, or on its way.
    pub(crate) fn is_free(&self) -> bool {
        let idle = |upstream: Arc<Upstream>| upstream.with_relays(|relays| relays.next().is_none());
        Arc::strong_count(&self.coming) == 1 && self.ready().is_none_or(idle)
    }

    /// Waits for the connection, which is made if it is not there.
    ///
    /// # Errors
    /// It could not be made, and the next attempt is too far off to wait for.
    pub(crate) async fn wanted(&self) -> Result<Arc<Upstream>, Trouble> {
        let mut standing = self.standing.subscribe();
        let refused = standing.borrow_and_update().refused;
        if let Some(up) = self.ready() {
            return Ok(up);
        }
        if self.is_gone() {
            // Nothing changes here any more, so that there is nothing to wait for.
            return Err(Trouble::Gone);
        }
        self.tell(Event::Wanted);
        loop {
            if standing.changed().await.is_err() {
                return Err(Trouble::Gone);
            }
            if let Some(up) = self.ready() {
                return Ok(up);
            }
            let now = standing.borrow_and_update();
            if now.phase == Phase::Gone {
                return Err(Trouble::Gone);
            }
            if now.refused != refused {
                return Err(now.why.clone().unwrap_or(Trouble::Gone));
            }
            // What was said above may have been for a connection that was over already.
            if now.phase.waits_for_a_word() {
                self.tell(Event::Wanted);
            }
        }
    }

    /// Waits until an attempt to connect has ended, well or not, and begins one where there is none; returns at once
    /// where there is a connection.
    pub(crate) async fn tried(&self) -> Result<(), Trouble> {
        let mut standing = self.standing.subscribe();
        let before = standing.borrow_and_update().attempts;
        if self.ready().is_some() {
            return Ok(());
        }
        if self.is_gone() {
            return Err(Trouble::Gone);
        }
        self.tell(Event::Again);
        loop {
            if standing.changed().await.is_err() {
                return Err(Trouble::Gone);
            }
            let now = standing.borrow_and_update();
            if matches!(now.phase, Phase::Ready(_)) {
                return Ok(());
            }
            if now.attempts != before || now.phase == Phase::Gone {
                return Err(now.why.clone().unwrap_or(Trouble::Gone));
            }
            if now.phase.waits_for_a_word() {
                self.tell(Event::Again);
            }
        }
    }

    /// Waits until the connection answers, and says so; `false` once it is over.
    pub(crate) async fn answers(&self) -> bool {
        let mut standing = self.standing.subscribe();
        let found = standing.wait_for(|now| matches!(now.phase, Phase::Ready(_) | Phase::Gone)).await;
        found.is_ok_and(|now| now.phase != Phase::Gone)
    }

    /// Returns how the connection stands.
    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Tells the task what happened, without waiting.
    pub(crate) fn tell(&self, event: Event) {
        self.put(Told::Event(event));
    }

    fn put(&self, told: Told) {
        let Err(mpsc::error::TrySendError::Full(told)) = self.events.try_send(told) else { return };
        // One more who wants what so many want already changes nothing; everything else has to be heard.
        if let (false, Some(gateway)) = (matches!(told, Told::Event(Event::Wanted)), self.gateway.upgrade()) {
            let events = self.events.clone();
            gateway.tasks.spawn(async move { drop(events.send(told).await) });
        }
    }

    /// Tells the task that somebody else says which tools the server has.
    pub(crate) fn announced(&self, tools: Arc<[Item]>) {
        self.put(Told::Announced(tools));
    }

    /// Tells the task that a connection broke.
    pub(crate) fn lost(&self, upstream: &Weak<Upstream>, why: String) {
        if let Some(upstream) = upstream.upgrade() {
            upstream.ends(&why);
        }
        self.put(Told::Lost(upstream.clone(), why));
    }

    /// Returns whether it is over.
    pub(crate) fn is_gone(&self) -> bool {
        self.standing.borrow().phase == Phase::Gone
    }

    /// Returns what the server offers on this connection; `None` where that is not known.
    pub(crate) fn own_offer(&self) -> Option<Arc<Offer>> {
        self.offer.load_full()
    }

    /// Returns what the server offers here, as far as is known: what it offered to others, as long as nothing better is.
    pub(crate) fn offer(&self) -> Option<Arc<Offer>> {
        self.own_offer().or_else(|| self.generation.any_offer())
    }

    /// Notes what the server offers now, and has everybody know who looks at it.
    pub(crate) fn offers(&self, offer: &Arc<Offer>) {
        self.generation.speaks(offer.era);
        let before = self.offer.swap(Some(Arc::clone(offer)));
        let is_new = before.is_none_or(|before| before.hash != offer.hash);
        self.generation.told(offer);
        if !self.found.swap(false, Ordering::Relaxed) && !is_new {
            return;
        }
        let Some(gateway) = self.gateway.upgrade() else { return };
        gateway.keeper.save(&self.generation.fingerprint, self.key.profile.capabilities(), &offer.to_json());
        if is_new {
            gateway.launcher.offers(&self.generation.name);
            gateway.changed();
        }
    }

    /// Notes that the server was asked just now how it speaks, and speaks the older way.
    pub(crate) fn found_legacy(&self, now: Duration) {
        self.generation.found_legacy(now);
        self.found.store(true, Ordering::Relaxed);
    }

    /// A session uses this connection from now on.
    pub(crate) fn enter(self: &Arc<Self>, session: &Arc<Session>) {
        let mut sessions = self.sessions();
        if let Entry::Vacant(place) = sessions.entry(session.id) {
            place.insert(Arc::downgrade(session));
            session.entered(Arc::downgrade(self));
        }
    }

    /// A session uses it no longer.
    pub(crate) fn leave(self: &Arc<Self>, session: u64) {
        let gone = self.sessions().remove(&session);
        self.unsubscribe_all(session);
        // The most talkative one may have been this.
        if gone.and_then(|gone| gone.upgrade()).is_some_and(|gone| gone.log_level() != Level::All) {
            self.set_level();
        }
    }

    /// Returns the sessions that use it.
    pub(crate) fn present(&self) -> Vec<Arc<Session>> {
        self.sessions().values().filter_map(Weak::upgrade).collect()
    }

    /// Lists of these sorts have changed, as the server says.
    pub(crate) fn is_stale(&self, sorts: &[Sort]) {
        let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
        for sort in sorts {
            stale[sort.at()] = true;
        }
        drop(stale);
        self.stale_bell.notify_one();
    }

    fn take_stale(&self) -> Vec<Sort> {
        let stale = std::mem::take(&mut *self.stale.lock().unwrap_or_else(PoisonError::into_inner));
        Sort::ALL.into_iter().filter(|sort| stale[sort.at()]).collect()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
