//! The routes by which clients speak MCP: what they see follows from the address, and the gateway does the rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use switchboard_core::name::ServerName;
use switchboard_gateway::face::{Face, Scope};
use switchboard_gateway::policy::Holder;
use switchboard_gateway::serve::http::{Asked, Sessions};
use switchboard_gateway::serve::sse::Conversations;
use switchboard_gateway::serve::{self, http};
use switchboard_gateway::{Extra, Gateway};
use switchboard_host::memory;

use super::body::{self as bodies, LONGEST_MESSAGE, Message};
use super::call::Call;
use super::flow::Flow;
use super::problem::Problem;
use super::reply;
use super::{Reply, Visits};
use crate::approval::quoted;
use crate::daemon::board::Board;
use crate::daemon::succession::VERSION;

/// How often sessions are looked at that nobody may use any more.
const SWEEP: Duration = Duration::from_secs(15);

/// When so many connections have gone, what they needed is worth giving back.
const MANY: usize = 100;

/// Where clients of the 2024 transport post their messages.
const MESSAGES: &str = "/messages";

/// The project of the client that runs `switchboard connect`, percent-encoded.
const ROOT: &str = "mcp-root";

const SESSION: HeaderName = HeaderName::from_static(http::SESSION);

/// By which transport a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Streamable HTTP, or a pipe on the control socket.
    Streamable,
    /// The stream of the 2024 transport.
    Events,
    /// The messages of the 2024 transport.
    Messages,
}

/// The way to the servers, and the conversations that are under way.
pub(super) struct Mcp {
    gateway: Gateway,
    sessions: Arc<Sessions>,
    conversations: Conversations,
    /// Pipes are told our version: a newer one has us replaced.
    passing: bool,
}

impl Mcp {
    /// Returns the way to the servers of a gateway, in a daemon that may be replaced unasked where it is `passing`.
    pub(super) fn new(gateway: Gateway, visits: &Arc<Visits>, passing: bool) -> Self {
        let sessions = Arc::new(Sessions::default());
        let (swept, visits) = (Arc::downgrade(&sessions), Arc::clone(visits));
        tokio::runtime::Handle::current().spawn(async move {
            loop {
                tokio::time::sleep(SWEEP).await;
                let Some(sessions) = swept.upgrade() else { return };
                sessions.expire();
                // Sessions stay, but the connections that they began by do not.
                if visits.have_left() >= MANY {
                    memory::give_back();
                }
            }
        });
        Self { gateway, sessions, conversations: Conversations::default(), passing }
    }

    /// Returns how the servers stand.
    pub(super) fn gateway(&self) -> &Gateway {
        &self.gateway
    }
}

/// Answers a request of MCP.
pub(super) async fn act(
    mcp: &Mcp,
    board: &Board,
    way: Way,
    method: &Method,
    call: &Call,
    body: Body,
    holder: Holder,
) -> Result<Reply, Box<Problem>> {
    let face = face(mcp, board, call)?;
    let headers = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let asked = Asked {
        face,
        owner: &call.owner,
        headers: &headers,
        extra: extra(call),
        root: call.visitor.is_control().then(|| root(call)).flatten(),
        holder,
    };
    let reply = match (way, method) {
        (Way::Messages, _) => {
            let id = call.query("sessionId").unwrap_or_default();
            return Ok(plain(match bodies::message(body).await? {
                Message::Whole(body) => mcp.conversations.post(id, &call.owner, &body, &asked),
                Message::TooLong(request) => {
                    mcp.conversations.refuse(id, &call.owner, request.as_deref(), LONGEST_MESSAGE)
                }
            }));
        }
        (Way::Events, _) => {
            let talk = mcp.conversations.begin(&mcp.gateway, &asked, MESSAGES).ok_or_else(full)?;
            return Ok(Flow::Talk(talk).reply());
        }
        (Way::Streamable, method) if method == Method::POST => match bodies::message(body).await? {
            Message::Whole(body) => mcp.sessions.post(&mcp.gateway, asked, &body).await,
            Message::TooLong(request) => {
                let body = Some(serve::too_long(request.as_deref(), LONGEST_MESSAGE));
                http::Reply::Whole { status: 413, body, session: None }
            }
        },
        (Way::Streamable, method) if method == Method::DELETE => mcp.sessions.delete(&asked),
        (Way::Streamable, _) if wants_pipe(call) => return pipe(mcp, asked),
        (Way::Streamable, _) => match mcp.sessions.get(&asked) {
            http::Reply::Events(events) => return Ok(Flow::Messages(events).reply()),
            reply @ http::Reply::Whole { .. } => reply,
        },
    };
    Ok(answer(reply))
}

