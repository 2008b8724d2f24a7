//! The desk: what the doors (HTTP, control socket, D-Bus) can see of the daemon, and ask of it.

use std::sync::Arc;
use std::time::Instant;

use switchboard_host::dirs::Env;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::board::Board;
use super::feeds::Standings;
use super::inbox::Inbox;
use crate::ask::{self, Answer, Ask};
use crate::fail::Failure;

/// How many asks wait their turn; more are turned away at once rather than kept.
pub(crate) const WAITING: usize = 64;

/// How many commands that only read run at the same time.
const READERS: usize = 4;

/// How many of those that may have to wait for servers.
const WAITERS: usize = 4;

/// An ask, with where its answer goes.
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) reply: oneshot::Sender<Answer>,
    pub(crate) since: Instant,
}

/// The places of commands that run beside the daemon: those that wait for servers keep nobody from reading.
struct Beside {
    readers: Semaphore,
    waiters: Semaphore,
}

/// A handle on the daemon. Cheap to clone; it holds nothing that the daemon decides by.
#[derive(Clone)]
pub(crate) struct Desk {
    env: Arc<Env>,
    board: watch::Receiver<Arc<Board>>,
    asks: mpsc::Sender<Asked>,
    inbox: Inbox,
    feeds: watch::Receiver<Arc<Standings>>,
    /// How many may run beside the daemon at once; `None` where everything waits its turn.
    beside: Option<Arc<Beside>>,
    /// The doors were opened by the system, which starts a daemon for them whenever there is none.
    by_system: bool,
    /// It goes by itself when nobody needs it: nobody has asked for it by name.
    passing: bool,
}

impl Desk {
    /// Returns a desk over what is on the board, with a way to ask.
    pub(crate) fn new(
        env: Env,
        board: watch::Receiver<Arc<Board>>,
        asks: mpsc::Sender<Asked>,
        inbox: Inbox,
        feeds: watch::Receiver<Arc<Standings>>,
    ) -> Self {
        let beside = Beside { readers: Semaphore::new(READERS), waiters: Semaphore::new(WAITERS) };
        let beside = Some(Arc::new(beside));
        Self { env: Arc::new(env), board, asks, inbox, feeds, beside, by_system: false, passing: false }
    }

    /// Returns a desk that queues every ask, for tests with a script behind it.
    #[cfg(test)]
    pub(crate) fn queueing(board: watch::Receiver<Arc<Board>>, asks: mpsc::Sender<Asked>) -> Self {
        let (_, feeds) = watch::channel(Arc::default());
        let desk = Self::new(Env::default(), board, asks, Inbox::default(), feeds);
        Self { beside: None, ..desk }
    }

    /// Returns the desk of a daemon whose doors are the system's, where `by_system`: nobody may have them from us; and that
    /// goes by itself when nobody needs it, where `passing`.
    pub(super) fn of(self, by_system: bool, passing: bool) -> Self {
        Self { by_system, passing, ..self }
    }

    /// Returns whether whoever is newer may take its place unasked: it was started by a pipe, and for nothing else.
    pub(crate) fn is_passing(&self) -> bool {
        self.passing && !self.by_system
    }

    /// Returns what another daemon has to be given that wants to take the place of this one; `None` where that is for the
    /// system to decide.
    #[cfg(unix)]
    pub(crate) fn claim(&self) -> Option<super::succession::Claim> {
        (!self.by_system).then(|| super::succession::Claim(self.inbox.clone()))
    }

    /// Returns what is on the board now.
    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board.borrow())
    }

    /// Returns the board as it changes, for those who wait for news.
    pub(crate) fn news(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }

    /// Returns how the feeds stand that are listened to.
    pub(crate) fn feeds(&self) -> Arc<Standings> {
        Arc::clone(&self.feeds.borrow())
    }

    /// Has feeds be tried again that were given up.
    pub(crate) fn listen_again(&self) {
        self.inbox.put(|waiting| waiting.listen_again = true);
    }

    /// Has the daemon look at everything again; what comes of it is on the board in a moment.
    pub(crate) fn reload(&self) {
        self.inbox.put(|waiting| waiting.reload = true);
    }

    /// Has a command run, and returns what it said.
    ///
    /// What changes anything waits its turn with the one who owns the state; what only reads runs beside it. A daemon
    /// that has more than [`WAITING`] waiting, or is about to end, says so in the answer's failure.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        match (ask::kind(&ask.command, ask.wishes), &self.beside) {
            (ask::Kind::Changes, _) | (ask::Kind::Reads | ask::Kind::Waits, None) => self.queue(ask).await,
            (ask::Kind::Reads, Some(beside)) => self.read(ask, &beside.readers).await,
            (ask::Kind::Waits, Some(beside)) => self.read(ask, &beside.waiters).await,
            (ask::Kind::Own, _) => turned_away(
                Failure::usage("run this in the daemon")
                    .because("it belongs to the process that is started for it")
                    .hint("run it on the command line"),
            ),
        }
    }

    async fn queue(&self, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        match self.asks.try_send(Asked { ask, reply, since: Instant::now() }) {
            Ok(()) => answer.await.unwrap_or_else(|_| ending()),
            Err(mpsc::error::TrySendError::Full(_)) => turned_away(busy()),
            Err(mpsc::error::TrySendError::Closed(_)) => ending(),
        }
    }

    async fn read(&self, ask: Ask, places: &Semaphore) -> Answer {
        let Ok(_turn) = places.acquire().await else { return ending() };
        let env = Arc::clone(&self.env);
        tokio::task::spawn_blocking(move || ask.run(&env, None))
            .await
            .unwrap_or_else(|_| turned_away(Failure::failed("run the command").because("it failed inside")))
    }
}

fn busy() -> Failure {
    Failure::busy("ask the daemon: too many are waiting already").hint("try again in a moment")
}

fn ending() -> Answer {
    turned_away(Failure::busy("ask the daemon: it is about to end").hint("try again in a moment"))
}

fn turned_away(failure: Failure) -> Answer {
    Answer { failure: Some(failure), ..Answer::default() }
}
