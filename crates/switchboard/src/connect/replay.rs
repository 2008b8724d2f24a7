//! What a pipe remembers in case its daemon goes: what is in flight, and how the client introduced itself.

use std::io::Write as _;

use serde_json::value::RawValue;

use switchboard_gateway::serve::pipe::{KNOWN, LEAVING};

use super::lane::{Line, Verdict};
use super::wishes::Wishes;

/// How many ids are remembered each way. Beyond that the oldest is forgotten: likely it was given up long ago.
const MOST: usize = 1024;

/// What changed may be anything, where the daemon that went did not say which lists the client knows: the one that comes
/// back may have another catalogue.
const CHANGED: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\
{\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\"}\n\
{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\"}\n";

/// What is in flight, and the handshake.
#[derive(Default)]
pub(super) struct Ledger {
    /// The server, for errors; `None` where there are many.
    server: Option<String>,
    /// What the client asked and was not answered.
    calls: Ids,
    /// What the client was asked and did not answer.
    questions: Ids,
    /// The client's `initialize`, as it came.
    hello: Option<Hello>,
    /// The client's `notifications/initialized`, as it came.
    ready: Option<Box<[u8]>>,
    /// Which lists the client knows, as the daemon said that is about to go.
    known: Option<Box<RawValue>>,
    /// The answer to a handshake that was replayed is still to come.
    replaying: bool,
    /// What the client asked for that lasts.
    wishes: Wishes,
}

struct Hello {
    line: Box<[u8]>,
    id: Box<[u8]>,
    answered: bool,
}

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It was on its way when the daemon went.
    Restarting,
    /// It took longer than a daemon could wait whose place was taken.
    Replaced,
    /// There has been no daemon for a while.
    Unreachable,
}

/// What a message of the daemon's means for the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It is the client's.
    Message,
    /// The handshake was replayed: the client's messages may go on.
    Again,
    /// The handshake was replayed, and refused.
    Refused,
    /// The daemon is about to go, and takes nothing new by this connection.
    Leaving,
}

impl Ledger {
    /// Returns an empty ledger of a pipe to this server, or to many.
    pub(super) fn new(server: Option<String>) -> Self {
        Self { server, ..Self::default() }
    }

    /// The client sends this; what it is to be told at once is put into `said`.
    pub(super) fn sent(&mut self, line: &Line<'_>, said: &mut Vec<u8>) {
        let peek = line.peek;
        match (peek.id(), peek.has_method()) {
            // Its beginning went to a daemon that is gone.
            (Some(id), true) if line.is_torn => self.fail(id, Reason::Restarting, said),
            (Some(id), true) => {
                self.calls.put(id);
                if let Some(line) = line.bytes {
                    self.wishes.sent(peek, id, line);
                }
                if peek.is("initialize") {
                    self.wishes = Wishes::default();
                    let hello = |bytes: &[u8]| Hello { line: bytes.into(), id: id.into(), answered: false };
                    self.hello = line.bytes.map(hello);
                    self.ready = None;
                }
            }
            (Some(id), false) => self.questions.remove(id),
            (None, true) if peek.is("notifications/initialized") => {
                self.ready = line.bytes.map(Into::into);
            }
            (None, true) if peek.is("notifications/cancelled") => {
                // It gets no answer any more, so none may be made up for it either.
                if let Some(id) = line.bytes.and_then(given_up) {
                    self.calls.remove(id);
                }
            }
            (None, _) => {}
        }
    }

    /// Returns whether the client waits for an answer.
    pub(super) fn has_calls(&self) -> bool {
        !self.calls.0.is_empty()
    }

    /// Returns whether what the client sends is about what is in flight, and so for no other daemon than this one.
    pub(super) fn is_of_this_daemon(&self, line: &Line<'_>) -> bool {
        let peek = line.peek;
        match (peek.id(), peek.has_method()) {
            (Some(_), false) => true,
            (None, true) if peek.is("notifications/cancelled") => {
                line.bytes.and_then(given_up).is_some_and(|id| self.calls.has(id))
            }
            (None, true) => peek.is("notifications/progress"),
            _ => false,
        }
    }

    /// The daemon sends this.
    pub(super) fn came(&mut self, line: &Line<'_>) -> (Verdict, News) {
        let peek = line.peek;
        match (peek.id(), peek.has_method()) {
            (Some(id), true) => self.questions.put(id),
            (Some(id), false) => {
                let own = self.hello.as_mut().filter(|hello| *hello.id == *id);
                if self.replaying && own.is_some() {
                    self.replaying = false;
                    let news = if peek.has_error() { News::Refused } else { News::Again };
                    return (Verdict::Drop, news);
                }
                if self.wishes.came(id, peek.has_error()) {
                    return (Verdict::Drop, News::Message);
                }
                self.calls.remove(id);
                match own {
                    // Whoever was refused may introduce itself in another way.
                    Some(_) if peek.has_error() => self.hello = None,
                    Some(hello) => hello.answered = true,
                    None => {}
                }
            }
            (None, true) if peek.is(LEAVING) => {
                self.known = line.bytes.and_then(params);
                return (Verdict::Drop, News::Leaving);
            }
            (None, _) => {}
        }
        (Verdict::Pass, News::Message)
    }

