//! A server of MCP that lets nobody in without a token, and the authorization server that gives them: each with an origin
//! of its own, and as good or bad as a test wants them to be.

mod browser;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

pub use self::browser::visit;
use self::text::{base64, basic, digest, pairs};
use super::http::{HttpServer, Reply, Request, result};

/// Stands in every secret that is handed out: it must turn up nowhere but in files that only their owner reads.
pub const CANARY: &str = "canary-5d1e-do-not-tell";

/// What an authorization server says of itself in the address that the browser is sent back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Iss {
    /// Who it is, as it says it would.
    Right,
    /// Nothing, and it says nothing about that.
    Silent,
    /// Nothing, though it says it would.
    Missing,
    /// Somebody else.
    Wrong,
}

/// How both behave.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way to behave of its own")]
pub struct Rules {
    /// Whether anybody can register.
    pub registers: bool,
    /// Whether documents on the web are known as clients.
    pub documents: bool,
    /// A client that is known, with its secret.
    pub client: Option<(String, Option<String>)>,
    /// How clients may say who they are.
    pub methods: Vec<&'static str>,
    /// How codes may be protected; `None`: nothing is said.
    pub challenges: Option<Vec<&'static str>>,
    /// What is said to the browser.
    pub iss: Iss,
    /// Whether the server names its authorization server at all.
    pub names: bool,
    /// What the server calls itself, where that is not its address.
    pub resource: Option<String>,
    /// What the authorization server calls itself, where that is not its address.
    pub issuer: Option<String>,
    /// Where tokens are had, where that is not the authorization server.
    pub token_endpoint: Option<String>,
    /// Whether tokens can be renewed.
    pub refreshes: bool,
    /// Whether each refresh token is good for one use.
    pub rotates: bool,
    /// For how many seconds a token is good.
    pub lifetime: Option<u64>,
    /// The scope that calling a tool needs.
    pub needs: Option<&'static str>,
    /// Scopes that nobody gets.
    pub withheld: BTreeSet<String>,
    /// Whether the person agrees.
    pub agrees: bool,
    /// What renewals come to, in the place of tokens.
    pub renewal: Option<(u16, String)>,
    /// Whether renewals wait for [`LoginServer::release`].
    pub holds: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            registers: true,
            documents: false,
            client: None,
            methods: vec!["none", "client_secret_basic"],
            challenges: Some(vec!["S256"]),
            iss: Iss::Right,
            names: true,
            resource: None,
            issuer: None,
            token_endpoint: None,
            refreshes: true,
            rotates: true,
            lifetime: Some(3600),
            needs: None,
            withheld: BTreeSet::new(),
            agrees: true,
            renewal: None,
            holds: false,
        }
    }
}

/// What somebody may do with a token, or what a token can be had for.
#[derive(Clone, Debug)]
struct Given {
    client: String,
    scopes: BTreeSet<String>,
    redirect: String,
    challenge: String,
    good: bool,
}

#[derive(Debug, Default)]
struct Memory {
    clients: BTreeSet<String>,
    codes: BTreeMap<String, Given>,
    access: BTreeMap<String, Given>,
    refresh: BTreeMap<String, Given>,
    number: u32,
    renewals: u32,
    logins: u32,
    revoked: u32,
    /// What was done that must never be done.
    crimes: Vec<String>,
}

struct State {
    rules: Mutex<Rules>,
    changed: Condvar,
    memory: Mutex<Memory>,
    server: OnceLock<String>,
    issuer: OnceLock<String>,
}

/// The pair of them.
pub struct LoginServer {
    server: HttpServer,
    issuer: HttpServer,
    state: Arc<State>,
}

