//! Who wants to hear of which resource, and what the server was asked of that (requirement C7).
//!
//! Of each resource a server is asked one thing at a time, so that the last word of its clients is what stands in the
//! end; whoever subscribes is told yes when the server has said so.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switchboard_core::mcp::revision::Era;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Slot;
use super::back::updated;
use crate::envelope::Envelope;
use crate::upstream::{Answer, Upstream};

/// A subscription is kept so long after the last one left it.
const LINGER: Duration = Duration::from_secs(1);

/// How long a server may take to say yes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server said, or why it was not to be had: the error, as it is answered.
pub(crate) type Agreed = Result<(), String>;

/// The resources of one connection that somebody wants to hear of.
#[derive(Default)]
pub(super) struct Subscribers(Mutex<HashMap<String, Resource>>);

/// One of them.
struct Resource {
    present: HashSet<u64>,
    /// When the last one left.
    left: Instant,
    asked: Asked,
    /// Something brings what was asked in line with what is wanted.
    busy: bool,
    /// The server was asked before, at a connection that is no more: what changed meanwhile is told as a change.
    missed: bool,
    /// Those who wait for the server's word, by their sessions.
    waiting: Vec<(u64, oneshot::Sender<Agreed>)>,
}

/// What the server knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
    /// It is being told that nobody wants to hear of it any more.
    Ending,
}

/// What is to be done next about a resource.
enum Step {
    Done,
    Linger(Instant),
    Begin,
    End,
}

impl Resource {
    fn new() -> Self {
        Self {
            present: HashSet::new(),
            left: Instant::now(),
            asked: Asked::No,
            busy: false,
            missed: false,
            waiting: Vec::new(),
        }
    }

    fn answer(&mut self, agreed: &Agreed) {
        for (session, waits) in self.waiting.drain(..) {
            if agreed.is_err() {
                self.present.remove(&session);
            }
            // Whoever asked may have left meanwhile.
            let _ = waits.send(agreed.clone());
        }
    }

    fn leaves(&mut self, session: u64) {
        if self.present.remove(&session) && self.present.is_empty() {
            self.left = Instant::now();
        }
    }

    /// Returns whether somebody has to begin, because nobody does yet.
    fn begins(&mut self) -> bool {
        let settled = match self.asked {
            Asked::Yes => !self.present.is_empty(),
            Asked::No | Asked::Ending => false,
        };
        !settled && !std::mem::replace(&mut self.busy, true)
    }
}

impl Subscribers {
    /// Returns the sessions that want to hear of a resource.
    pub(super) fn of(&self, uri: &str) -> HashSet<u64> {
        self.all().get(uri).map(|resource| resource.present.clone()).unwrap_or_default()
    }

    /// Returns whether a session hears of a resource from here.
    pub(super) fn has(&self, session: u64, uri: &str) -> bool {
        self.all().get(uri).is_some_and(|resource| resource.present.contains(&session))
    }

    /// Returns whether anybody wants to hear of anything.
    pub(super) fn any(&self) -> bool {
        self.all().values().any(|resource| !resource.present.is_empty())
    }

    /// The request that asks a stateless server for all of them is about to be sent. Returns what it asks for, and what
    /// of that the server had been asked for at a connection that is no more.
    fn all_asked(&self) -> (Vec<String>, Vec<String>) {
        let (mut uris, mut missed) = (Vec::new(), Vec::new());
        for (uri, resource) in &mut *self.all() {
            if resource.present.is_empty() && resource.left.elapsed() >= LINGER {
                resource.asked = Asked::No;
                continue;
            }
            resource.asked = Asked::Yes;
            resource.answer(&Ok(()));
            uris.push(uri.clone());
            if std::mem::take(&mut resource.missed) {
                missed.push(uri.clone());
            }
        }
        (uris, missed)
    }

    /// A new connection is there, whose server knows of nothing. Returns what nobody attends to yet.
    fn forgotten(&self) -> Vec<String> {
        let mut begin = Vec::new();
        for (uri, resource) in &mut *self.all() {
            resource.missed |= resource.asked == Asked::Yes && !resource.present.is_empty();
            resource.asked = Asked::No;
            if resource.begins() {
                begin.push(uri.clone());
            }
        }
        begin
    }

    fn step(&self, uri: &str) -> Step {
        let mut all = self.all();
        let Some(resource) = all.get_mut(uri) else { return Step::Done };
        match (resource.asked, resource.present.is_empty()) {
            (Asked::No | Asked::Ending, false) => return Step::Begin,
            (Asked::Yes, true) => {
                resource.answer(&Ok(()));
                let until = resource.left + LINGER;
                if until > Instant::now() {
                    return Step::Linger(until);
                }
                resource.asked = Asked::Ending;
                return Step::End;
            }
            (Asked::Yes, false) => {
                resource.answer(&Ok(()));
                resource.busy = false;
            }
            (Asked::No | Asked::Ending, true) => {
                // Whoever left before the server was asked has nothing to complain of.
                resource.answer(&Ok(()));
                all.remove(uri);
            }
        }
        Step::Done
    }

    /// The server has said yes. Returns whether it had been asked before.
    fn agreed(&self, uri: &str) -> bool {
        let mut all = self.all();
        let Some(resource) = all.get_mut(uri) else { return false };
        resource.asked = Asked::Yes;
        std::mem::take(&mut resource.missed)
    }

    /// The server has said no, or is not to be had. Whoever was told yes before waits for the next connection.
    fn refused(&self, uri: &str, why: String, for_good: bool) {
        let mut all = self.all();
        let Some(resource) = all.get_mut(uri) else { return };
        resource.asked = Asked::No;
        resource.busy = false;
        resource.answer(&Err(why));
        if for_good || !resource.missed {
            all.remove(uri);
        }
    }

