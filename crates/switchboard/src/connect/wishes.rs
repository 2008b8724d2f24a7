//! What a client asked for that lasts, and has to be asked again of the daemon that comes next: the level of log messages,
//! and the resources that it wants to hear of.

use std::borrow::Cow;

use super::peek::Peek;

/// So many are remembered. Of more, the oldest have to be asked for by the client itself.
const MOST: usize = 256;

/// The longest request that is remembered, in bytes.
const LONGEST: usize = 8 * 1024;

/// What a client asked for that lasts.
#[derive(Default)]
pub(super) struct Wishes(Vec<Wish>);

struct Wish {
    /// What it is about: of two about the same, the last counts.
    about: About,
    id: Box<[u8]>,
    line: Box<[u8]>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum About {
    Level,
    Resource(Box<str>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The client waits for the answer.
    Asked,
    /// It was granted.
    Granted,
    /// We asked again, and the answer is nobody's.
    Again,
}

impl Wishes {
    /// The client sends a request.
    pub(super) fn sent(&mut self, peek: &Peek, id: &[u8], line: &[u8]) {
        let subscribes = peek.is("resources/subscribe");
        let about = if subscribes || peek.is("resources/unsubscribe") {
            uri(line).map(|uri| About::Resource(uri.into()))
        } else {
            peek.is("logging/setLevel").then_some(About::Level)
        };
        let Some(about) = about else { return };
        self.0.retain(|wish| wish.about != about);
        if (!subscribes && about != About::Level) || line.len() > LONGEST {
            return;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Wish { about, id: id.into(), line: line.into(), state: State::Asked });
    }

    /// The daemon answers; returns whether that is the answer to what we asked.
    pub(super) fn came(&mut self, id: &[u8], is_error: bool) -> bool {
        let Some(at) = self.0.iter().position(|wish| *wish.id == *id && wish.state != State::Granted) else {
            return false;
        };
        let was = std::mem::replace(&mut self.0[at].state, State::Granted);
        // The server may not be there yet: what was granted once is asked for again next time, too.
        if is_error && was == State::Asked {
            self.0.remove(at);
        }
        was == State::Again
    }

    /// The daemon has gone: the client is told that what it waits for has failed.
    pub(super) fn lost(&mut self) {
        self.0.retain(|wish| wish.state != State::Asked);
    }

    /// Returns what is to be asked again, as lines.
    pub(super) fn again(&mut self) -> Vec<u8> {
        let mut lines = Vec::new();
        for wish in &mut self.0 {
            wish.state = State::Again;
            lines.extend_from_slice(&wish.line);
        }
        lines
    }
}

/// Returns the address of a resource that a request is about.
fn uri(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Request<'l> {
        #[serde(borrow)]
        params: Params<'l>,
    }
    #[derive(serde::Deserialize)]
    struct Params<'l> {
        #[serde(borrow)]
        uri: Cow<'l, str>,
    }
    let request: Request<'_> = serde_json::from_slice(line).ok()?;
    Some(request.params.uri.into_owned())
}