impl LoginServer {
    /// Starts both.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(rules: Rules) -> io::Result<Self> {
        let state = Arc::new(State {
            rules: Mutex::new(rules),
            changed: Condvar::new(),
            memory: Mutex::default(),
            server: OnceLock::new(),
            issuer: OnceLock::new(),
        });
        let (own, other) = (Arc::clone(&state), Arc::clone(&state));
        let server = HttpServer::start(move |request, reply| own.serve(request, reply))?;
        let issuer = HttpServer::start(move |request, reply| other.authorize(request, reply))?;
        let _ = (state.server.set(server.origin.clone()), state.issuer.set(issuer.origin.clone()));
        Ok(Self { server, issuer, state })
    }

    /// Returns the address of the server.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.server.origin)
    }

    /// Returns who gives the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer.origin
    }

    /// Has them behave otherwise from now on.
    pub fn alter(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state.rules());
        self.state.changed.notify_all();
    }

    /// Lets renewals that wait go on.
    pub fn release(&self) {
        self.alter(|rules| rules.holds = false);
    }

    /// Makes every token bad that was handed out until now; those that renew them stay good.
    pub fn spoil(&self) {
        self.state.memory().access.values_mut().for_each(|given| given.good = false);
    }

    /// Forgets everybody: neither tokens nor what renews them is good any more.
    pub fn forget(&self) {
        let mut memory = self.state.memory();
        memory.access.clear();
        memory.refresh.clear();
    }

    /// Returns how often tokens were renewed, well or badly.
    pub fn renewals(&self) -> u32 {
        self.state.memory().renewals
    }

    /// Returns how often a code was exchanged for tokens.
    pub fn logins(&self) -> u32 {
        self.state.memory().logins
    }

    /// Returns how often tokens were to be taken back.
    pub fn revoked(&self) -> u32 {
        self.state.memory().revoked
    }

    /// Returns what was asked of the server.
    pub fn calls(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Returns what was asked of the authorization server.
    pub fn questions(&self) -> Vec<Request> {
        self.issuer.requests()
    }

    /// Returns what was asked at this path of the authorization server, as forms, or as queries.
    pub fn forms(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let asked = self.questions().into_iter();
        asked
            .filter(|request| request.path.split('?').next() == Some(path))
            .map(|request| match request.path.split_once('?') {
                Some((_, query)) => pairs(query),
                None => pairs(&request.body),
            })
            .collect()
    }

    /// Fails if anybody did what must never be done.
    ///
    /// # Panics
    /// Somebody did.
    pub fn acquit(&self) {
        let crimes = self.state.memory().crimes.clone();
        assert!(crimes.is_empty(), "{crimes:#?}");
    }
}

