//! The policy in force: read with the rest of our own files, given to the gateway, and what was called written down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;
use switchboard_core::policy::ToolPolicy;
use switchboard_core::policy::pins::Pins;
use switchboard_core::problem::Problem;
use switchboard_core::settings::Settings;
use switchboard_gateway::Gateway;
use switchboard_gateway::policy::{Audit, Entry, Policy};
use switchboard_host::audit::AuditLog;
use switchboard_host::file;
use switchboard_host::watch::Content;
use tracing::{info, warn};

use crate::home::{Home, save};
use crate::pins;
use crate::policy::PolicyFile;

/// So many calls wait to be written down; what is more, or cannot be written, is counted (`switchboard_audit_lost_total`).
const WAITING: usize = 32_768;

/// How long calls are gathered before they are written down.
const MOMENT: Duration = Duration::from_millis(100);

/// What callers are held to.
pub(super) struct Policing {
    book: Arc<Book>,
    /// The last file that was in order.
    good: ToolPolicy,
    /// What the file held when it was last read, and what was wrong with it.
    read: Option<(Content, Vec<Problem>)>,
    /// What tools were, and what the record of that held when it was last read.
    pins: (Option<Content>, Arc<Pins>),
    /// What was given to the gateway was made of these.
    given: Option<(Content, Arc<Pins>, Arc<Settings>)>,
}

/// What was read.
pub(super) struct Policed {
    /// What the policy file holds.
    pub(super) policy: Content,
    /// What the record of what tools were holds.
    pub(super) pins: Content,
    /// What is wrong with the policy file.
    pub(super) problems: Vec<Problem>,
}

impl Policing {
    /// Returns a policy that says nothing, and writes down in this record what is called.
    pub(super) fn new(log: AuditLog) -> Self {
        Self {
            book: Arc::new(Book::open(log)),
            good: ToolPolicy::default(),
            read: None,
            pins: (None, Arc::default()),
            given: None,
        }
    }

    /// Reads the files, and has the gateway hold callers to what it says. Where it is wrong, or the whole home `is_gone`,
    /// the last good one stays in force. Returns what stands there, and what is wrong.
    pub(super) fn read(
        &mut self,
        home: &Home,
        is_gone: bool,
        settings: &Arc<Settings>,
        gateway: &Gateway,
    ) -> Policed {
        let held = Content::of(&file::read(&home.dirs.policy()));
        if !is_gone && self.read.as_ref().is_none_or(|(before, _)| *before != held) {
            let problems = self.take(home);
            self.read = Some((held, problems));
        }
        let pins = self.look_at_pins(home, is_gone);
        let same = |(content, pins, before): &(Content, Arc<Pins>, Arc<Settings>)| {
            *content == held && Arc::ptr_eq(pins, &self.pins.1) && Arc::ptr_eq(before, settings)
        };
        if !self.given.as_ref().is_some_and(same) {
            self.given = Some((held, Arc::clone(&self.pins.1), Arc::clone(settings)));
            let policy = || Policy {
                file: self.good.clone(),
                settings: settings.policy.clone(),
                pins: Arc::clone(&self.pins.1),
                audit: Arc::clone(&self.book) as Arc<dyn Audit>,
            };
            gateway.set_policy(settings.policy.enforce.then(|| Arc::new(policy())).as_ref());
        }
        let problems = self.read.as_ref().map(|(_, problems)| problems.clone()).unwrap_or_default();
        Policed { policy: held, pins, problems }
    }

    /// Reads what tools were. A record that is damaged or gone is written again as it was: without it, whatever a tool has
    /// become would count as seen for the first time.
    fn look_at_pins(&mut self, home: &Home, is_gone: bool) -> Content {
        let held = || Content::of(&file::read(&home.dirs.pins()));
        let mut pins = held();
        if !is_gone && self.pins.0 != Some(pins) {
            match pins::load(&home.dirs) {
                Ok((read, note)) => {
                    note.iter().for_each(|note| warn!("{note}"));
                    let is_lost = note.is_some() || pins == Content::Missing;
                    if is_lost && *self.pins.1 != Pins::default() {
                        match save(&home.dirs.pins(), &*self.pins.1) {
                            Ok(()) => info!("what tools were is written down again"),
                            Err(failure) => {
                                warn!(error = failure.sentence(), "what tools were cannot be kept");
                            }
                        }
                        pins = held();
                        self.pins.0 = Some(pins);
                    } else {
                        self.pins = (Some(pins), Arc::new(read));
                    }
                }
                Err(failure) => warn!(error = failure.sentence(), "what tools were cannot be read"),
            }
        }
        // A server that is called otherwise from this moment on is held to what it was.
        let mut followed = Pins::clone(&self.pins.1);
        if !is_gone && followed.follow(&pins::launches(home)) {
            self.pins.1 = Arc::new(followed);
        }
        pins
    }

