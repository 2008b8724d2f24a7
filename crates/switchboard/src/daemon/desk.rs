//! The desk: what the doors (HTTP, control socket, D-Bus) can see of the daemon, and ask of it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::board::Board;
use crate::ask::{Answer, Ask};
use crate::fail::Failure;

/// How many asks wait their turn; more are turned away at once rather than kept.
pub(crate) const WAITING: usize = 64;

/// An ask, with where its answer goes.
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// A handle on the daemon. Cheap to clone; it holds nothing that the daemon decides by.
#[derive(Clone)]
pub(crate) struct Desk {
    board: watch::Receiver<Arc<Board>>,
    asks: mpsc::Sender<Asked>,
}

impl Desk {
    /// Returns a desk over what is on the board, with a way to ask.
    pub(crate) fn new(board: watch::Receiver<Arc<Board>>, asks: mpsc::Sender<Asked>) -> Self {
        Self { board, asks }
    }

    /// Returns what is on the board now.
    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board.borrow())
    }

    /// Returns the board as it changes, for those who wait for news.
    pub(crate) fn news(&self) -> watch::Receiver<Arc<Board>> {
        self.board.clone()
    }

    /// Has a command run, when its turn has come, and returns what it said.
    ///
    /// A daemon that is busy beyond [`WAITING`] or about to end says so in the answer's failure.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        let turned_away = |why: &str| {
            let failure = Failure::failed("ask the daemon").because(why).hint("try again in a moment");
            Answer { failure: Some(failure), ..Answer::default() }
        };
        match self.asks.try_send(Asked { ask, reply }) {
            Ok(()) => answer.await.unwrap_or_else(|_| turned_away("it is about to end")),
            Err(mpsc::error::TrySendError::Full(_)) => turned_away("too many are waiting already"),
            Err(mpsc::error::TrySendError::Closed(_)) => turned_away("it is about to end"),
        }
    }
}