impl State {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server itself answers.
    fn serve(&self, request: &Request, reply: &mut Reply) {
        let rules = self.rules().clone();
        let (server, issuer) = (self.server.wait(), self.issuer.wait());
        if request.path == "/.well-known/oauth-protected-resource/mcp" && rules.names {
            let resource = rules.resource.unwrap_or_else(|| format!("{server}/mcp"));
            let about = json!({
                "resource": resource, "authorization_servers": [issuer], "scopes_supported": ["read"],
            });
            return reply.json(&about.to_string());
        }
        if request.path != "/mcp" {
            return reply.send(404, &[], "");
        }
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let pointer = if rules.names {
            format!("resource_metadata=\"{server}/.well-known/oauth-protected-resource/mcp\"")
        } else {
            "realm=\"x\"".to_owned()
        };
        let given = token.and_then(|token| self.memory().access.get(token).cloned());
        let Some(given) = given.filter(|given| given.good) else {
            let error = if token.is_some() { "error=\"invalid_token\", " } else { "" };
            return reply.send(401, &[("www-authenticate", &format!("Bearer {error}{pointer}"))], "");
        };
        match &*request.rpc() {
            "initialize" => reply.json(&result(
                request,
                r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"vault","version":"1"}}"#,
            )),
            "tools/list" => reply.json(&result(request, r#"{"tools":[{"name":"open","inputSchema":{"type":"object"}}]}"#)),
            "tools/call" if rules.needs.is_some_and(|scope| !given.scopes.contains(scope)) => {
                let scope = rules.needs.unwrap_or_default();
                let header = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\", {pointer}");
                reply.send(403, &[("www-authenticate", &header)], "");
            }
            "tools/call" => {
                reply.json(&result(request, r#"{"content":[{"type":"text","text":"it is open"}]}"#));
            }
            _ if request.json()["id"].is_null() => reply.send(202, &[], ""),
            _ => reply.json(&result(request, "{}")),
        }
    }

    /// What the authorization server answers.
    fn authorize(&self, request: &Request, reply: &mut Reply) {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if request.header("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
            self.memory().crimes.push(format!("a token was carried to {path}"));
        }
        match (&*request.method, path) {
            ("GET", "/.well-known/oauth-authorization-server") => self.describe(reply),
            ("POST", "/register") if self.rules().registers => self.register(request, reply),
            ("GET", "/authorize") => self.ask_person(&pairs(query), reply),
            ("POST", "/token") => {
                let answer = self.give(request);
                let (status, body) =
                    answer.unwrap_or_else(|code| (400, json!({ "error": code }).to_string()));
                reply.send(status, &[("content-type", "application/json")], &body);
            }
            ("POST", "/revoke") => {
                self.memory().revoked += 1;
                reply.send(200, &[], "");
            }
            _ => reply.send(404, &[], ""),
        }
    }

    fn describe(&self, reply: &mut Reply) {
        let rules = self.rules().clone();
        let here = self.issuer.wait();
        let mut about = json!({
            "issuer": rules.issuer.as_ref().unwrap_or(here),
            "authorization_endpoint": format!("{here}/authorize"),
            "token_endpoint": rules.token_endpoint.unwrap_or_else(|| format!("{here}/token")),
            "revocation_endpoint": format!("{here}/revoke"),
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": rules.methods,
            "client_id_metadata_document_supported": rules.documents,
            "authorization_response_iss_parameter_supported": matches!(rules.iss, Iss::Right | Iss::Missing),
        });
        if let Some(challenges) = rules.challenges {
            about["code_challenge_methods_supported"] = json!(challenges);
        }
        if rules.registers {
            about["registration_endpoint"] = json!(format!("{here}/register"));
        }
        reply.json(&about.to_string());
    }

    fn register(&self, request: &Request, reply: &mut Reply) {
        let asked = request.json();
        let mut memory = self.memory();
        memory.number += 1;
        let id = format!("client-{}", memory.number);
        memory.clients.insert(id.clone());
        let answer = json!({ "client_id": id, "redirect_uris": asked["redirect_uris"] });
        reply.send(201, &[("content-type", "application/json")], &answer.to_string());
    }

    /// The page on which a person agrees: here at once.
    fn ask_person(&self, asked: &BTreeMap<String, String>, reply: &mut Reply) {
        let rules = self.rules().clone();
        let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut memory = self.memory();
        let client = text("client_id");
        let known = memory.clients.contains(&client)
            || rules.client.as_ref().is_some_and(|(id, _)| *id == client)
            || (rules.documents && client.starts_with("https://"));
        let redirect = text("redirect_uri");
        if !known || !redirect.starts_with("http://127.0.0.1:") || text("response_type") != "code" {
            return reply.send(400, &[], "who is that?");
        }
        if text("code_challenge_method") != "S256" || text("code_challenge").is_empty() {
            memory.crimes.push("a code was asked for that anybody could use".to_owned());
        }
        if text("resource") != rules.resource.unwrap_or_else(|| format!("{}/mcp", self.server.wait())) {
            memory.crimes.push(format!("a code was asked for, for `{}`", text("resource")));
        }
        memory.number += 1;
        let code = format!("{CANARY}-code-{}", memory.number);
        let scopes = text("scope").split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        let scopes = scopes.difference(&rules.withheld).cloned().collect();
        let challenge = text("code_challenge");
        memory.codes.insert(
            code.clone(),
            Given { client, scopes, redirect: redirect.clone(), challenge, good: true },
        );
        let iss = match rules.iss {
            Iss::Right => format!("&iss={}", self.issuer.wait()),
            Iss::Wrong => "&iss=https://mallory.example".to_owned(),
            Iss::Silent | Iss::Missing => String::new(),
        };
        let answer = if rules.agrees { format!("code={code}") } else { "error=access_denied".to_owned() };
        let target = format!("{redirect}?{answer}&state={}{iss}", text("state"));
        reply.send(302, &[("location", &target)], "");
    }

    /// Gives tokens, or says by a code why not.
    fn give(&self, request: &Request) -> Result<(u16, String), &'static str> {
        let asked = pairs(&request.body);
        let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let rules = self.rules().clone();
        let client = self.recognise(request, &asked).ok_or("invalid_client")?;
        if text("resource") != rules.resource.clone().unwrap_or_else(|| format!("{}/mcp", self.server.wait()))
        {
            return Err("invalid_target");
        }
        match &*text("grant_type") {
            "authorization_code" => {
                let mut memory = self.memory();
                memory.logins += 1;
                let given = memory.codes.remove(&text("code")).ok_or("invalid_grant")?;
                if given.client != client || given.redirect != text("redirect_uri") {
                    return Err("invalid_grant");
                }
                if base64(&digest(&text("code_verifier")), true) != given.challenge {
                    memory.crimes.push("a code was used by somebody who did not ask for it".to_owned());
                    return Err("invalid_grant");
                }
                Ok((200, memory.tokens(given, &rules, rules.refreshes)))
            }
            "refresh_token" => {
                self.memory().renewals += 1;
                let holding = |rules: &mut Rules| rules.holds;
                drop(self.changed.wait_while(self.rules(), holding));
                let rules = self.rules().clone();
                if let Some((status, body)) = rules.renewal {
                    return Ok((status, body));
                }
                let mut memory = self.memory();
                let given = memory.refresh.get_mut(&text("refresh_token")).ok_or("invalid_grant")?;
                if !given.good {
                    // Whoever uses one twice may have stolen it: all that came of it is over.
                    memory.crimes.push("a refresh token was used twice".to_owned());
                    memory.refresh.clear();
                    return Err("invalid_grant");
                }
                if given.client != client {
                    return Err("invalid_grant");
                }
                given.good = !rules.rotates;
                let given = given.clone();
                Ok((200, memory.tokens(given, &rules, rules.rotates)))
            }
            "client_credentials"
                if rules.client.as_ref().is_some_and(|(id, secret)| *id == client && secret.is_some()) =>
            {
                let mut memory = self.memory();
                memory.renewals += 1;
                let scopes = text("scope").split_whitespace().map(str::to_owned).collect();
                let given =
                    Given { client, scopes, redirect: String::new(), challenge: String::new(), good: true };
                Ok((200, memory.tokens(given, &rules, false)))
            }
            _ => Err("unsupported_grant_type"),
        }
    }