/// What a client sees by an address.
fn face(mcp: &Mcp, board: &Board, call: &Call) -> Result<Face, Box<Problem>> {
    let name = call.param("server");
    let search = match call.query("tools") {
        None | Some("full") => false,
        Some("search") => true,
        Some(other) => {
            let what = format!("there is no `tools={}`", other.escape_debug());
            return Err(Problem::new(StatusCode::BAD_REQUEST, what).hint("`?tools=search` or `?tools=full`"));
        }
    };
    let scope = match name.strip_prefix('@') {
        Some(profile) => Scope::Profile(profile.to_owned()),
        None if name.is_empty() => Scope::All,
        None => {
            let server = ServerName::parse(name).map_err(|_| nothing(name))?;
            Scope::Server(server)
        }
    };
    let face = Face { scope, search };
    if mcp.gateway.has(&face) {
        return Ok(face);
    }
    let catalogue = board.catalogue();
    let is_off = catalogue.server(name).is_some_and(|server| !server.enabled);
    let told = if is_off { off(name) } else { nothing(name) };
    // It may stand in the file all the same.
    let is_broken =
        catalogue.servers().is_empty() && board.problems.iter().any(|(_, problem)| problem.is_error());
    Err(if is_broken {
        told.hint("the catalogue cannot be read: see `switchboard config check`")
    } else {
        told
    })
}

fn off(name: &str) -> Box<Problem> {
    Problem::new(StatusCode::NOT_FOUND, format!("the server `{name}` is disabled"))
        .hint(format!("have it served with `switchboard server enable {}`", quoted(name)))
}

fn nothing(name: &str) -> Box<Problem> {
    let what = match name.strip_prefix('@') {
        Some(profile) => format!("there is no profile `{}`", profile.escape_debug()),
        None => format!("there is no server `{}`", name.escape_debug()),
    };
    let list = if name.starts_with('@') { "profile" } else { "server" };
    Problem::new(StatusCode::NOT_FOUND, what).hint(format!("see `switchboard {list} list`"))
}

fn full() -> Box<Problem> {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "there are too many conversations")
        .header(axum::http::header::RETRY_AFTER, "10")
}

/// The headers that a client sends for the server alone.
fn extra(call: &Call) -> Extra {
    let own = call.headers.iter().filter(|(name, _)| http::is_for_the_server(name.as_str()));
    let headers = own.filter_map(|(name, value)| Some((name.as_str().into(), value.to_str().ok()?.into())));
    Extra { headers: headers.collect() }
}

fn root(call: &Call) -> Option<PathBuf> {
    let said = call.headers.get(ROOT)?.to_str().ok()?;
    let path = PathBuf::from(super::route::decoded(said)?);
    path.is_absolute().then_some(path)
}

fn wants_pipe(call: &Call) -> bool {
    let asked = call.headers.get(UPGRADE).is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"mcp"));
    asked && call.visitor.is_control()
}

/// Has the door take the connection from HTTP: from then on every line is a message.
fn pipe(mcp: &Mcp, asked: Asked<'_>) -> Result<Reply, Box<Problem>> {
    let session = mcp.gateway.session_of(asked.face, asked.root, asked.holder).ok_or_else(full)?;
    let mut reply = plain(101);
    if mcp.passing {
        let version = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
        reply.headers_mut().insert(HeaderName::from_static(VERSION), version);
    }
    reply.extensions_mut().insert(session);
    Ok(reply)
}

fn answer(reply: http::Reply) -> Reply {
    match reply {
        http::Reply::Whole { status, body, session } => {
            let mut reply = match body {
                Some(body) => {
                    let mut reply = Reply::new(Body::from(body));
                    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                    reply
                }
                None => Reply::new(Body::empty()),
            };
            *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            named(&mut reply, session.as_deref());
            reply
        }
        http::Reply::Events(events) => {
            let session = events.session.clone();
            let chunks = futures_util::stream::unfold(events, |mut events| async move {
                let bytes = events.next().await?;
                Some((Ok::<_, std::convert::Infallible>(bytes), events))
            });
            let mut reply = reply::events(Body::from_stream(chunks));
            named(&mut reply, session.as_deref());
            reply
        }
    }
}

fn named(reply: &mut Reply, session: Option<&str>) {
    if let Some(value) = session.and_then(|session| HeaderValue::from_str(session).ok()) {
        reply.headers_mut().insert(SESSION, value);
    }
}

fn plain(status: u16) -> Reply {
    let mut reply = Reply::new(Body::empty());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}
