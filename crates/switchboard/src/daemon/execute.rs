//! A plan carried out: the hands of the daemon. What comes of each step goes back as an event.

mod ending;
mod lost;
mod record;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::flow::{Client, Event, Outcome, Plan, Reading, Source};
use switchboard_core::name::{ClientId, ServerName};
use switchboard_core::problem::{Parsed, Problem};
use switchboard_core::settings::{Mode, Settings, Via};
use switchboard_host::dirs::Env;
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::watch::{Content, Watch};
use tokio::sync::{oneshot, watch};
use tracing::{debug, error, info, warn};

use super::board::{Board, Bulletin};
use super::desk::Asked;
use super::doors::{Doors, overridden};
use super::facts::Facts;
use super::notify::{self, Stage};
use super::passing;
use super::policing::Policed;
use super::service::Service;
use super::telling::{note, tell_problems};
use super::view::View;
use crate::ask::{Answer, Ask};
use crate::cli::{Command, Serve};
use crate::execute::{Choice, Pushed, push_all};
use crate::fail::Failure;
use crate::home::{Home, now};
use crate::observe::{Linked, Observer, linked};
use crate::sync::Moment;

/// How long to wait for a home that another process holds, before something else is done.
const PATIENCE: Duration = Duration::from_millis(5);

/// Where a problem is that keeps us from all of our own files.
const EVERYWHERE: &str = "the home";

/// What makes this process the one daemon of its home.
pub(crate) struct Place {
    pub(crate) only: Lock,
    /// It makes room for a daemon that somebody asks for.
    pub(crate) passing: bool,
}

/// What carries plans out. It decides nothing.
pub(crate) struct Hands {
    /// What the command line says otherwise than the settings.
    args: Serve,
    env: Env,
    place: Place,
    /// The home, held while there is something to do in it.
    home: Option<Home>,
    /// The last settings that were in order.
    settings: Arc<Settings>,
    /// The text that those come from.
    settings_file: Option<Content>,
    /// The linked clients of those.
    clients: BTreeMap<ClientId, Linked>,
    board: watch::Sender<Arc<Board>>,
    doors: Doors,
    watch: Watch,
    /// What the files that matter held when they were last read or written.
    known: BTreeMap<PathBuf, (Source, Option<Content>)>,
    views: BTreeMap<ClientId, View>,
    /// The moment before our own files were read.
    read_at: Option<Moment>,
    /// The home has lost everything that it said, and what was in service stays.
    is_lost: bool,
    /// What is wrong with our own files.
    problems: Vec<(String, Problem)>,
    /// Answers to commands, kept until what the commands changed is known to everybody.
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    /// The servers in service.
    service: Service,
    since: u64,
    /// Who takes the place of this daemon when it ends.
    #[cfg(unix)]
    heir: Option<std::os::unix::net::UnixStream>,
}

impl Hands {
    /// Returns hands over the home of this environment.
    pub(crate) fn new(
        args: Serve,
        env: Env,
        place: Place,
        board: watch::Sender<Arc<Board>>,
        doors: Doors,
        watch: Watch,
        service: Service,
    ) -> Self {
        Self {
            args,
            env,
            place,
            home: None,
            settings: Arc::default(),
            settings_file: None,
            clients: BTreeMap::new(),
            board,
            doors,
            watch,
            known: BTreeMap::new(),
            views: BTreeMap::new(),
            read_at: None,
            is_lost: false,
            problems: Vec::new(),
            answers: Vec::new(),
            service,
            since: now(),
            #[cfg(unix)]
            heir: None,
        }
    }

    /// Carries a plan out, step by step in the order of its fields, and returns what came of it.
    ///
    /// A step that panics is told and counts as not done; the daemon goes on.
    pub(crate) fn carry_out(&mut self, plan: &Plan, asks: &mut VecDeque<Asked>) -> Vec<Event> {
        let mut events = Vec::new();
        if plan.answer {
            events.push(self.answer(asks));
        }
        if plan.read {
            events.push(self.read());
        }
        if plan.open {
            self.doors.open(&self.settings);
            events.push(Event::Opened);
        }
        for (server, version) in &plan.start {
            events.push(self.service.start(server, version));
        }
        if let Some(table) = &plan.publish {
            events.push(self.service.publish(table));
        }
        if let Some(revision) = plan.announce {
            self.announce();
            events.push(Event::Announced(revision));
        }
        if !plan.rewrite.is_empty() {
            if self.home.is_none() {
                // What stands there now decides, not what stood there when the home was last ours.
                events.push(self.read());
                return events;
            }
            let tended = catch_unwind(AssertUnwindSafe(|| self.tend(&plan.rewrite))).unwrap_or_else(|_| {
                error!("looking at clients' files failed inside");
                plan.rewrite.iter().map(|client| (client.clone(), Outcome::Again)).collect()
            });
            events.extend(tended.into_iter().map(|(client, outcome)| Event::Tended(client, outcome)));
        }
        if !plan.record.is_empty() {
            if self.home.is_none() {
                events.push(self.read());
                return events;
            }
            let is_kept = self.record(&plan.record);
            let event = if is_kept { Event::Recorded } else { Event::Unrecorded };
            events.extend(plan.record.iter().cloned().map(event));
        }
        if plan.judge {
            if self.home.is_none() {
                events.push(self.read());
                return events;
            }
            events.extend(self.judge());
        }
        for (server, version) in &plan.retire {
            events.push(self.service.retire(server, version));
        }
        if plan.watch {
            let files = self.known.iter().map(|(path, (_, held))| (path.clone(), *held)).collect();
            self.watch.set(files);
            events.push(Event::Watched);
        }
        self.show(plan.ready);
        events
    }

