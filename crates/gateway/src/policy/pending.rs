//! Calls that somebody has to agree to, where the client that makes them cannot ask: they wait here for a word, and the
//! same call is passed on when it is made again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switchboard_core::policy::Risk;
use tokio::time::Instant;

use super::Key;

/// So many calls are kept.
const MOST: usize = 256;

/// A call that nobody has said anything to for so long is forgotten, and so is a word that was not used.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// Calls that somebody has to agree to.
#[derive(Default)]
pub(crate) struct Pending(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    last: u64,
    calls: BTreeMap<u64, Call>,
}

struct Call {
    key: Key,
    /// The handle by which a client that is asked comes back; nobody can guess it.
    handle: Box<str>,
    what: What,
    at: Instant,
    /// What was said; nothing yet where it waits.
    word: Option<bool>,
}

/// What is to be agreed to.
#[derive(Clone, Debug)]
pub(crate) struct What {
    pub(crate) who: Arc<str>,
    pub(crate) server: String,
    pub(crate) tool: String,
    pub(crate) risk: Risk,
    /// What it is called with, as a person is shown it.
    pub(crate) arguments: String,
}

/// A call that somebody has to agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The number by which one speaks of it.
    pub number: u64,
    /// Who calls.
    pub who: String,
    /// The server of the tool.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// What it is called with, as far as it is shown.
    pub arguments: String,
    /// How long it has waited.
    pub since: Duration,
}

impl Inside {
    /// Makes room for one more call of somebody's: their own oldest goes, and nobody's that was agreed to while there is
    /// another.
    fn make_room(&mut self, who: &str) {
        if self.calls.len() < MOST {
            return;
        }
        let oldest = |goes: &dyn Fn(&Call) -> bool| {
            self.calls.iter().find(|(_, call)| goes(call)).map(|(number, _)| *number)
        };
        let number = oldest(&|call| call.word.is_none() && *call.what.who == *who)
            .or_else(|| oldest(&|call| call.word.is_none()))
            .or_else(|| oldest(&|_| true));
        if let Some(number) = number {
            self.calls.remove(&number);
        }
    }
}

impl Call {
    fn waiting(&self, number: u64) -> Waiting {
        let What { who, server, tool, risk, arguments } = self.what.clone();
        Waiting { number, who: who.to_string(), server, tool, risk, arguments, since: self.at.elapsed() }
    }
}

impl Pending {
    /// Takes the word that was said to a call, whether somebody agreed; it counts for one call.
    pub(crate) fn take(&self, key: &Key) -> Option<bool> {
        let mut inside = self.inside();
        let said = inside.calls.iter().find(|(_, call)| call.key == *key && call.word.is_some());
        let number = said.map(|(number, _)| *number)?;
        inside.calls.remove(&number)?.word
    }

    /// Has a call wait, unless it does. Returns its number, and the handle by which a client comes back to it.
    pub(crate) fn wait(&self, key: Key, what: impl FnOnce() -> What) -> (u64, Box<str>) {
        let mut inside = self.inside();
        if let Some((number, call)) = inside.calls.iter().find(|(_, call)| call.key == key) {
            return (*number, call.handle.clone());
        }
        let what = what();
        inside.make_room(&what.who);
        inside.last += 1;
        let (number, handle) = (inside.last, Box::from(crate::gateway::token()));
        let call = Call { key, handle: Box::clone(&handle), what, at: Instant::now(), word: None };
        inside.calls.insert(number, call);
        (number, handle)
    }

    /// Says a word to a call. Returns whether it waits, or its word was not used yet.
    pub(crate) fn say(&self, number: u64, agreed: bool) -> bool {
        let mut inside = self.inside();
        let Some(call) = inside.calls.get_mut(&number) else { return false };
        (call.word, call.at) = (Some(agreed), Instant::now());
        true
    }

    /// Has calls be numbered from here on: a number that somebody remembers from another run is none of this one.
    pub(crate) fn number_from(&self, first: u64) {
        self.inside().last = first;
    }

    /// Returns a call that waits.
    pub(crate) fn get(&self, number: u64) -> Option<Waiting> {
        self.inside().calls.get(&number).map(|call| call.waiting(number))
    }

    /// Returns the number of the call that a client comes back to by this handle.
    pub(crate) fn by_handle(&self, handle: &str) -> Option<u64> {
        let inside = self.inside();
        inside.calls.iter().find(|(_, call)| &*call.handle == handle).map(|(number, _)| *number)
    }

    /// Returns the calls that wait, the oldest first.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let inside = self.inside();
        let waits = inside.calls.iter().filter(|(_, call)| call.word.is_none());
        waits.map(|(number, call)| call.waiting(*number)).collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.calls.retain(|_, call| call.at.elapsed() < KEPT);
        inside
    }
}
