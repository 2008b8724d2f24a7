//! What routes do.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;

use super::call::{Call, parsed};
use super::problem::Problem;
use super::reply::{json, typed};
use super::route::Route;
use super::v1::{self, Meant};
use super::{Inside, Reply, body as bodies, config, events, mcp, metrics, openapi, table, watch};
use crate::ask::{Answer, Ask};
use crate::cli::{Client, Command, Common};
use crate::live::Live;
use crate::pending::{Pending, WordBody};
use crate::sync::{OFFER_LIMIT, Offered, in_words};
use crate::ui::Said;

/// What a route does.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// Tells the version.
    Version,
    /// Tells the servers.
    Config,
    /// Tells one client's whole file.
    ClientConfig,
    /// Sends every revision.
    Events,
    /// Pushes to all linked clients.
    Sync,
    /// Says that the process is alive.
    Health,
    /// Says whether start-up is done.
    Ready,
    /// Tells the measurements.
    Metrics,
    /// Has the daemon look at everything again.
    Reload,
    /// Runs what the command line asks for, as it is.
    Command,
    /// Runs the command that the request means, and answers with this status.
    Run(Meant, StatusCode),
    /// Tells how the servers stand.
    Live,
    /// Lists the calls that wait for somebody to agree.
    Pending,
    /// Says whether somebody agrees to one.
    Word,
    /// Asks a server in service what it offers.
    Offer,
    /// Tries feeds again that were given up.
    Listen,
    /// Sends the messages of one server, for those who debug.
    Watch,
    /// Speaks MCP.
    Mcp(mcp::Way),
    /// Lets another daemon take the place of this one.
    #[cfg(unix)]
    Succession,
    /// Describes all of this.
    OpenApi,
}

/// Does what a route does.
pub(super) async fn act(
    inside: &Inside,
    route: &Route,
    call: Call,
    body: Body,
) -> Result<Reply, Box<Problem>> {
    let board = inside.desk.board();
    // A body is read even where it says nothing: a connection that closes over one may take the answer with it.
    // What runs commands stands apart, so that a call of MCP, of which there are most, does not take its memory.
    match route.action {
        Action::Version => config::read_version(&board, &call),
        Action::Config => config::read_config(&board, &call),
        Action::ClientConfig => config::read_client(&board, &call),
        Action::Events => events::follow(inside, &call),
        Action::Sync => {
            bodies::read(body).await?;
            let push = Command::Client(Client::Push { which: v1::all(), servers: Vec::new() });
            Box::pin(run(inside, push, &call, true, StatusCode::OK)).await
        }
        Action::Health => Ok(typed("alive\n", "text/plain; charset=utf-8")),
        Action::Ready if board.ready => Ok(typed("ready\n", "text/plain; charset=utf-8")),
        Action::Ready => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the daemon is still starting")
            .header(axum::http::header::RETRY_AFTER, "1")),
        Action::Metrics => {
            metrics::clients(&board.clients);
            metrics::servers(&inside.mcp.gateway().seen());
            metrics::feeds(&inside.desk.feeds());
            let text = inside.metrics.render(&board, inside.streams.count());
            Ok(typed(text, "text/plain; version=0.0.4; charset=utf-8"))
        }
        Action::Reload => {
            // What is left unread when a connection closes may cost the caller the answer.
            bodies::read(body).await?;
            inside.desk.reload();
            Ok(json(StatusCode::OK, &serde_json::json!({ "revision": board.number() })))
        }
        Action::Command => {
            let ask: Ask = parsed(&bodies::read(body).await?)?;
            Ok(json(StatusCode::OK, &Box::pin(inside.desk.ask(ask)).await))
        }
        Action::Run(meant, done) => {
            let command = meant(&call, &bodies::read(body).await?)?;
            Box::pin(run(inside, command, &call, false, done)).await
        }
        Action::Live => {
            let (seen, feeds) = (inside.mcp.gateway().seen(), inside.desk.feeds());
            let all = tokio::task::spawn_blocking(move || Live::all(seen, &feeds)).await;
            Ok(json(StatusCode::OK, &all.unwrap_or_default()))
        }
        Action::Pending => {
            let waiting = inside.mcp.gateway().waiting().into_iter().map(Pending::from);
            Ok(json(StatusCode::OK, &waiting.collect::<Vec<_>>()))
        }
        Action::Word => {
            let WordBody { agree } = parsed(&bodies::read(body).await?)?;
            let number = call.param("number").parse().ok();
            let call = number.and_then(|number| inside.mcp.gateway().decide(number, agree));
            match call {
                Some(call) => Ok(json(StatusCode::OK, &Pending::from(call))),
                None => Err(Problem::new(StatusCode::NOT_FOUND, "no call of this number waits")
                    .hint("`switchboard policy pending` lists those that do")),
            }
        }
        Action::Listen => {
            bodies::read(body).await?;
            inside.desk.listen_again();
            Ok(json(StatusCode::OK, &serde_json::json!({ "feeds": inside.desk.feeds().len() })))
        }
        Action::Offer => Ok(json(StatusCode::OK, &offered(inside, &call).await)),
        Action::Watch => watch::messages(inside, call.param("name")),
        Action::Mcp(way) => {
            let holder = call.visitor.holder();
            mcp::act(&inside.mcp, &board, way, &route.method, &call, body, holder).await
        }
        #[cfg(unix)]
        Action::Succession => succession(inside, &call),
        Action::OpenApi => {
            let routes = table::routes(&board.settings);
            Ok(json(StatusCode::OK, &openapi::document(&routes)))
        }
    }
}

