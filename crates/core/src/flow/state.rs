//! What the daemon knows, as far as it decides what is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::event::{Event, Outcome, Reading, Source, pause};
use super::plan::Plan;
use super::service::Service;
use crate::name::{ClientId, ServerName};

/// What the daemon knows. It has one owner; events are the only way to change it.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Commands wait to be run.
    asked: When,
    /// Our own files may say something else than [`State::reading`].
    stale: When,
    /// What our own files said.
    reading: Option<Reading>,
    /// The settings that the doors were opened by.
    doors: Option<String>,
    /// The newest revision that was announced; 0 for none.
    announced: Option<u64>,
    /// The clients whose files are to be looked at, and not before when.
    behind: BTreeMap<ClientId, Behind>,
    /// The clients whose files are watched; `None` when nothing is yet.
    watched: Option<BTreeSet<ClientId>>,
    /// The servers that were started, and those in service.
    service: Service,
    /// The servers of which the registry may say something else than they do.
    unrecorded: BTreeMap<ServerName, Behind>,
    /// The policy of tools may not be what it should be by what is known of them.
    unjudged: bool,
    ending: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When {
    /// There is nothing to do.
    #[default]
    Never,
    Now,
    /// Not before this time, after so many tries: somebody else holds the home.
    At(Duration, u32),
}

impl When {
    fn is_due(self, now: Duration) -> bool {
        match self {
            Self::Never => false,
            Self::Now => true,
            Self::At(time, _) => time <= now,
        }
    }

    /// Returns the time after one more try that failed.
    fn again(self, now: Duration) -> Self {
        let tries = if let Self::At(_, tries) = self { tries + 1 } else { 0 };
        Self::At(now + patience(tries), tries)
    }

    fn time(self) -> Option<Duration> {
        if let Self::At(time, _) = self { Some(time) } else { None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Behind {
    tries: u32,
    not_before: Duration,
}

impl Behind {
    /// It could not be done now: it is tried again later, and later each time.
    fn failed(&mut self, now: Duration) {
        *self = Self { tries: self.tries + 1, not_before: now + pause(self.tries) };
    }
}

/// Returns those whose time has come.
fn due_of<K: Clone + Ord>(behind: &BTreeMap<K, Behind>, now: Duration) -> BTreeSet<K> {
    let due = behind.iter().filter(|(_, behind)| behind.not_before <= now);
    due.map(|(key, _)| key.clone()).collect()
}

/// How long to wait for a home that is in somebody else's hands: a command is done in a moment, a person is not.
fn patience(tries: u32) -> Duration {
    Duration::from_millis(20 << tries.min(8))
}

impl State {
    /// Takes an event in, at a time since the daemon began.
    pub fn fold(&mut self, event: Event, now: Duration) {
        match event {
            Event::Changed(Source::Catalogue | Source::Settings | Source::Policy) => self.stale = When::Now,
            Event::Changed(Source::Client(client)) => {
                if self.knows(&client) {
                    self.behind.insert(client, Behind::default());
                }
            }
            Event::Reload => {
                self.stale = When::Now;
                // One that could not be opened may open now.
                self.doors = None;
                self.look_at_all();
            }
            Event::Asked => self.asked = When::Now,
            Event::Due => {}
            Event::Stop => self.ending = true,
            // A command may have changed the catalogue, the settings, what is remembered of clients, and their files.
            Event::Answered => {
                self.asked = When::Never;
                self.stale = When::Now;
                self.look_at_all();
            }
            Event::Read(reading) => self.read(reading),
            Event::Held => self.asked = self.asked.again(now),
            Event::Unread => self.stale = self.stale.again(now),
            Event::Opened => self.doors = self.reading.as_ref().map(|reading| reading.doors.clone()),
            Event::Announced(revision) => self.announced = self.announced.max(Some(revision)),
            Event::Tended(client, outcome) => match (outcome, self.behind.get_mut(&client)) {
                (_, None) => {}
                (Outcome::Rest, Some(_)) => drop(self.behind.remove(&client)),
                (Outcome::Again, Some(behind)) => behind.failed(now),
            },
            Event::Started(server, version) => self.service.started(server, version),
            Event::Came(server, version, well) => self.service.came(&server, &version, well),
            Event::Published(serving, said) => self.service.published(serving, said),
            Event::Retired(server, version) => {
                self.service.forget(&server, &version);
                self.service.retired(server, version);
            }
            Event::Offers(server) => drop(self.unrecorded.insert(server, Behind::default())),
            Event::Unrecorded(server) => {
                if let Some(behind) = self.unrecorded.get_mut(&server) {
                    behind.failed(now);
                }
            }
            Event::Recorded(server) => {
                self.unrecorded.remove(&server);
                self.unjudged = true;
            }
            Event::Judged => self.unjudged = false,
            Event::Watched => self.watched = Some(self.clients()),
        }
    }

    /// Returns what is to be done at this time.
    ///
    /// What has to be read before anything else can be decided stands alone in the plan.
    pub fn plan(&self, now: Duration) -> Plan {
        if self.ending {
            return Plan { end: true, ..Plan::default() };
        }
        let answer = self.asked.is_due(now);
        let read = self.stale.is_due(now);
        if answer || read {
            return Plan { answer, read: read && !answer, ..Plan::default() };
        }
        let waits = self.stale != When::Never;
        let Some(reading) = self.reading.as_ref().filter(|_| !waits) else {
            // Without the home in our hands nothing can be done in it.
            return Plan { due: self.due(), ..Plan::default() };
        };
        let mut plan = Plan {
            open: self.doors.as_ref() != Some(&reading.doors),
            announce: Some(reading.revision).filter(|revision| self.announced < Some(*revision)),
            rewrite: due_of(&self.behind, now),
            record: due_of(&self.unrecorded, now),
            judge: self.unjudged,
            watch: self.watched.as_ref() != Some(&self.clients()),
            ..Plan::default()
        };
        self.service.plan(&reading.servers, &reading.service, &mut plan);
        plan.due = self.due();
        plan.ready = plan.is_empty();
        plan
    }

    /// A client is behind when it is new, when it is told otherwise, or when the catalogue changed.
    fn read(&mut self, reading: Reading) {
        self.stale = When::Never;
        let before = self.reading.replace(reading).unwrap_or_default();
        self.unjudged |= self.reading.as_ref().is_some_and(|now| now.policy != before.policy);
        let now = self.reading.as_ref().map(|now| (now.revision, &now.clients));
        let Some((revision, clients)) = now else { return };
        self.behind.retain(|client, _| clients.contains_key(client));
        let servers = self.reading.as_ref().map(|reading| &reading.servers);
        self.unrecorded.retain(|server, _| servers.is_some_and(|servers| servers.contains_key(server)));
        for (id, client) in clients {
            if before.revision != revision || before.clients.get(id) != Some(client) {
                self.behind.insert(id.clone(), Behind::default());
            }
        }
    }

    fn look_at_all(&mut self) {
        self.behind = self.clients().into_iter().map(|client| (client, Behind::default())).collect();
    }

    fn knows(&self, client: &ClientId) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.clients.contains_key(client))
    }

    fn clients(&self) -> BTreeSet<ClientId> {
        self.reading.iter().flat_map(|reading| reading.clients.keys()).cloned().collect()
    }

    fn due(&self) -> Option<Duration> {
        let files = match self.stale {
            When::At(time, _) => Some(time),
            _ => self.behind.values().chain(self.unrecorded.values()).map(|behind| behind.not_before).min(),
        };
        [self.asked.time(), files].into_iter().flatten().min()
    }
}
