//! The HTTP side of the daemon: what is asked for by whom, and what is answered.
//!
//! One table of routes ([`table`]) says for each what it does and who may ask for it. Every request passes the
//! [`guard`] before anything else, then [`access`], and only then what the route does.

mod access;
mod act;
mod body;
mod call;
mod config;
pub(crate) mod door;
mod events;
mod flow;
mod guard;
mod mcp;
mod metrics;
mod openapi;
mod peer;
mod problem;
mod reply;
mod route;
mod table;
mod v1;
mod visits;
mod watch;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use futures_util::future::BoxFuture;
use switchboard_core::settings::Settings;
use switchboard_gateway::Gateway;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::daemon::desk::Desk;
use access::Keys;
use call::Call;
use events::Streams;
use route::{Found, Routes};

pub(crate) use config::{client_file, version_json};
pub(crate) use peer::Peer;
pub(crate) use visits::Visits;

/// An answer.
type Reply = Response<Body>;

/// The HTTP side of the daemon. Cheap to clone: all clones are one.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inside>);

struct Inside {
    desk: Desk,
    /// The way to the servers.
    mcp: mcp::Mcp,
    keys: Keys,
    streams: Arc<Streams>,
    metrics: metrics::Metrics,
    visits: Arc<Visits>,
    /// Ends the streams when the daemon is about to end.
    drain: CancellationToken,
    /// The routes, and the settings that they follow from.
    routes: Mutex<(Arc<Settings>, Arc<Routes>)>,
}

impl Api {
    /// Returns the API over a desk. Bearer tokens are those of the file `tokens`; with `drain` its streams end.
    pub(crate) fn new(
        desk: Desk,
        gateway: Gateway,
        tokens: std::path::PathBuf,
        drain: CancellationToken,
    ) -> Self {
        let settings = Arc::clone(&desk.board().settings);
        let routes = Mutex::new((Arc::clone(&settings), Arc::new(table::routes(&settings))));
        let keys = Keys::new(tokens);
        let metrics = metrics::Metrics::shared();
        let (streams, visits) = (Arc::default(), Arc::default());
        let mcp = mcp::Mcp::new(gateway, &visits, desk.is_passing());
        Self(Arc::new(Inside { desk, mcp, keys, streams, metrics, visits, drain, routes }))
    }

    /// Returns who is there.
    pub(crate) fn visits(&self) -> &Arc<Visits> {
        &self.0.visits
    }

    /// Returns the routes that the settings ask for: other settings, other routes, without a restart.
    fn routes(&self) -> Arc<Routes> {
        let settings = Arc::clone(&self.0.desk.board().settings);
        let mut known = self.0.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.0, &settings) {
            *known = (Arc::clone(&settings), Arc::new(table::routes(&settings)));
        }
        Arc::clone(&known.1)
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Reply {
        let begun = Instant::now();
        let method = request.method().clone();
        let mut told = "none".to_owned();
        let mut reply = match self.serve(request, &mut told).await {
            Ok(reply) => reply,
            Err(problem) => problem.reply(),
        };
        if method == Method::HEAD {
            *reply.body_mut() = Body::empty();
            reply.extensions_mut().clear();
        }
        metrics::answered(&method, &told, reply.status(), begun.elapsed());
        reply
    }

    async fn serve(&self, request: Request<Body>, told: &mut String) -> Result<Reply, Box<problem::Problem>> {
        let peer = guard::admit(&request)?;
        let routes = self.routes();
        let found = routes.find(request.method(), request.uri().path());
        let Found { route, params } = found?;
        told.clone_from(&route.path);
        let settings = Arc::clone(&self.0.desk.board().settings);
        let visitor = access::check(route, &peer, request.headers(), &settings.http, &self.0.keys)?;
        let owner = access::owner(&peer, request.headers());
        let (call, body) = Call::new(request, params, visitor, owner)?;
        act::act(&self.0, route, call, body).await
    }
}

impl Service<Request<Body>> for Api {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move { Ok(api.answer(request).await) })
    }
}

#[cfg(test)]
mod tests;
