//! The gateway as a whole: the table of servers, the sessions, and what both share.
//!
//! It decides nothing about which servers there are. Whoever owns that says so in three steps, in this order: servers
//! are started beside those in service, a new table is published whole, and what is no longer wanted is retired.

mod discover;
mod news;
mod table;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use sha2::{Digest as _, Sha256};
use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::Aside;
use crate::caller::{Caller, Callers, Profile};
use crate::face::Face;
use crate::generation::Generation;
use crate::keep::Keeper;
use crate::launch::Launcher;
use crate::log::Log;
use crate::policy::{Holder, Pending, Policy, Results, Waiting};
use crate::running::Running;
use crate::session::Session;
use crate::stats::Stats;
use crate::upstream::Sweep;
use crate::view::View;

pub use table::{Announced, Coming, Seen, Table};

/// So many sessions may there be at once.
const MOST_SESSIONS: usize = 50_000;

/// So many views are kept.
const MOST_VIEWS: usize = 256;

/// How the gateway is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long calls in flight may take once their server is no longer wanted.
    pub drain: Duration,
    /// The longest public name, in bytes.
    pub name_limit: usize,
    /// Whether clients are offered a tool that reloads by hand.
    pub reload_tool: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { drain: Duration::from_secs(30), name_limit: 64, reload_tool: false }
    }
}

/// The gateway. Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<Inside>);

/// What the parts of a gateway share.
pub(crate) struct Inside {
    pub(crate) launcher: Arc<dyn Launcher>,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) tasks: Tasks,
    pub(crate) sweep: Sweep,
    pub(crate) aside: Aside,
    pub(crate) callers: Callers,
    /// The tasks that servers work on.
    pub(crate) running: Running,
    options: ArcSwap<Options>,
    /// What callers are held to, if anything.
    policy: ArcSwapOption<Policy>,
    /// Results that may be given again.
    pub(crate) results: Results,
    /// Calls that somebody has to agree to.
    pub(crate) pending: Pending,
    table: ArcSwap<Table>,
    /// What was started and is not in the table, or not any more.
    beside: Mutex<Vec<Arc<Generation>>>,
    /// What is counted and kept of servers outlives their versions.
    kept: Mutex<HashMap<ServerName, Kept>>,
    version: AtomicU64,
    views: Mutex<HashMap<(Face, Profile), Arc<View>>>,
    sessions: Mutex<HashMap<u64, Weak<Session>>>,
    next_session: AtomicU64,
    /// How many sessions there are, in whatever state.
    pub(crate) living: AtomicUsize,
    news: Notify,
    ending: CancellationToken,
    /// What only this home knows, once it was needed.
    secret: OnceLock<[u8; 32]>,
}

/// What is counted and kept of one server.
type Kept = (Arc<Stats>, Arc<Log>);

/// Spawns tasks that end with the gateway.
#[derive(Clone)]
pub(crate) struct Tasks {
    handle: Handle,
    tracker: TaskTracker,
}

impl Tasks {
    /// Spawns a task of the gateway's.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.tracker.spawn_on(task, &self.handle).abort_handle()
    }
}

impl Gateway {
    /// Returns a gateway without servers, whose tasks run on `handle`.
    pub fn new(handle: Handle, launcher: Arc<dyn Launcher>, keeper: Arc<dyn Keeper>) -> Self {
        let inside = Arc::new(Inside {
            launcher,
            keeper,
            tasks: Tasks { handle, tracker: TaskTracker::new() },
            sweep: Sweep::new(),
            aside: Aside::default(),
            callers: Callers::default(),
            running: Running::default(),
            secret: OnceLock::new(),
            options: ArcSwap::default(),
            policy: ArcSwapOption::empty(),
            results: Results::default(),
            pending: Pending::default(),
            table: ArcSwap::default(),
            beside: Mutex::default(),
            kept: Mutex::default(),
            version: AtomicU64::new(1),
            views: Mutex::default(),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1),
            living: AtomicUsize::new(0),
            news: Notify::new(),
            ending: CancellationToken::new(),
        });
        let (sweep, ending) = (inside.sweep.clone(), inside.ending.clone());
        inside.tasks.spawn(async move {
            tokio::select! {
                () = sweep.run() => {}
                () = ending.cancelled() => {}
            }
        });
        inside.tasks.spawn(news::run(Arc::downgrade(&inside), inside.ending.clone()));
        Self(inside)
    }

    /// Has the gateway be set up otherwise from now on.
    pub fn set_options(&self, options: Options) {
        if **self.0.options.load() != options {
            self.0.options.store(Arc::new(options));
            self.0.changed();
        }
    }

    /// Holds callers to this from now on, or to nothing.
    pub fn set_policy(&self, policy: Option<&Arc<Policy>>) {
        let policy = policy.cloned();
        self.0.policy.store(policy.clone());
        for generation in self.0.table.load().generations().chain(&*self.0.beside()) {
            generation.policed.set(policy.clone());
        }
        self.0.changed();
    }

    /// Returns the calls that somebody has to agree to, the oldest first.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.0.pending.waiting()
    }

    /// Has calls that wait be numbered from here on.
    pub fn number_waiting_from(&self, first: u64) {
        self.0.pending.number_from(first);
    }

    /// Says whether somebody agrees to a call that waits; it counts for one call. Returns the call; `None` where there is
    /// none of this number.
    pub fn decide(&self, number: u64, agreed: bool) -> Option<Waiting> {
        self.0.pending.say(number, agreed).then(|| self.0.pending.get(number)).flatten()
    }

    /// Returns a new session for a client of this machine's user that sees this face; `None` where there are too many.
    pub fn session(&self, face: Face, root: Option<PathBuf>) -> Option<Arc<Session>> {
        self.session_of(face, root, Holder::user("control"))
    }

    /// Returns a new session for a client that sees this face, and may do what `holder` holds; `None` where there are too
    /// many.
    pub fn session_of(&self, face: Face, root: Option<PathBuf>, holder: Holder) -> Option<Arc<Session>> {
        if self.0.living.load(Ordering::Relaxed) >= MOST_SESSIONS {
            return None;
        }
        let id = self.0.next_session.fetch_add(1, Ordering::Relaxed);
        Some(Arc::new(Session::new(Arc::clone(&self.0), id, face, root, holder)))
    }

    /// Returns whether there is something behind a face.
    pub fn has(&self, face: &Face) -> bool {
        self.0.table.load().has(face)
    }

    /// Returns how many sessions want to be told of news.
    pub fn sessions(&self) -> usize {
        self.0.sessions().len()
    }

    /// Ends the servers that cannot run twice, before another process may start them: calls in flight have the drain.
    /// Waits until none of their processes runs, but no longer than `limit`.
    pub async fn end_exclusive(&self, limit: Duration) {
        let mut all = self.0.all();
        all.retain(|generation| generation.said().server.exclusive);
        end_all(&all, limit).await;
    }

    /// Ends everything: no call is taken any more, those in flight have the drain, then servers are ended. Waits for
    /// that, but no longer than `limit`.
    pub async fn end(&self, limit: Duration) {
        end_all(&self.0.all(), limit).await;
        let sessions: Vec<_> = self.0.sessions().values().filter_map(Weak::upgrade).collect();
        for session in sessions {
            session.close();
        }
        self.0.ending.cancel();
        self.0.tasks.tracker.close();
    }
}

