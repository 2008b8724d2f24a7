//! The tasks that servers work on for clients, of which no call is in flight (requirement C12).
//!
//! Who may have a task is said by its id ([`crate::public`]). What is known of tasks is for keeping their servers, for
//! finding the connection that has them, and for telling those who began them, and nobody else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use switchboard_core::name::ServerName;
use tokio::time::Instant;

use crate::public::Begun;
use crate::session::Session;
use crate::slot::Slot;
use crate::upstream::Upstream;

/// So many tasks of one holder are known; of more than that the one of theirs that was heard of longest ago is forgotten.
const MOST_EACH: usize = 256;

/// So many tasks are known of all.
const MOST: usize = 4096;

/// A task is taken to run for so long after it was last heard of, where its server does not keep it as long as that.
const LASTS: Duration = Duration::from_secs(60 * 60);

/// The tasks that servers work on.
#[derive(Default)]
pub(crate) struct Running(Mutex<Vec<Task>>);

struct Task {
    server: ServerName,
    /// What the server calls it.
    id: String,
    upstream: Weak<Upstream>,
    slot: Weak<Slot>,
    /// The call that began it, by its number at the server, and by whom.
    call: u64,
    session: Weak<Session>,
    who: Arc<str>,
    token: Option<Box<RawValue>>,
    /// Nothing more is to be had of it, so that its server need not stay; whose it is stays known.
    is_over: bool,
    /// So long it is kept after it was heard of.
    lasts: Duration,
    until: Instant,
}

/// The call that began a task.
pub(crate) struct Beginning<'c> {
    pub(crate) slot: Weak<Slot>,
    pub(crate) call: u64,
    pub(crate) session: &'c Weak<Session>,
    /// The holder, as [`Session::group`] has it.
    pub(crate) who: Arc<str>,
    pub(crate) token: Option<&'c RawValue>,
}

/// A task is another holder's.
#[derive(Debug)]
pub(crate) struct Anothers;

impl Running {
    /// A task has begun at a server.
    pub(crate) fn begins(&self, upstream: &Upstream, task: Begun, by: &Beginning<'_>) {
        let lasts = task.ttl.map_or(LASTS, |ttl| Duration::from_millis(ttl).min(LASTS));
        let mut all = self.all();
        // Whoever begins many forgets their own.
        let own = all.iter().filter(|task| task.who == by.who).count();
        if own >= MOST_EACH || all.len() >= MOST {
            let crowd = |task: &Task| own < MOST_EACH || task.who == by.who;
            let those = all.iter().enumerate().filter(|(_, task)| crowd(task));
            if let Some((oldest, _)) = those.min_by_key(|(_, task)| task.until) {
                all.remove(oldest);
            }
        }
        all.push(Task {
            server: upstream.server.clone(),
            id: task.id,
            upstream: upstream.me(),
            slot: by.slot.clone(),
            call: by.call,
            session: by.session.clone(),
            who: Arc::clone(&by.who),
            token: by.token.map(ToOwned::to_owned),
            is_over: false,
            lasts,
            until: Instant::now() + lasts,
        });
    }

    /// A task was heard of, or asked about.
    pub(crate) fn heard_of(&self, upstream: &Upstream, id: &str) {
        let me = upstream.me();
        for task in self.all().iter_mut().filter(|task| task.id == id && task.upstream.ptr_eq(&me)) {
            task.until = Instant::now() + task.lasts;
        }
    }

    /// Nothing more is to be had of a task.
    pub(crate) fn ended(&self, upstream: &Upstream, id: &str) {
        let me = upstream.me();
        for task in self.all().iter_mut().filter(|task| task.id == id && task.upstream.ptr_eq(&me)) {
            task.is_over = true;
        }
    }

    /// Returns how many tasks a connection works on.
    pub(crate) fn count(&self, upstream: &Upstream) -> usize {
        let me = upstream.me();
        self.all().iter().filter(|task| !task.is_over && task.upstream.ptr_eq(&me)).count()
    }

    /// Returns the connection that has a task of a holder's, which may be one of a version that is about to go: of several
    /// that give the same id, that of the one which this session began, or which is at `usual`, or that came last.
    ///
    /// # Errors
    /// As far as is known the task of that id is another holder's.
    pub(crate) fn slot(
        &self,
        server: &ServerName,
        id: &str,
        session: &Arc<Session>,
        usual: &Arc<Slot>,
    ) -> Result<Option<Arc<Slot>>, Anothers> {
        let (me, who) = (Arc::downgrade(session), session.group());
        let all = self.all();
        let those = || all.iter().rev().filter(|task| task.id == id && task.server == *server);
        let own = || those().filter(|task| task.who == who);
        let found = own()
            .find(|task| task.session.ptr_eq(&me))
            .or_else(|| own().find(|task| task.slot.as_ptr() == Arc::as_ptr(usual)))
            .or_else(|| own().next());
        match found {
            Some(task) => Ok(task.slot.upgrade()),
            None if session.is_restricted() && those().next().is_some() => Err(Anothers),
            None => Ok(None),
        }
    }

    /// Returns the connections to a server that work on tasks of a holder's, but for this one.
    pub(crate) fn others(&self, usual: &Arc<Slot>, who: &str) -> Vec<Arc<Slot>> {
        let mut slots: Vec<Arc<Slot>> = Vec::new();
        for task in self.all().iter() {
            let is_it = task.server == usual.generation.name && *task.who == *who && !task.is_over;
            let slot = task.slot.upgrade().filter(|slot| is_it && !Arc::ptr_eq(slot, usual));
            if let Some(slot) = slot.filter(|slot| slots.iter().all(|known| !Arc::ptr_eq(known, slot))) {
                slots.push(slot);
            }
        }
        slots
    }

    /// Returns who began a task: their session, and the holder.
    pub(crate) fn whose(&self, upstream: &Upstream, id: &str) -> Option<(Weak<Session>, Arc<str>)> {
        let me = upstream.me();
        let all = self.all();
        let task = all.iter().rev().find(|task| task.id == id && task.upstream.ptr_eq(&me))?;
        Some((task.session.clone(), Arc::clone(&task.who)))
    }

    /// Returns who hears of the progress of the task that a call began, and under which token.
    pub(crate) fn progress(&self, upstream: &Upstream, call: u64) -> Option<(Weak<Session>, Box<RawValue>)> {
        let me = upstream.me();
        let mut all = self.all();
        let task = all.iter_mut().find(|task| task.call == call && task.upstream.ptr_eq(&me))?;
        task.until = Instant::now() + task.lasts;
        Some((task.session.clone(), task.token.clone()?))
    }

    /// Returns the tasks that are still of interest to anybody.
    fn all(&self) -> MutexGuard<'_, Vec<Task>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|task| task.until > now && task.upstream.strong_count() > 0);
        all
    }
}