    /// Lets go of the home: whoever waits for it may have it. Whoever asked for a command has the answer now, when what
    /// it changed can be seen everywhere.
    pub(crate) fn rest(&mut self) {
        self.home = None;
        for (reply, answer) in self.answers.drain(..) {
            // Whoever asked may have left meanwhile.
            let _ = reply.send(answer);
        }
    }

    /// Takes note of a version of a server that answers, or does not.
    pub(crate) fn came(&mut self, server: &ServerName, version: &str, came: Result<(), String>) {
        self.service.came(server, version, came);
    }

    /// Returns which file it is that stands at this path.
    pub(crate) fn source(&self, path: &std::path::Path) -> Option<Source> {
        self.known.get(path).map(|(source, _)| source.clone())
    }

    /// Runs the commands that wait. Each takes hold of the home by itself, as on the command line. While somebody else has
    /// it, those that need it go on waiting, for as long as they would there, and keep nobody else from anything.
    fn answer(&mut self, asks: &mut VecDeque<Asked>) -> Event {
        self.home = None;
        let held = self.held().map(|error| crate::home::busy(&error));
        let wants_all = asks.iter().any(|asked| matches!(asked.ask.command, Command::Status));
        let facts = self.facts(wants_all);
        for asked in std::mem::take(asks) {
            let held = held.as_ref().filter(|_| !matches!(asked.ask.command, Command::Status));
            let answer = match held {
                Some(_) if asked.since.elapsed() < crate::home::PATIENCE => {
                    debug!(command = asked.ask.command.name(), "has to wait for the home");
                    asks.push_back(asked);
                    continue;
                }
                Some(failure) => Answer { failure: Some(failure.clone()), ..Answer::default() },
                None => self.run(asked.ask, &facts),
            };
            self.answers.push((asked.reply, answer));
        }
        if asks.is_empty() { Event::Answered } else { Event::Held }
    }

    fn run(&self, ask: Ask, facts: &Facts) -> Answer {
        debug!(command = ask.command.name(), "asked");
        catch_unwind(AssertUnwindSafe(|| ask.run(&self.env, Some(facts)))).unwrap_or_else(|_| {
            error!("a command failed inside");
            let failure = Failure::failed("run the command").because("it failed inside");
            Answer { failure: Some(failure), ..Answer::default() }
        })
    }

    /// Returns who has the home, when that is somebody else.
    fn held(&self) -> Option<LockError> {
        let dirs = crate::home::dirs(&self.env).ok()?;
        match Lock::acquire(&dirs, "switchboard serve", PATIENCE) {
            Err(error @ LockError::Held { .. }) => Some(error),
            // What else there is to say, the command itself says.
            _ => None,
        }
    }

    /// Returns what only we know; how the servers stand only where that is asked for.
    fn facts(&self, wants_all: bool) -> Facts {
        // What is wrong with one file, whoever reads it sees.
        let own = self.problems.iter().filter(|(place, _)| place == EVERYWHERE).cloned();
        let refused = |view: &View| Some((view.path.display().to_string(), view.refusal()?));
        let clients = self.views.values().filter_map(refused);
        Facts {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            since: self.since,
            listen: self.doors.address(),
            watches: self.watch.health().native,
            servers: if wants_all { self.service.standings() } else { Vec::new() },
            problems: own
                .chain(clients)
                .chain(self.doors.problems())
                .chain(self.service.problems())
                .collect(),
        }
    }

