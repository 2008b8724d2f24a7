//! A switchboard as others follow it, that behaves as badly as a test wants it to.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::board::Board;
use super::http::{HttpServer, Reply, Request};

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `GET /api/mcp/_config/events`
    Events,
    /// `GET /api/mcp/_version`
    Version,
    /// `GET /api/mcp/_config`
    Config,
    /// `GET /api/mcp/_config/{client}`
    Client,
}

/// Every route.
pub const ROUTES: [Route; 4] = [Route::Events, Route::Version, Route::Config, Route::Client];

/// How a route misbehaves.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It answers with this status and these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// It answers with this; as a stream, it is the only event's data.
    Says(String),
    /// It hangs up without a word.
    HangsUp,
    /// It takes the question, and says nothing.
    Hangs,
    /// Its answer is a hundred megabytes long.
    Endless,
    /// Its answer comes byte by byte.
    Drips,
    /// It hangs up in the middle of its answer; as a stream, behind each event.
    Breaks,
}

struct Script {
    number: u64,
    lineage: &'static str,
    reason: String,
    changed: Vec<String>,
    servers: Map<String, Value>,
    /// What open streams are to say beside.
    said: Vec<String>,
    faults: BTreeMap<Route, Fault>,
    /// Grows when open streams are to end.
    cuts: u64,
}

type State = Board<Script>;

/// A switchboard that is followed.
pub struct ConfigServer {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    http: HttpServer,
    state: Arc<State>,
}

impl ConfigServer {
    /// Starts one at revision 1, with these servers.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(servers: Value) -> io::Result<Self> {
        let board = Script {
            number: 1,
            lineage: "a",
            reason: "it began".to_owned(),
            changed: Vec::new(),
            servers: map(servers),
            said: Vec::new(),
            faults: BTreeMap::new(),
            cuts: 0,
        };
        let state = Arc::new(State::new(board));
        let own = Arc::clone(&state);
        let http = HttpServer::start(move |request, reply| serve(&own, request, reply))?;
        Ok(Self { origin: http.origin.clone(), http, state })
    }

    /// Makes a new revision, and tells open streams.
    pub fn change(&self, servers: Value) {
        self.state.alter(|board| {
            board.number += 1;
            board.servers = map(servers);
            board.reason = format!("change {}", board.number);
            board.changed = board.servers.keys().cloned().collect();
        });
    }

    /// Begins anew at revision 1, as after a reinstallation; open streams end.
    pub fn begin_anew(&self, servers: Value) {
        self.state.alter(|board| {
            board.number = 1;
            board.lineage = "b";
            board.servers = map(servers);
            board.cuts += 1;
        });
    }

    /// Has open streams say an event with this id and data.
    pub fn say(&self, id: u64, data: &str) {
        self.state.alter(|board| board.said.push(event(id, data)));
    }

    /// Ends open streams.
    pub fn cut(&self) {
        self.state.alter(|board| board.cuts += 1);
    }

    /// Has routes misbehave from now on; open streams end.
    pub fn fault(&self, routes: &[Route], fault: &Fault) {
        self.state.alter(|board| {
            board.faults.extend(routes.iter().map(|route| (*route, fault.clone())));
            board.cuts += 1;
        });
    }

    /// Has every route behave again.
    pub fn mend(&self) {
        self.state.alter(|board| {
            board.faults.clear();
            board.cuts += 1;
        });
    }

    /// Returns the questions that have come until now.
    pub fn requests(&self) -> Vec<Request> {
        self.http.requests()
    }

    /// Returns the data of an event of this revision.
    pub fn data(number: u64, servers: &Value) -> String {
        let data = json!({
            "version": format!("1.{number}.0"), "hash": format!("sha256:a{number}"), "reason": "said",
            "changed_servers": [], "new_config": { "mcpServers": servers },
        });
        data.to_string()
    }
}