impl Inside {
    /// Returns the version of everything that views are made of.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns what only this home knows.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        self.secret.get_or_init(|| {
            // What is kept nowhere is good for as long as we run.
            self.keeper.secret().unwrap_or_else(|| Sha256::digest(token() + &token()).into())
        })
    }

    /// Returns whether callers are held to anything.
    pub(crate) fn has_policy(&self) -> bool {
        self.policy.load().is_some()
    }

    /// Returns what callers are held to.
    pub(crate) fn policy(&self) -> Option<Arc<Policy>> {
        self.policy.load_full()
    }

    /// Returns how the gateway is set up.
    pub(crate) fn options(&self) -> arc_swap::Guard<Arc<Options>> {
        self.options.load()
    }

    /// Something that views are made of has changed.
    pub(crate) fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
        self.news.notify_one();
    }

    /// Returns what a caller sees by a face, as of now.
    pub(crate) fn view(self: &Arc<Self>, face: &Face, caller: &Caller) -> Arc<View> {
        let version = self.version();
        let key = (face.clone(), caller.profile.clone());
        let known = self.views().get(&key).cloned();
        if let Some(view) = &known
            && view.version == version
        {
            return Arc::clone(view);
        }
        let table = self.table.load();
        let servers = table
            .behind(face)
            .into_iter()
            .map(|generation| {
                let offer = generation.offer_to(self, caller);
                (generation, offer)
            })
            .collect();
        let view = Arc::new(View::new(face, servers, self.options.load().name_limit, version));
        let mut views = self.views();
        if views.len() >= MOST_VIEWS {
            views.clear();
        }
        views.insert(key, Arc::clone(&view));
        view
    }

    /// A session wants to be told of news.
    pub(crate) fn enter(&self, session: &Arc<Session>) {
        session.is_known.store(true, Ordering::Relaxed);
        self.sessions().insert(session.id, Arc::downgrade(session));
    }

    /// A session is over.
    pub(crate) fn left(&self, session: &Session) {
        self.sessions().remove(&session.id);
        for generation in self.all() {
            generation.leave(session.id);
        }
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Weak<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self) -> MutexGuard<'_, HashMap<(Face, Profile), Arc<View>>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns every version of every server, in service or not.
    fn all(&self) -> Vec<Arc<Generation>> {
        self.table.load().generations().cloned().chain(self.beside().clone()).collect()
    }

    fn beside(&self) -> MutexGuard<'_, Vec<Arc<Generation>>> {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is counted and kept of a server.
    fn kept(&self, server: &Server) -> Kept {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(server.name.clone()).or_default().clone()
    }
}

/// Ends these, and waits until nothing of them is left, but no longer than `limit`.
async fn end_all(all: &[Arc<Generation>], limit: Duration) {
    for generation in all {
        generation.retire();
    }
    let gone = async {
        while !all.iter().all(|generation| generation.is_gone() && generation.has_ended()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(limit, gone).await;
}

/// Returns a text that nobody can guess: 128 bits of chance, as 32 hexadecimal digits.
pub(crate) fn token() -> String {
    use std::fmt::Write as _;
    let mut bytes = [0; 16];
    // Where a system has no chance to give, nothing on it is safe; what is made then cannot be used twice by accident.
    if getrandom::fill(&mut bytes).is_err() {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    }
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