    /// The daemon has gone, after it had said so where it has `left`: puts into `said` what the client is to be told. Nothing is in flight any more, but for a
    /// handshake that is not answered yet: that changes nothing, so it is sent again.
    pub(super) fn lost(&mut self, left: bool, said: &mut Vec<u8>) {
        let reason = if left { Reason::Replaced } else { Reason::Restarting };
        self.replaying = false;
        self.wishes.lost();
        let again = self.hello.as_ref().filter(|hello| !hello.answered).map(|hello| hello.id.clone());
        for id in std::mem::take(&mut self.calls.0) {
            if Some(&id) == again.as_ref() {
                self.calls.put(&id);
            } else {
                self.fail(&id, reason, said);
            }
        }
        for id in std::mem::take(&mut self.questions.0).iter().filter_map(|id| raw(id)) {
            let params = format!(r#"{{"requestId":{id},"reason":"the daemon of switchboard restarts"}}"#);
            put(
                said,
                format_args!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#),
            );
        }
    }

    /// Returns what is to be sent first to a daemon that is there again: the handshake, if there was one. Where it was
    /// answered before, nothing else may be sent until [`News::Again`].
    pub(super) fn greeting(&mut self) -> Option<(&[u8], bool)> {
        let hello = self.hello.as_ref()?;
        self.replaying = hello.answered;
        Some((&hello.line, hello.answered))
    }

    /// Returns what follows the answer to a handshake that was replayed: to the daemon, and to the client. A daemon that is
    /// told which lists the client knows tells it of the others itself.
    pub(super) fn again(&mut self) -> (Vec<u8>, &'static [u8]) {
        let Some(ready) = &self.ready else { return (Vec::new(), &[]) };
        let wishes = self.wishes.again();
        let Some(known) = self.known.take() else { return ([ready, &*wishes].concat(), CHANGED) };
        let mut daemon = Vec::new();
        put(&mut daemon, format_args!(r#"{{"jsonrpc":"2.0","method":"{KNOWN}","params":{known}}}"#));
        (([&*daemon, ready, &wishes].concat()), &[])
    }

    /// The client sends this while there has been no daemon for a while: it is refused where it asks for something.
    pub(super) fn refuse(&mut self, line: &Line<'_>, said: &mut Vec<u8>) {
        match (line.peek.id(), line.peek.has_method()) {
            (Some(id), true) => self.fail(id, Reason::Unreachable, said),
            (None, true) if line.peek.is("notifications/initialized") => {
                self.ready = line.bytes.map(Into::into);
            }
            _ => {}
        }
    }

    /// Fails what is in flight, for good.
    pub(super) fn give_up(&mut self, said: &mut Vec<u8>) {
        for id in std::mem::take(&mut self.calls.0) {
            self.fail(&id, Reason::Restarting, said);
        }
    }

    fn fail(&self, id: &[u8], reason: Reason, said: &mut Vec<u8>) {
        let Some(id) = raw(id) else { return };
        let (message, reason, retryable) = match reason {
            Reason::Restarting => (
                "the daemon of switchboard was lost before it had answered; the call may have been carried out",
                "restarting",
                false,
            ),
            Reason::Replaced => (
                "another daemon of switchboard took over, and the call took longer than the one before could wait; it may \
                 have been carried out",
                "drained",
                false,
            ),
            Reason::Unreachable => ("the daemon of switchboard is not reachable", "unreachable", true),
        };
        let mut gateway = serde_json::json!({ "reason": reason, "retryable": retryable });
        if let Some(server) = &self.server {
            gateway["server"] = server.as_str().into();
        }
        let error = serde_json::json!({
            "code": switchboard_gateway::trouble::INTERNAL_ERROR,
            "message": message,
            "data": { "gateway": gateway },
        });
        put(said, format_args!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#));
    }
}

/// Returns the id of the call that a cancellation is about, as it is written.
fn given_up(line: &[u8]) -> Option<&[u8]> {
    #[derive(serde::Deserialize)]
    struct Cancelled<'l> {
        #[serde(borrow)]
        params: Params<'l>,
    }
    #[derive(serde::Deserialize)]
    struct Params<'l> {
        #[serde(borrow, rename = "requestId")]
        id: &'l RawValue,
    }
    let cancelled: Cancelled<'_> = serde_json::from_slice(line).ok()?;
    Some(cancelled.params.id.get().as_bytes())
}

/// Returns the `params` of a message.
fn params(line: &[u8]) -> Option<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct Message {
        params: Box<RawValue>,
    }
    serde_json::from_slice::<Message>(line).ok().map(|message| message.params)
}

/// Returns an id that really is JSON, so that what is said stays so.
fn raw(id: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(id).ok()
}

fn put(said: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    // A vector takes everything.
    let _ = writeln!(said, "{line}");
}

/// Ids, oldest first. Few at a time, as a rule.
#[derive(Default)]
struct Ids(Vec<Box<[u8]>>);

impl Ids {
    fn put(&mut self, id: &[u8]) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(id.into());
    }

    fn has(&self, id: &[u8]) -> bool {
        self.0.iter().any(|known| **known == *id)
    }

    fn remove(&mut self, id: &[u8]) {
        if let Some(at) = self.0.iter().rposition(|known| **known == *id) {
            self.0.remove(at);
        }
    }
}