    /// Returns who asks, if that is known and shown as it has to be.
    fn recognise(&self, request: &Request, asked: &BTreeMap<String, String>) -> Option<String> {
        let rules = self.rules().clone();
        let header = request.header("authorization").and_then(|value| value.strip_prefix("Basic "));
        let (id, secret, method) = match (header, asked.get("client_secret")) {
            (Some(header), _) => {
                let (id, secret) = basic(header)?;
                (id, Some(secret), "client_secret_basic")
            }
            (None, Some(secret)) => {
                (asked.get("client_id")?.clone(), Some(secret.clone()), "client_secret_post")
            }
            (None, None) => (asked.get("client_id")?.clone(), None, "none"),
        };
        let own = match rules.client {
            Some((own, wanted)) if own == id => wanted == secret,
            _ => secret.is_none() && (self.memory().clients.contains(&id) || id.starts_with("https://")),
        };
        (own && rules.methods.contains(&method)).then_some(id)
    }
}

impl Memory {
    fn tokens(&mut self, given: Given, rules: &Rules, refresh: bool) -> String {
        self.number += 1;
        let access = format!("{CANARY}-access-{}", self.number);
        let mut answer = json!({
            "access_token": access, "token_type": "Bearer",
            "scope": given.scopes.iter().cloned().collect::<Vec<_>>().join(" "),
        });
        if let Some(lifetime) = rules.lifetime {
            answer["expires_in"] = json!(lifetime);
        }
        if refresh {
            let token = format!("{CANARY}-refresh-{}", self.number);
            answer["refresh_token"] = Value::from(token.clone());
            self.refresh.insert(token, Given { good: true, ..given.clone() });
        }
        self.access.insert(access, Given { good: true, ..given });
        answer.to_string()
    }
}