    fn ended(&self, uri: &str) {
        if let Some(resource) = self.all().get_mut(uri).filter(|resource| resource.asked == Asked::Ending) {
            resource.asked = Asked::No;
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Resource>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Subscribes a session to resources from this moment on, and returns what the server will say of each, in their
    /// order.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        session: u64,
        uris: &[String],
    ) -> Vec<oneshot::Receiver<Agreed>> {
        let mut begin = Vec::new();
        let mut all = self.back.subscribers.all();
        let agreed = uris.iter().map(|uri| {
            let (agrees, agreed) = oneshot::channel();
            let resource = all.entry(uri.clone()).or_insert_with(Resource::new);
            resource.present.insert(session);
            resource.waiting.push((session, agrees));
            if resource.begins() {
                begin.push(uri.clone());
            } else if resource.asked == Asked::Yes {
                resource.answer(&Ok(()));
            }
            agreed
        });
        let agreed = agreed.collect();
        drop(all);
        self.settle(begin);
        agreed
    }

    /// Returns whether a session hears of a resource from here.
    pub(crate) fn tells(&self, session: u64, uri: &str) -> bool {
        self.back.subscribers.has(session, uri)
    }

    /// Ends a session's subscription; when it was the last one the server is told after a while.
    pub(crate) fn unsubscribe(self: &Arc<Self>, session: u64, uri: &str) {
        let begins = self.back.subscribers.all().get_mut(uri).is_some_and(|resource| {
            resource.leaves(session);
            resource.begins()
        });
        self.settle(begins.then(|| uri.to_owned()));
    }

    /// Ends all subscriptions of a session.
    pub(super) fn unsubscribe_all(self: &Arc<Self>, session: u64) {
        let mut begin = Vec::new();
        for (uri, resource) in &mut *self.back.subscribers.all() {
            if resource.present.contains(&session) {
                resource.leaves(session);
                if resource.begins() {
                    begin.push(uri.clone());
                }
            }
        }
        self.settle(begin);
    }

    /// A new connection is there: what the one before was asked for is asked again.
    pub(super) fn subscribe_again(self: &Arc<Self>, upstream: &Arc<Upstream>) {
        let begin = self.back.subscribers.forgotten();
        if upstream.era() == Era::Modern {
            self.listen_up(upstream);
        }
        self.settle(begin);
    }

    /// Brings what the server was asked in line with what is wanted, of each of these resources by itself.
    fn settle(self: &Arc<Self>, uris: impl IntoIterator<Item = String>) {
        let Some(gateway) = self.gateway.upgrade() else { return };
        for uri in uris {
            gateway.tasks.spawn(settled(Arc::clone(self), uri));
        }
    }

    /// Asks the server to tell of a resource; `false` where that came to nothing, and is over.
    async fn begin(self: &Arc<Self>, uri: &str) -> bool {
        let (why, for_good) = match self.wanted().await {
            Ok(upstream) if upstream.era() == Era::Modern => {
                self.listen_up(&upstream);
                return true;
            }
            Ok(upstream) => match ask(&upstream, "resources/subscribe", uri).await {
                // What an earlier connection has agreed to the present one does not know.
                Ok(Answer::Result(_)) => {
                    if self.is_at(&upstream) && self.back.subscribers.agreed(uri) {
                        self.tell_updated(uri);
                    }
                    return true;
                }
                Ok(Answer::Error { whole, .. }) => (whole.get().to_owned(), true),
                Err(trouble) => (trouble.error(&self.generation.name), false),
            },
            Err(trouble) => (trouble.error(&self.generation.name), false),
        };
        self.back.subscribers.refused(uri, why, for_good);
        false
    }

    async fn end(self: &Arc<Self>, uri: &str) {
        match self.ready() {
            Some(upstream) if upstream.era() == Era::Modern => self.listen_up(&upstream),
            // A server that does not mind goes on telling, to nobody.
            Some(upstream) => drop(ask(&upstream, "resources/unsubscribe", uri).await),
            None => {}
        }
        self.back.subscribers.ended(uri);
    }

    /// Asks a stateless server to tell what changes: its lists, and all resources that are subscribed to.
    pub(super) fn listen_up(&self, upstream: &Arc<Upstream>) {
        // One after the other: the last request is the one that counts.
        let mut listens = self.back.listens();
        listens.1 = Some(Instant::now());
        let (uris, missed) = self.back.subscribers.all_asked();
        upstream.listen(&uris);
        drop(listens);
        for uri in missed {
            self.tell_updated(&uri);
        }
    }

    fn is_at(&self, upstream: &Arc<Upstream>) -> bool {
        self.ready().is_some_and(|ready| Arc::ptr_eq(&ready, upstream))
    }

    fn tell_updated(&self, uri: &str) {
        let bytes = updated(uri);
        if let Ok(envelope) = Envelope::read(&bytes) {
            self.updated(&envelope, &bytes);
        }
    }
}

async fn settled(slot: Arc<Slot>, uri: String) {
    loop {
        let goes_on = match slot.back.subscribers.step(&uri) {
            Step::Done => false,
            Step::Linger(until) => {
                tokio::time::sleep_until(until).await;
                true
            }
            Step::Begin => slot.begin(&uri).await,
            Step::End => {
                slot.end(&uri).await;
                true
            }
        };
        if !goes_on {
            return;
        }
    }
}

async fn ask(upstream: &Upstream, method: &str, uri: &str) -> Result<Answer, crate::trouble::Trouble> {
    let params = format!(r#"{{"uri":{}}}"#, serde_json::Value::from(uri));
    upstream.ask(method, Some(&params), PATIENCE).await
}