fn map(servers: Value) -> Map<String, Value> {
    match servers {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Script {
    fn version(&self) -> String {
        format!("1.{}.0", self.number)
    }

    fn hash(&self) -> String {
        format!("sha256:{}{}", self.lineage, self.number)
    }

    fn event(&self) -> String {
        json!({
            "version": self.version(), "hash": self.hash(), "reason": self.reason,
            "changed_servers": self.changed, "new_config": { "mcpServers": self.servers },
        })
        .to_string()
    }

    fn answer(&self, route: Route) -> String {
        match route {
            Route::Events => self.event(),
            Route::Version => json!({
                "version": self.version(), "hash": self.hash(), "last_modified": "2026-11-20T17:00:00Z",
                "servers_count": self.servers.len(), "changed_servers": self.changed,
            })
            .to_string(),
            Route::Config => json!({
                "version": self.version(), "hash": self.hash(), "last_modified": "2026-11-20T17:00:00Z",
                "mcpServers": self.servers,
            })
            .to_string(),
            Route::Client => format!("{:#}\n", json!({ "mcpServers": self.servers })),
        }
    }
}

fn event(id: u64, data: &str) -> String {
    let data = data.replace('\n', "\ndata: ");
    format!("event: config_updated\nid: {id}\ndata: {data}\n\n")
}

fn serve(state: &State, request: &Request, reply: &mut Reply) {
    let path = request.path.split('?').next().unwrap_or_default();
    let route = match path {
        "/api/mcp/_config/events" => Route::Events,
        "/api/mcp/_version" => Route::Version,
        "/api/mcp/_config" => Route::Config,
        path if path.starts_with("/api/mcp/_config/") => Route::Client,
        _ => return reply.send(404, &[], "no such route"),
    };
    let (fault, answer, hash) = {
        let board = state.now();
        (board.faults.get(&route).cloned(), board.answer(route), board.hash())
    };
    let kind = [("content-type", "application/json")];
    match fault {
        None if route == Route::Events => stream(state, request, reply, false),
        Some(Fault::Breaks) if route == Route::Events => stream(state, request, reply, true),
        None => {
            let etag = format!("\"{hash}\"");
            if request.header("if-none-match") == Some(&etag) {
                return reply.send(304, &[("etag", &etag)], "");
            }
            reply.send(200, &[kind[0], ("etag", &etag)], &answer);
        }
        Some(Fault::Status(status, headers)) => {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            reply.send(status, &headers, "no");
        }
        Some(Fault::Says(text)) if route == Route::Events => {
            reply.events(&[]);
            reply.raw(&event(99, &text));
            reply.wait_for_hang_up();
        }
        Some(Fault::Says(text)) => reply.send(200, &kind, &text),
        Some(Fault::HangsUp) => {}
        Some(Fault::Hangs) => reply.wait_for_hang_up(),
        Some(Fault::Endless) => {
            let piece = "x".repeat(1 << 20);
            if route == Route::Events {
                reply.events(&[]);
                reply.raw("event: config_updated\n");
                (0..100).take_while(|_| reply.push(&format!("data: {piece}\n"))).for_each(drop);
            } else {
                // Without a length: it has to be counted.
                reply.begin(None);
                (0..100).take_while(|_| reply.push(&piece)).for_each(drop);
            }
        }
        Some(Fault::Drips) => {
            if route == Route::Events {
                reply.events(&[]);
                drip(reply, &event(state.now().number, &answer));
                reply.wait_for_hang_up();
            } else {
                reply.begin(Some(answer.len()));
                drip(reply, &answer);
            }
        }
        Some(Fault::Breaks) => {
            reply.begin(Some(answer.len()));
            reply.raw(&answer[..answer.len() / 2]);
        }
    }
}

fn drip(reply: &mut Reply, text: &str) {
    for piece in text.as_bytes().chunks(7) {
        reply.raw(&String::from_utf8_lossy(piece));
    }
}

/// Tells how things stand, unless the follower knows it, and then every change.
fn stream(state: &State, request: &Request, reply: &mut Reply, breaks: bool) {
    reply.events(&[]);
    let mut board = state.now();
    let mut told = request.header("last-event-id").and_then(|id| id.parse().ok());
    let (mut said, cuts) = (board.said.len(), board.cuts);
    loop {
        let mut text = String::new();
        if told != Some(board.number) {
            text = event(board.number, &board.event());
            told = Some(board.number);
        }
        text.extend(board.said[said..].iter().map(String::as_str));
        said = board.said.len();
        let ends = board.cuts != cuts;
        drop(board);
        if ends || !reply.push(if text.is_empty() { ": still here\n\n" } else { &text }) || breaks {
            return;
        }
        board = state.now();
        if told == Some(board.number) && said == board.said.len() && cuts == board.cuts {
            board = state.wait(board, Duration::from_millis(500));
        }
    }
}
