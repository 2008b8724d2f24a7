//! Remote servers that do what a script says.

mod era;
mod exchange;
mod login;
mod server;
mod session;
mod sse;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use tokio::runtime::Handle;

use crate::gateway::Gateway;
use crate::generation::Generation;
use crate::keep::Forgetful;
use crate::launch::{LaunchError, Launched, Launcher};
use crate::slot::Slot;
use crate::trouble::Trouble;
use crate::upstream::{Answer, Upstream};
use server::{Heard, Say, Scripted, ok};

/// Nothing in these tests takes so long, unless it never ends.
const LONG: Duration = Duration::from_secs(20);

/// Says where the scripted server is, and has the tokens of a person who logged in.
#[derive(Default)]
struct Owner {
    kind: Option<Remote>,
    url: String,
    headers: Vec<(String, String)>,
    /// Tokens, the next one last.
    tokens: Mutex<Vec<&'static str>>,
    /// What it was told of refusals.
    refusals: Mutex<Vec<(u16, Option<String>)>>,
}

impl Launcher for Owner {
    fn launch<'a>(
        &'a self,
        _: &'a Server,
        _: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<Launched, LaunchError>> {
        let kind = self.kind.unwrap_or(Remote::Http);
        let (url, headers) = (self.url.clone(), self.headers.clone());
        Box::pin(async move { Ok(Launched::Remote { kind, url, headers }) })
    }

    fn authorization<'a>(
        &'a self,
        _: &'a Server,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, LaunchError>> {
        let token = self.tokens.lock().unwrap().last().map(|token| format!("Bearer {token}"));
        Box::pin(async move { Ok(token) })
    }

    fn refused<'a>(
        &'a self,
        _: &'a Server,
        _: &'a str,
        _: Option<&'a str>,
        status: u16,
        challenge: Option<&'a str>,
    ) -> BoxFuture<'a, bool> {
        self.refusals.lock().unwrap().push((status, challenge.map(str::to_owned)));
        let mut tokens = self.tokens.lock().unwrap();
        tokens.pop();
        let more = !tokens.is_empty();
        Box::pin(async move { more })
    }
}

/// A gateway in front of a scripted server.
struct Front {
    gateway: Gateway,
    owner: Arc<Owner>,
    server: Arc<Server>,
    slot: Arc<Slot>,
}

impl Front {
    fn new(owner: Owner) -> Self {
        let owner = Arc::new(owner);
        let gateway = Gateway::new(Handle::current(), Arc::<Owner>::clone(&owner), Arc::new(Forgetful));
        let server = Arc::new(Server::new(name(), Launch::http(owner.url.clone())));
        let (stats, log) = Default::default();
        let fingerprint = "1".to_owned();
        let generation =
            Arc::new(Generation::new(Arc::clone(&server), fingerprint, Duration::from_secs(1), stats, log));
        let slot = generation.plain_slot(&gateway.0);
        Self { gateway, owner, server, slot }
    }

    fn to(server: &Scripted) -> Self {
        Self::new(Owner { url: server.url("/mcp"), ..Owner::default() })
    }

    async fn wanted(&self) -> Result<Arc<Upstream>, Trouble> {
        tokio::time::timeout(LONG, self.slot.wanted()).await.expect("it ends")
    }

    /// Puts the server in service, and returns a session of a client that sees it.
    async fn session(&self) -> Arc<crate::session::Session> {
        let (told, mut heard) = tokio::sync::mpsc::channel(1);
        self.gateway.start(Arc::clone(&self.server), "2".to_owned(), move |how| drop(told.try_send(how)));
        heard.recv().await.unwrap().unwrap();
        self.gateway.publish(&[(Arc::clone(&self.server), "2".to_owned())], BTreeMap::new());
        self.gateway.session(crate::face::Face::server(name()), None).unwrap()
    }
}

/// Asks for a tool, and returns the result as it is written.
async fn call(upstream: &Upstream, tool: &str) -> Result<String, Trouble> {
    call_for(upstream, tool, LONG).await
}

async fn call_for(upstream: &Upstream, tool: &str, limit: Duration) -> Result<String, Trouble> {
    let params = format!(r#"{{"name":"{tool}"}}"#);
    match upstream.ask("tools/call", Some(&params), limit).await? {
        Answer::Result(result) => Ok(result.get().to_owned()),
        Answer::Error { whole, .. } => Ok(format!("error {}", whole.get())),
    }
}

/// Has a script answer what a server with sessions answers, where it says nothing else.
fn legacy(
    script: impl Fn(&Heard) -> Option<Vec<Say>> + Send + Sync + 'static,
) -> impl Fn(&Heard) -> Vec<Say> {
    move |heard| {
        if let Some(said) = script(heard) {
            return said;
        }
        match (heard.verb.as_str(), heard.method()) {
            ("GET", _) => server::status(405),
            ("DELETE", _) => server::status(200),
            (_, "initialize") => server::reply(
                200,
                &[("Content-Type", "application/json"), ("Mcp-Session-Id", "s1")],
                &heard.result(
                    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"f","version":"1"}}"#,
                ),
            ),
            (_, "tools/list") => ok(&heard.result(r#"{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}"#)),
            (_, "tools/call") => ok(&heard.result(r#"{"content":[]}"#)),
            (_, "ping") => ok(&heard.result("{}")),
            (_, method) if method.starts_with("notifications/") => server::status(202),
            _ if heard.is_answer() => server::status(202),
            _ => server::status(400),
        }
    }
}

/// The same for a stateless server.
fn modern(
    script: impl Fn(&Heard) -> Option<Vec<Say>> + Send + Sync + 'static,
) -> impl Fn(&Heard) -> Vec<Say> {
    move |heard| {
        if let Some(said) = script(heard) {
            return said;
        }
        match (heard.verb.as_str(), heard.method()) {
            ("GET" | "DELETE", _) => server::status(405),
            (_, "server/discover") => ok(&heard.result(
                r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#,
            )),
            (_, "tools/list") => ok(&heard.result(
                r#"{"resultType":"complete","tools":[
                    {"name":"t","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}},
                    {"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}}]}"#,
            )),
            (_, "tools/call") => ok(&heard.result(r#"{"resultType":"complete","content":[]}"#)),
            _ => server::status(404),
        }
    }
}

/// Waits until something is so.
async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("it comes to be so");
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn name() -> switchboard_core::name::ServerName {
    "far".to_owned().try_into().unwrap()
}
