//! The API over a board and a desk that are made up.

mod door;
mod events;
mod guard;
mod many;
mod read;
#[cfg(target_os = "linux")]
mod starved;
mod v1;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use switchboard_core::catalogue;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::revision::{Revision, content_hash, reason};
use switchboard_core::settings;
use switchboard_host::hash::Hash;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::peer::Listen;
use super::{Api, Peer};
use crate::ask::{Answer, Ask};
use crate::daemon::board::{Board, Bulletin};
use crate::daemon::desk::{Asked, Desk};
use crate::history::Entry;
use crate::token::{Permission, Tokens};

/// When the first revision came to be.
const BEGUN: u64 = 1_795_185_900;

/// A daemon with nobody behind the desk but a script.
struct Fake {
    api: Api,
    board: watch::Sender<Arc<Board>>,
    drain: CancellationToken,
    /// What was asked.
    asked: Arc<Mutex<Vec<Ask>>>,
    folder: tempfile::TempDir,
    _desk: TaskTracker,
}

impl Fake {
    /// Returns a daemon that is ready, with these settings and nothing announced.
    fn new(settings: &str) -> Self {
        Self::answering(settings, |_| Answer::default())
    }

    /// Returns a daemon that answers so.
    fn answering(settings: &str, answer: impl Fn(&Ask) -> Answer + Send + 'static) -> Self {
        let bridge = Bridge { program: "/usr/bin/switchboard".to_owned(), ..Bridge::default() };
        let settings = settings::parse(settings);
        assert!(settings.is_good(), "{:?}", settings.problems);
        let mut board = Board::new(Arc::default(), Arc::new(settings.value), Arc::new(bridge));
        board.ready = true;
        let (board, news) = watch::channel(Arc::new(board));
        let (asks, mut queue) = mpsc::channel::<Asked>(64);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (desk, notes) = (TaskTracker::new(), Arc::clone(&asked));
        desk.spawn(async move {
            while let Some(Asked { ask, reply, .. }) = queue.recv().await {
                let answer = answer(&ask);
                notes.lock().unwrap().push(ask);
                let _ = reply.send(answer);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let drain = CancellationToken::new();
        let gateway = crate::daemon::gateway_for_tests();
        let api =
            Api::new(Desk::queueing(news, asks), gateway, folder.path().join("tokens.json"), drain.clone());
        Self { api, board, drain, asked, folder, _desk: desk }
    }

    /// Announces this catalogue as the next revision.
    fn announce(&self, text: &str) -> u64 {
        let mut board = Board::clone(&self.board.borrow());
        let after = Arc::new(catalogue::parse(text).value);
        let (reason, changed) = reason(&board.catalogue(), &after);
        let number = board.number() + 1;
        let revision = Revision { number, hash: content_hash(&after), parent: None };
        let (servers, text) = (after.servers().len(), Hash::of(text.as_bytes()));
        let entry = Entry { revision, at: BEGUN + number, reason, changed, servers, text };
        assert!(board.announce(Bulletin::new(entry, after)));
        self.board.send_replace(Arc::new(board));
        number
    }

    /// Makes a token that permits this.
    fn token(&self, name: &str, permission: &str) -> String {
        let path = self.folder.path().join("tokens.json");
        let mut tokens = Tokens::peek(&path);
        let secret = tokens.create(name, vec![Permission::parse(permission).unwrap()], BEGUN).unwrap();
        switchboard_host::record::save(&path, &tokens).unwrap();
        secret
    }

    /// Asks as a program on this machine would.
    async fn get(&self, path: &str) -> Told {
        self.ask(request("GET", path)).await
    }

    async fn ask(&self, request: Request<Body>) -> Told {
        Told::of(self.api.answer(request).await).await
    }

    /// Asks, and does not read the answer: a stream has no end.
    async fn ask_head(&self, request: Request<Body>) -> Told {
        Told::of(self.api.answer(request).await.map(|_| Body::empty())).await
    }
}

/// An answer, read whole.
#[derive(Debug)]
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    async fn of(reply: super::Reply) -> Self {
        let (parts, body) = reply.into_parts();
        Self { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A door on loopback, and somebody on this machine who came in by it.
fn local() -> Peer {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    Peer::Tcp {
        from: SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
        to: at,
        door: Arc::new(Listen::new(at, "127.0.0.1:8080")),
    }
}

/// A request as a program on this machine sends it.
fn request(method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    request.extension(local()).body(Body::empty()).unwrap()
}

/// The same request with a header more.
fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}