/// Lets another daemon take the place of this one, where it is newer or a person wants it.
#[cfg(unix)]
fn succession(inside: &Inside, call: &Call) -> Result<Reply, Box<Problem>> {
    use crate::daemon::succession::{REPLACE, UPGRADE, VERSION, is_newer};

    let said = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let own = env!("CARGO_PKG_VERSION");
    if !said("upgrade").eq_ignore_ascii_case(UPGRADE) {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "only another daemon asks for this"));
    }
    if said(REPLACE) != "yes" && !is_newer(said(VERSION), own) {
        let what = format!("this daemon is of version {own}, which is not older");
        return Err(Problem::new(StatusCode::CONFLICT, what)
            .hint("`switchboard serve --replace` takes its place all the same"));
    }
    let Some(claim) = inside.desk.claim() else {
        return Err(Problem::new(StatusCode::CONFLICT, "the doors of this daemon are systemd's")
            .hint("`systemctl --user restart switchboard` starts the version that is installed now"));
    };
    let mut reply = Reply::new(Body::empty());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply.extensions_mut().insert(claim);
    Ok(reply)
}

/// Asks a server that is in service in the version that is asked about.
async fn offered(inside: &Inside, call: &Call) -> Offered {
    let said = |name| call.query(name).unwrap_or_default();
    let limit = said("limit_ms").parse().map_or(OFFER_LIMIT, Duration::from_millis).min(OFFER_LIMIT);
    match inside.mcp.gateway().discover_served(said("server"), said("version"), limit).await {
        None => Offered::Unknown,
        Some(Ok(offer)) => serde_json::from_slice(&offer.to_json()).map_or(Offered::Unknown, Offered::Offer),
        Some(Err(trouble)) => Offered::Trouble(in_words(&trouble)),
    }
}

/// Has a command run, and answers with the document that it prints for programs.
async fn run(
    inside: &Inside,
    command: Command,
    call: &Call,
    yes: bool,
    done: StatusCode,
) -> Result<Reply, Box<Problem>> {
    let dry_run = call.flag("dry_run")?;
    let wishes = Common { json: true, dry_run, yes: yes || call.flag("yes")?, quiet: false };
    let agreed = call.queries("agreed").map(str::to_owned).collect();
    let mut answer: Answer = inside.desk.ask(Ask { command, wishes, env: None, agreed }).await;
    if let Some(failure) = answer.failure.take() {
        return Err(Problem::of(answer, failure));
    }
    let said = answer.said.iter().find_map(|said| match said {
        Said::Document(text) => serde_json::from_str(text).ok(),
        _ => None,
    });
    // What has nothing to tell still answers a program that reads.
    let document = answer.document.or(said).unwrap_or_else(|| serde_json::json!({ "done": !dry_run }));
    Ok(json(if dry_run { StatusCode::OK } else { done }, &document))
}
