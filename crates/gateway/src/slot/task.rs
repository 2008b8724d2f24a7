//! The task of a slot: the loop around the phases of its connection.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use switchboard_core::upstream::{Action, Event, Phase, step};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{Slot, Told, handshake, lists};
use crate::gateway::Inside;
use crate::offer::{Item, Offer};
use crate::trouble::Trouble;
use crate::upstream::Upstream;

/// How often a connection that drains is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// The pause between two looks at lists that change and change; it doubles up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

type Attempt = BoxFuture<'static, Result<(Arc<Upstream>, Arc<Offer>), Trouble>>;

/// What a task has in its hands.
struct Task {
    slot: Arc<Slot>,
    gateway: Arc<Inside>,
    phase: Phase,
    /// The attempt under way.
    attempt: Option<Attempt>,
    /// The connection, once it is made.
    up: Option<Arc<Upstream>>,
    /// The question under way whether it is well.
    check: Option<BoxFuture<'static, bool>>,
    /// The look at changed lists under way.
    look: Option<BoxFuture<'static, Option<Arc<Offer>>>>,
    /// No further look before then.
    next_look: tokio::time::Instant,
    pause: Duration,
}

/// Runs until the slot is gone.
pub(super) async fn run(slot: Arc<Slot>, gateway: Arc<Inside>, mut heard: mpsc::Receiver<Told>) {
    let mut task = Task {
        slot,
        gateway,
        phase: Phase::new(),
        attempt: None,
        up: None,
        check: None,
        look: None,
        next_look: tokio::time::Instant::now(),
        pause: PAUSES.0,
    };
    if task.slot.generation.said().rules.idle_stop.is_none() && task.slot.key.session.is_none() {
        task.happened(Event::Wanted, None);
    }
    while task.phase != Phase::Gone {
        let (event, why) = task.next(&mut heard).await;
        if let Some(event) = event {
            task.happened(event, why);
        }
    }
    task.slot.standing.send_replace(super::Standing { phase: Phase::Gone, ..task.slot.standing() });
}

impl Task {
    /// Waits for something to happen.
    async fn next(&mut self, heard: &mut mpsc::Receiver<Told>) -> (Option<Event>, Option<Trouble>) {
        let due = self.due();
        tokio::select! {
            biased;
            told = heard.recv() => match told {
                None => (Some(Event::Retire), None),
                Some(Told::Event(event)) => (Some(event), None),
                Some(Told::Announced(tools)) => {
                    self.announced(&tools);
                    (None, None)
                }
                Some(Told::Lost(upstream, why)) => {
                    let ours = self.up.as_ref().is_some_and(|up| Arc::as_ptr(up) == upstream.as_ptr());
                    (ours.then_some(Event::Lost), Some(Trouble::Lost(why)))
                }
            },
            came = maybe(&mut self.attempt) => {
                self.attempt = None;
                match came {
                    Ok((up, offer)) => {
                        self.connected(Arc::clone(&up), &offer);
                        // It fell before it was ours, when the word of it was of no interest.
                        if let Some(why) = up.over() {
                            self.slot.lost(&up.me(), why.to_owned());
                        }
                        (Some(Event::Connected), None)
                    }
                    Err(trouble @ Trouble::Login(_)) => (Some(Event::Unauthorized), Some(trouble)),
                    Err(trouble) => (Some(Event::Failed), Some(trouble)),
                }
            }
            alive = maybe(&mut self.check) => {
                self.check = None;
                let silent = || Trouble::Lost("it does not answer when it is asked whether it is well".to_owned());
                if alive { (Some(Event::Alive), None) } else { (Some(Event::Silent), Some(silent())) }
            }
            offer = maybe(&mut self.look) => {
                self.look = None;
                if let Some(offer) = offer {
                    self.slot.offers(&offer);
                }
                (None, None)
            }
            () = self.slot.stale_bell.notified(), if self.up.is_some() && self.look.is_none() => {
                self.look_again();
                (None, None)
            }
            () = until(due) => {
                let used = self.up.as_ref().map_or(Duration::ZERO, |up| up.used());
                let calls = match (&self.up, &self.phase) {
                    (Some(up), Phase::Draining { .. }) if up.lets_go() => 0,
                    (Some(up), Phase::Draining { .. }) => up.in_flight().max(1),
                    (None, Phase::Draining { .. }) => 0,
                    // Whoever subscribed uses it, though nobody calls.
                    (up, _) => {
                        let calls = up.as_ref().map_or(0, |up| up.in_flight() + up.tasks());
                        calls + usize::from(self.slot.back.has_subscribers())
                    }
                };
                (Some(Event::Time { calls, used }), None)
            }
        }
    }

    fn due(&self) -> Option<tokio::time::Instant> {
        let now = self.gateway.sweep.now();
        let due = match self.phase {
            Phase::Draining { until } => Some(until.min(now + LOOK)),
            _ => self.phase.due(&self.slot.generation.said().rules),
        };
        due.map(|due| tokio::time::Instant::now() + due.saturating_sub(now))
    }