    /// Reads our own files, and takes a changed catalogue in as a new revision.
    fn read(&mut self) -> Event {
        self.home = None;
        if !self.doors.are_in_place()
            && let Some(event) = self.put_back()
        {
            return event;
        }
        let read = catch_unwind(AssertUnwindSafe(|| self.read_home()));
        match read {
            Ok(Ok(reading)) => Event::Read(reading),
            Ok(Err(failure)) => {
                if failure.is_busy() {
                    debug!("the home is in another process's hands");
                } else {
                    let problems = vec![(EVERYWHERE.to_owned(), Problem::error(failure.sentence()))];
                    // Told once, and tried again and again.
                    debug!("our own files could not be read, which will be tried again");
                    tell_problems(&self.problems, &problems);
                    self.problems = problems;
                    self.show(false);
                }
                Event::Unread
            }
            Err(_) => {
                error!("reading our own files failed inside");
                Event::Unread
            }
        }
    }

    /// Has the daemon be found again after its socket, or the whole home, was taken away. Where another daemon has come
    /// meanwhile, the home is that one's.
    fn put_back(&mut self) -> Option<Event> {
        let dirs = crate::home::dirs(&self.env).ok()?;
        let put_back = match passing::take_again(&dirs, self.place.passing) {
            Err(LockError::Held { .. }) => {
                warn!("another daemon serves this home by now: this one ends");
                return Some(Event::Stop);
            }
            Err(error) => Err(Failure::failed("take the lock again").caused_by(&error)),
            Ok(again) => {
                if let Some(again) = again {
                    self.place.only = again;
                }
                self.doors.put_back(&dirs)
            }
        };
        match put_back {
            Ok(()) => info!("the control socket was taken away, and is there again"),
            Err(failure) => debug!(error = failure.sentence(), "the control socket is still away"),
        }
        None
    }

    fn read_home(&mut self) -> Result<Reading, Failure> {
        self.read_at = Some(Moment::now());
        let mut home = Home::hold_within(PATIENCE, self.env.clone(), "switchboard serve")?;
        let mut problems: Vec<(String, Problem)> = Vec::new();
        let name = home.short(&home.dirs.catalogue());
        problems.extend(home.catalogue.problems.iter().map(|problem| (name.clone(), problem.clone())));
        let name = home.short(&home.dirs.settings());
        problems.extend(home.settings.problems.iter().map(|problem| (name.clone(), problem.clone())));
        let text = Some(home.settings_held);
        let lost = self.is_gone(&home);
        self.is_lost = lost.is_some();
        if let Some((catalogue, problem)) = lost {
            home.catalogue.catalogue = catalogue;
            home.settings = Parsed { value: Settings::clone(&self.settings), problems: Vec::new() };
            problems.push((EVERYWHERE.to_owned(), problem));
        } else if home.settings.is_good() {
            // The very same ones where nothing changed: what follows from them need not be made again.
            if self.settings_file != text {
                let http = overridden(&home.settings.value.http, &self.args);
                self.settings = Arc::new(Settings { http, ..home.settings.value.clone() });
                self.settings_file = text;
            }
        } else {
            // The last good ones stay in force, for everything that is done in this home from here on.
            home.settings = Parsed { value: Settings::clone(&self.settings), problems: Vec::new() };
        }
        // What the command line says otherwise counts for clients' files as well.
        home.settings.value.http = self.settings.http.clone();
        match linked(&home) {
            Ok(clients) => {
                self.clients = clients.into_iter().map(|linked| (linked.id().clone(), linked)).collect();
            }
            Err(failure) => problems.push((name, Problem::error(failure.sentence()))),
        }
        let policed = self.service.police(&home, self.is_lost, &self.settings);
        let name = home.short(&home.dirs.policy());
        problems.extend(policed.problems.iter().map(|problem| (name.clone(), problem.clone())));
        problems.extend(home.notes.iter().map(|note| ("the state".to_owned(), Problem::warning(note))));
        tell_problems(&self.problems, &problems);
        self.problems = problems;
        self.keep_up(&mut home)?;
        self.know(&home, &policed);
        self.service.read(&home.catalogue.catalogue, &self.settings);
        let reading = self.reading(&home, policed.policy);
        self.home = Some(home);
        Ok(reading)
    }

    /// Takes note of what our own files hold, and forgets files that do not matter any more.
    fn know(&mut self, home: &Home, policed: &Policed) {
        let own = [
            (home.dirs.catalogue(), Source::Catalogue, home.catalogue.held),
            (home.dirs.settings(), Source::Settings, home.settings_held),
            (home.dirs.policy(), Source::Policy, policed.policy),
            (home.dirs.pins(), Source::Policy, policed.pins),
        ];
        let mut known = BTreeMap::new();
        for linked in self.clients.values() {
            let held = self.known.get(&linked.path).and_then(|(_, held)| *held);
            known.insert(linked.path.clone(), (Source::Client(linked.id().clone()), held));
        }
        known.extend(own.into_iter().map(|(path, source, held)| (path, (source, Some(held)))));
        self.known = known;
        debug!("looked at everything of our own");
        self.views.retain(|client, _| self.clients.contains_key(client));
    }

