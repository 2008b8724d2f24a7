//! A server that announces its tools as events, and behaves as badly as a test wants it to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::board::Board;
use super::http::{HttpServer, Reply};

/// So often an open stream gives a sign of life.
const BEAT: Duration = Duration::from_millis(20);

/// How it misbehaves towards whoever comes.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It answers with this status, these headers and this body.
    Answers(u16, Vec<(&'static str, String)>, String),
    /// It hangs up without a word.
    HangsUp,
    /// It takes the question, and says nothing.
    Hangs,
    /// It opens the stream, and says nothing at all.
    Silent,
    /// It opens the stream, and begins an event that has no end.
    Endless,
}

#[derive(Default)]
struct Script {
    /// What whoever comes is told first.
    first: String,
    /// What open streams are told beside, in order.
    said: Vec<Vec<u8>>,
    fault: Option<Fault>,
    /// Grows when open streams are to end.
    cuts: u64,
    /// How many streams are open, and how many were at most at one time.
    open: (usize, usize),
    opened: usize,
}

type State = Board<Script>;

/// A server that announces its tools.
pub struct FeedServer {
    /// Where its events are.
    pub url: String,
    state: Arc<State>,
}

impl FeedServer {
    /// Starts one that announces nothing yet.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start() -> io::Result<Self> {
        let state = Arc::<State>::default();
        let own = Arc::clone(&state);
        let http = HttpServer::start(move |_, reply| serve(&own, reply))?;
        Ok(Self { url: format!("{}/events", http.origin), state })
    }

    /// Announces tools of these names: to open streams now, and to whoever comes.
    pub fn announce(&self, names: &[&str]) {
        let event = announcement(names);
        self.state.alter(|board| {
            board.said.push(event.clone().into_bytes());
            board.first = event;
        });
    }

    /// Says something to open streams.
    pub fn say(&self, bytes: impl AsRef<[u8]>) {
        self.state.alter(|board| board.said.push(bytes.as_ref().to_vec()));
    }

    /// Misbehaves towards whoever comes from now on; or does no more.
    pub fn fault(&self, fault: Option<Fault>) {
        self.state.alter(|board| board.fault = fault);
    }

    /// Ends open streams, behind what they are still to be told.
    pub fn cut(&self) {
        self.state.alter(|board| board.cuts += 1);
    }

    /// Returns how many streams are open, as far as is known.
    pub fn open(&self) -> usize {
        self.state.now().open.0
    }

    /// Returns how many streams were open at most at one time.
    pub fn most(&self) -> usize {
        self.state.now().open.1
    }

    /// Returns how many streams were opened so far.
    pub fn opened(&self) -> usize {
        self.state.now().opened
    }
}

/// Returns the event that announces tools of these names.
pub fn announcement(names: &[&str]) -> String {
    let tool = |name: &&str| serde_json::json!({ "name": name, "inputSchema": { "type": "object" } });
    let tools: Vec<_> = names.iter().map(tool).collect();
    format!("event: tools_list\ndata: {}\n\n", serde_json::json!({ "tools": tools }))
}

fn serve(state: &State, reply: &mut Reply) {
    let fault = state.now().fault.clone();
    match fault {
        Some(Fault::Answers(status, headers, body)) => {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            reply.send(status, &headers, &body);
        }
        Some(Fault::HangsUp) => {}
        Some(Fault::Hangs) => reply.wait_for_hang_up(),
        Some(Fault::Silent) => {
            reply.events(&[]);
            reply.wait_for_hang_up();
        }
        Some(Fault::Endless) => {
            reply.events(&[]);
            reply.raw("event: tools_list\ndata: ");
            let piece = "x".repeat(1 << 20);
            while reply.push(&piece) {}
        }
        None => stream(state, reply),
    }
}

/// Sends events until it is told to end, or nobody is there any more.
fn stream(state: &State, reply: &mut Reply) {
    let (first, cuts, mut seen) = {
        let mut board = state.now();
        board.opened += 1;
        board.open.0 += 1;
        board.open.1 = board.open.1.max(board.open.0);
        (board.first.clone(), board.cuts, board.said.len())
    };
    reply.events(&[]);
    let mut is_there = reply.push(&first);
    while is_there {
        let (news, ends) = {
            let board = state.now();
            let board = state.wait(board, BEAT);
            (board.said[seen..].to_vec(), board.cuts != cuts)
        };
        seen += news.len();
        is_there = reply.push(":\n") && news.iter().all(|bytes| reply.push_bytes(bytes)) && !ends;
    }
    state.now().open.0 -= 1;
}