    /// Takes one step, and does what follows from it.
    fn happened(&mut self, event: Event, why: Option<Trouble>) {
        let now = self.gateway.sweep.now();
        let said = self.slot.generation.said();
        let rules = &said.rules;
        let before = self.phase.word();
        let stood = self.phase.clone();
        let (mut phase, mut actions) =
            step(std::mem::take(&mut self.phase), event, now, rules, seed(&self.slot));
        if let (Phase::Ready(_), Phase::Idle { .. }, Event::Time { .. }) = (&stood, &phase, event)
            && self.up.as_ref().is_some_and(|up| !up.lets_go())
        {
            // A call came in this very moment: it is used after all.
            (phase, actions) = step(stood, Event::Wanted, now, rules, seed(&self.slot));
        }
        self.phase = phase;
        let mut refused = false;
        for action in actions {
            match action {
                Action::Connect => self.attempt = Some(Box::pin(handshake::connect(Arc::clone(&self.slot)))),
                Action::Check => self.check(),
                Action::Refuse => refused = true,
                Action::Fail => {
                    if let Some(up) = &self.up {
                        up.fail_all(why.as_ref().unwrap_or(&Trouble::Drained));
                    }
                }
                Action::Close => self.close(),
            }
        }
        self.show(before, event, why, refused);
        if matches!(self.phase, Phase::Idle { .. })
            && event == Event::Lost
            && self.slot.back.has_subscribers()
        {
            self.slot.tell(Event::Wanted);
        }
    }

    fn show(&self, before: &'static str, event: Event, why: Option<Trouble>, refused: bool) {
        let word = self.phase.word();
        let ended = matches!(event, Event::Connected | Event::Failed | Event::Unauthorized);
        self.slot.standing.send_modify(|standing| {
            let tries = matches!(self.phase, Phase::Connecting { .. });
            // One attempt upon the other is no new chance for who waits.
            let since = standing.tried_since.filter(|_| matches!(standing.phase, Phase::Connecting { .. }));
            standing.tried_since = tries.then(|| since.unwrap_or_else(tokio::time::Instant::now));
            standing.phase = self.phase.clone();
            standing.refused += u64::from(refused);
            standing.attempts += u64::from(ended);
            match (event, &why) {
                (Event::Connected | Event::Alive, _) => standing.why = None,
                (_, Some(why)) => standing.why = Some(why.clone()),
                _ => {}
            }
        });
        if word == before && !ended {
            return;
        }
        let server = self.slot.generation.name.as_str();
        let why = why.map(|why| why.to_string());
        if let Some(why) = &why {
            warn!(server, phase = word, why, "a server's connection failed");
        } else {
            info!(server, phase = word, "a server's connection changed");
        }
        self.slot.generation.log.transition(word, why);
    }

    fn connected(&mut self, up: Arc<Upstream>, offer: &Arc<Offer>) {
        self.gateway.sweep.watch(&up);
        self.up = Some(Arc::clone(&up));
        // First what it offers, by which its calls are judged.
        self.slot.offers(offer);
        self.slot.up.store(Some(up));
        self.slot.back.connected(&self.slot);
    }

    /// Takes over what somebody else says of the tools, as far as they can be called over this connection.
    fn announced(&self, tools: &[Item]) {
        let Some(offer) = self.slot.own_offer() else { return };
        let can = |item: &&Item| match (&self.up, std::str::from_utf8(&item.raw)) {
            (Some(up), Ok(raw)) => up.link.offered(raw).is_ok(),
            _ => true,
        };
        self.slot.offers(&Arc::new(offer.with_tools(tools.iter().filter(can).cloned().collect())));
    }

    fn close(&mut self) {
        self.attempt = None;
        self.check = None;
        self.look = None;
        self.slot.up.store(None);
        if let Some(up) = self.up.take() {
            up.link.close();
            // Calls that began in this very moment are told, too.
            up.fail_all(&Trouble::Lost("its connection was closed".to_owned()));
        }
    }

    fn check(&mut self) {
        let said = self.slot.generation.said();
        let (Some(up), Some(health)) = (self.up.clone(), &said.rules.health) else { return };
        let limit = health.timeout;
        let method = match up.era() {
            switchboard_core::mcp::revision::Era::Legacy => "ping",
            switchboard_core::mcp::revision::Era::Modern => "server/discover",
        };
        self.check = Some(Box::pin(async move {
            let (params, before) = (handshake::own_params(&up), up.heard());
            // A server that does one thing at a time does not answer while it does it, but may tell how far it is.
            up.ask(method, params.as_deref(), limit).await.is_ok() || up.heard() != before
        }));
    }

    /// Looks at lists that have changed; again and again only at growing distances.
    fn look_again(&mut self) {
        let Some(up) = self.up.clone() else { return };
        let slot = Arc::clone(&self.slot);
        let now = tokio::time::Instant::now();
        self.pause =
            if now < self.next_look + self.pause { (self.pause * 2).min(PAUSES.1) } else { PAUSES.0 };
        let from = self.next_look.max(now);
        self.next_look = from + self.pause;
        self.look = Some(Box::pin(async move {
            tokio::time::sleep_until(from).await;
            lists::again(&slot, &up).await
        }));
    }
}

/// Waits for a future that may not be there.
async fn maybe<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => Pin::new(future).await,
        None => pending().await,
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
    }
}

/// What tells the delays of one connection from those of another.
pub(super) fn seed(slot: &Slot) -> u64 {
    let mut bytes = [0; 8];
    // Without chance the delays are still right, only less spread.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes) ^ slot.key.session.unwrap_or_default()
}