    fn reading(&self, home: &Home, policy: Content) -> Reading {
        let sync = &self.settings.client_sync;
        let clients = self.clients.values().map(|linked| {
            let auto = is_auto(linked, &self.settings);
            let http = (linked.settings.via == Via::Http).then_some(&self.settings.http);
            let settings = format!("{:?}", (&linked.settings, &linked.path, http));
            (linked.id().clone(), Client { auto, settings })
        });
        let said = self.service.said();
        Reading {
            revision: home.history.last().map_or(0, |entry| entry.revision.number),
            doors: format!("{:?}", (&self.settings.http, sync)),
            servers: self.service.versions(),
            policy: format!("{:?} {said}", (&self.settings.policy, policy)),
            service: said,
            clients: clients.collect(),
        }
    }

    /// Puts the revision in service on the board.
    fn announce(&mut self) {
        let Some(home) = &self.home else { return };
        let Some(entry) = home.history.last().cloned() else { return };
        info!(revision = entry.revision.number, "{}", entry.reason);
        let past = Arc::new(home.history.entries.clone());
        let catalogue = Arc::new(home.catalogue.catalogue.clone());
        let bulletin = Bulletin::new(entry, catalogue);
        self.board.send_modify(|board| {
            let mut new = Board::clone(board);
            new.past = past;
            new.announce(bulletin);
            *board = Arc::new(new);
        });
    }

    /// Looks at clients' files, and writes what is pending where they are kept in step at once.
    fn tend(&mut self, ids: &BTreeSet<ClientId>) -> Vec<(ClientId, Outcome)> {
        let again = || ids.iter().map(|id| (id.clone(), Outcome::Again)).collect();
        let Some(home) = self.home.as_mut() else { return again() };
        let chosen = ids.iter().filter_map(|id| self.clients.get(id));
        let (auto, manual): (Vec<&Linked>, Vec<&Linked>) =
            chosen.partition(|linked| is_auto(linked, &self.settings));
        let watch = &self.watch;
        let pushed = push_all(home, &auto, &Choice::default(), &mut |path, hash| watch.expect(path, hash));
        let pushed = match pushed {
            Ok(pushed) => pushed,
            Err(failure) => {
                warn!(error = failure.sentence(), "nothing is written");
                return again();
            }
        };
        let looked = Observer::new(home).map(|observer| {
            let same = observer.same();
            manual.iter().map(|linked| observer.look(linked, &same)).collect::<Vec<_>>()
        });
        let looked = looked.unwrap_or_default().into_iter().map(|look| {
            let now = look.file.as_ref().map(|file| file.hash);
            (None, Some(look), now)
        });
        let pushed = pushed.into_iter().map(|Pushed { push, look, now }| (Some(push), look, now));
        let seen: Vec<_> = pushed.chain(looked).collect();
        auto.into_iter()
            .chain(manual)
            .map(Linked::id)
            .cloned()
            .zip(seen)
            .map(|(id, (push, look, now))| {
                let outcome = note(&mut self.known, &mut self.views, &id, push.as_ref(), look.as_ref(), now);
                (id, outcome)
            })
            .collect()
    }

    /// Brings everything but the revision on the board up to date.
    fn show(&mut self, ready: bool) {
        let mut problems = self.problems.clone();
        problems.extend(self.doors.problems());
        problems.extend(self.service.problems());
        let bridge = self.home.as_ref().and_then(|home| home.bridge().ok());
        self.board.send_if_modified(|board| {
            let mut new = Board::clone(board);
            new.settings = Arc::clone(&self.settings);
            if let Some(bridge) = bridge {
                new.bridge = Arc::new(bridge.without_tokens());
            }
            let ready = ready || board.ready;
            if ready && !board.ready {
                let address = self.doors.address().unwrap_or_default();
                notify::tell(Stage::Ready, &format!("revision {}, http://{address}", new.number()));
                info!("ready");
            }
            let same = *new.problems == problems && *new.clients == self.views && board.ready == ready;
            new.problems = Arc::new(problems);
            new.clients = Arc::new(self.views.clone());
            new.ready = ready;
            *board = Arc::new(new);
            !same
        });
    }
}

/// Returns whether a client's file is written at once.
fn is_auto(linked: &Linked, settings: &Settings) -> bool {
    linked.settings.mode == Mode::Auto && settings.client_sync.auto_write_enabled
}
