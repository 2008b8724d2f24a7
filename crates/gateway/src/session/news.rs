//! What the client is told without having asked: changed lists, and what servers log.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use serde_json::json;
use switchboard_core::mcp::revision::Era;
use switchboard_core::name::ServerName;

use super::{Request, Session};
use crate::envelope::text;
use crate::mailbox::Letter;
use crate::message;
use crate::offer::Sort;
use crate::view::View;

/// How grave a message has to be to be told (RFC 5424, as the protocol names them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Level {
    /// Nobody has said: everything that the server tells.
    All,
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

const WORDS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

impl Level {
    /// Returns the level that a word names.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let at = WORDS.iter().position(|known| *known == word)?;
        Self::from_number(u8::try_from(at).ok()? + 1)
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [
            Self::All,
            Self::Debug,
            Self::Info,
            Self::Notice,
            Self::Warning,
            Self::Error,
            Self::Critical,
            Self::Alert,
            Self::Emergency,
        ]
        .into_iter()
        .find(|level| *level as u8 == number)
    }

    /// Returns the word for it; `None` where nobody has said.
    pub(crate) fn word(self) -> Option<&'static str> {
        WORDS.get((self as usize).checked_sub(1)?).copied()
    }
}

/// Which log messages of a call are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logs {
    /// Those that the session wants.
    Session,
    /// None: a modern caller has to ask for them in each request.
    None,
    /// Those from a level on.
    From(Level),
}

impl Logs {
    /// Returns which log messages a request wants.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        if request.caller.era == Era::Legacy {
            return Self::Session;
        }
        text(request.meta.level).and_then(|word| Level::parse(&word)).map_or(Self::None, Self::From)
    }

    /// Returns whether a message of this level is wanted.
    pub(crate) fn want(self, level: Option<Level>, session: Option<&Session>) -> bool {
        match self {
            Self::None => false,
            Self::From(from) => level.is_none_or(|level| level >= from),
            Self::Session => session.is_some_and(|session| session.wants(level)),
        }
    }
}

impl Session {
    /// Returns the level that the client set, as a word.
    pub(super) fn level(&self) -> Option<&'static str> {
        Level::from_number(self.level.load(Ordering::Relaxed))?.word()
    }

    /// Returns a question or notification of a server's as this client gets it.
    pub(crate) fn told_by(&self, server: &ServerName, bytes: Bytes) -> Bytes {
        let told = self.ids(server).and_then(|ids| ids.told(&bytes));
        told.unwrap_or(bytes)
    }

    /// Returns whether the client wants log messages of this level.
    pub(crate) fn wants(&self, level: Option<Level>) -> bool {
        let from = Level::from_number(self.level.load(Ordering::Relaxed)).unwrap_or(Level::All);
        level.is_none_or(|level| level >= from)
    }

    /// Has the servers of this session log what any of their clients wants (requirement C9).
    pub(super) fn levels_changed(self: &Arc<Self>) {
        let caller = self.caller();
        for (generation, offer) in &self.view(&caller).servers {
            let logs = offer.as_ref().is_some_and(|offer| offer.era == Era::Legacy && offer.has("logging"));
            if logs {
                generation.slot(&self.gateway, &caller, self.id, self.root.as_ref()).set_level();
            }
        }
    }

    /// Returns the level that the client set.
    pub(crate) fn log_level(&self) -> Level {
        Level::from_number(self.level.load(Ordering::Relaxed)).unwrap_or(Level::All)
    }

    /// Notes that the client is told of all lists now.
    pub(super) fn remember(&self, view: &View) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for sort in Sort::ALL {
            seen[sort.at()] = Some(view.hash(sort));
        }
    }

    /// Notes that the client is told of one list now.
    pub(super) fn remember_one(&self, view: &View, sort: Sort) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)[sort.at()] = Some(view.hash(sort));
    }

    /// Returns which lists the client knows, for who comes after us; as an object.
    pub(crate) fn known_lists(&self) -> String {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "lists": seen.map(|hash| hash.map(|hash| BASE64.encode(hash))) }).to_string()
    }

    /// The client knows these lists, of somebody who came before us. What is no such object says nothing.
    pub(super) fn knows_lists(&self, said: &str) {
        #[derive(serde::Deserialize)]
        struct Known {
            lists: [Option<String>; 4],
        }
        let Ok(Known { lists }) = serde_json::from_str(said) else { return };
        let hashes = lists.map(|hash| BASE64.decode(hash?).ok()?.try_into().ok());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = hashes;
    }

    /// Tells the client of lists that say something else than it knows; what says the same is no news (requirement C5).
    pub(crate) fn look_for_news(self: &Arc<Self>) {
        let caller = self.caller();
        self.subscribe_again();
        self.stream_news();
        if caller.era != Era::Legacy || !self.listens.load(Ordering::Relaxed) {
            return;
        }
        let view = self.view(&caller);
        let changed: Vec<Sort> = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = Sort::ALL.into_iter().filter(|sort| seen[sort.at()] != Some(view.hash(*sort)));
            let changed: Vec<Sort> = changed.collect();
            for sort in &changed {
                seen[sort.at()] = Some(view.hash(*sort));
            }
            changed
        };
        let outlet = self.outlet();
        for method in notifications(&changed) {
            outlet.put(Letter { bytes: message::notification(method, None), last: false });
        }
    }
}

/// Returns the notifications that tell of these lists, each once.
pub(super) fn notifications(changed: &[Sort]) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = changed
        .iter()
        .map(|sort| match sort {
            Sort::Tools => "notifications/tools/list_changed",
            Sort::Prompts => "notifications/prompts/list_changed",
            Sort::Resources | Sort::Templates => "notifications/resources/list_changed",
        })
        .collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_in_the_order_of_the_protocol() {
        let all: Vec<Level> = WORDS.iter().map(|word| Level::parse(word).unwrap()).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(all.iter().filter_map(|level| level.word()).collect::<Vec<_>>(), WORDS);
        assert!(Level::parse("loud").is_none() && Level::All.word().is_none());
        assert!(Logs::From(Level::Error).want(Some(Level::Alert), None));
        assert!(!Logs::From(Level::Error).want(Some(Level::Info), None) && !Logs::None.want(None, None));
    }
}