    fn take(&mut self, home: &Home) -> Vec<Problem> {
        let policy = match PolicyFile::look(home) {
            Ok(policy) => policy,
            Err(failure) => return vec![Problem::error(failure.sentence())],
        };
        // The whole home may go at any moment, with all that tells of it.
        let went = policy.file.is_none() && !self.good.rules().is_empty() && !home.dirs.catalogue().exists();
        if went && !policy.last_good {
            return vec![
                Problem::error("the policy is gone, and the catalogue with it").help("bring the folder back"),
            ];
        }
        if !policy.last_good && policy.file.is_some() {
            info!("the policy of the tools is in force");
        }
        // Where the file is wrong, what was good before we ran is known from the backups alone.
        if !policy.last_good || self.read.is_none() {
            self.good = policy.policy;
        }
        policy.problems
    }
}

/// Writes down what was called, behind those who call: what came within a moment is written at once, and a call costs no
/// more than to be put on the pile.
struct Book {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Vec<Entry>>,
    /// Nobody has anything to write down any more.
    over: AtomicBool,
}

impl Book {
    fn open(log: AuditLog) -> Self {
        let shared = Arc::<Shared>::default();
        let own = Arc::clone(&shared);
        let writer = std::thread::spawn(move || write(&own, &log));
        Self { shared, writer: Some(writer) }
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // One that has failed has nothing more to say.
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audit for Book {
    fn note(&self, entry: Entry) {
        // Only the first of a pile wakes whoever writes it.
        let first = {
            let mut waiting = self.shared.waiting();
            if waiting.len() >= WAITING {
                drop(waiting);
                metrics::counter!("switchboard_audit_lost_total").increment(1);
                return;
            }
            waiting.push(entry);
            waiting.len() == 1
        };
        if let Some(writer) = self.writer.as_ref().filter(|_| first) {
            writer.thread().unpark();
        }
    }
}

fn write(shared: &Shared, log: &AuditLog) {
    let (mut is_well, mut lines) = (true, Vec::new());
    loop {
        let is_over = shared.over.load(Ordering::Acquire);
        if !is_over && shared.waiting().is_empty() {
            std::thread::park();
            continue;
        }
        // More comes, as a rule; and each that comes wakes this thread, which is no reason to write it by itself.
        let until = Instant::now() + MOMENT;
        while let Some(left) = until.checked_duration_since(Instant::now())
            && !shared.over.load(Ordering::Acquire)
        {
            std::thread::park_timeout(left);
        }
        let entries = std::mem::take(&mut *shared.waiting());
        lines.clear();
        let at = crate::when::stamp(crate::home::now());
        entries.iter().for_each(|entry| line(entry, &at, &mut lines));
        let done = if lines.is_empty() { Ok(()) } else { log.append(&lines) };
        if done.is_err() {
            metrics::counter!("switchboard_audit_lost_total").increment(entries.len() as u64);
        }
        if let (Err(error), true) = (&done, is_well) {
            warn!(%error, "calls cannot be written down");
        }
        is_well = done.is_ok();
        if is_over {
            return;
        }
    }
}

/// A call, as it is written down.
#[derive(Serialize)]
struct Line<'e> {
    at: &'e str,
    who: &'e str,
    server: &'e str,
    tool: &'e str,
    decision: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'e str>,
    outcome: &'e str,
    ms: u64,
}

fn line(entry: &Entry, at: &str, lines: &mut Vec<u8>) {
    let line = Line {
        at,
        who: &entry.who,
        server: &entry.server,
        tool: &entry.tool,
        decision: entry.decision,
        why: entry.why.as_deref(),
        outcome: entry.outcome,
        ms: u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
    };
    // A vector takes everything, and nothing in a line cannot be written.
    let _ = serde_json::to_writer(&mut *lines, &line);
    lines.push(b'\n');
}
