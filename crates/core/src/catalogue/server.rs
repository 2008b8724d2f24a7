//! One server of the catalogue.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::launch::Launch;
use crate::name::ServerName;
use crate::place::Place;

/// A server as the catalogue knows it: how to start or reach it, and how to treat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What the catalogue calls it.
    pub name: ServerName,
    /// Where its name stands in the file.
    pub place: Place,
    /// How it is started or reached.
    pub launch: Launch,
    /// `false`: known, not served, removed from clients.
    pub enabled: bool,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// How its tools are named behind the all-in-one face; `None` for the server's name.
    pub prefix: Option<String>,
    /// Which of its tools are offered.
    pub tools: ToolFilter,
    /// How long one call may take.
    pub timeout: Option<Duration>,
    /// Whether clients share one process of it.
    pub isolation: Isolation,
    /// It cannot run twice (it owns a port or a lock): stop before start.
    pub exclusive: bool,
    /// A child process that nobody has used for so long is stopped; the first call starts it again.
    pub idle_stop: Option<Duration>,
    /// How its health is checked.
    pub health: Option<Health>,
    /// How it is tried again.
    pub retry: Option<Retry>,
    /// An event stream that announces its tools.
    pub feed: Option<Feed>,
    /// Its annotations may lower a tool's risk.
    pub trust: bool,
}

impl Server {
    /// Returns an enabled server with everything else at its default.
    pub fn new(name: ServerName, launch: Launch) -> Self {
        Self {
            name,
            place: Place { line: 1, column: 1 },
            launch,
            enabled: true,
            description: None,
            tags: Vec::new(),
            prefix: None,
            tools: ToolFilter::default(),
            timeout: None,
            isolation: Isolation::Auto,
            exclusive: false,
            idle_stop: None,
            health: None,
            retry: None,
            feed: None,
            trust: false,
        }
    }
}

/// Which tools of a server are offered: those that `allow` matches and `deny` does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ToolFilter {
    /// Globs over tool names.
    #[schemars(default)]
    pub allow: Vec<String>,
    /// Globs over tool names; they win.
    #[schemars(default)]
    pub deny: Vec<String>,
}

impl Default for ToolFilter {
    fn default() -> Self {
        Self { allow: vec!["*".to_owned()], deny: Vec::new() }
    }
}

/// Whether clients share one process of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Shared, until the server sends a request whose recipient cannot be known.
    #[default]
    Auto,
    /// Always shared.
    Shared,
    /// One process per session.
    PerSession,
}

/// How the health of a server is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Time between checks.
    pub every: Duration,
    /// How long a check may take.
    pub timeout: Duration,
    /// So many failed checks in a row, and it counts as down.
    pub failures: u64,
}

/// How a server that cannot be reached is tried again: exponentially, with full jitter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first delay.
    pub first: Duration,
    /// The longest delay.
    pub max: Duration,
    /// How often; 0 for ever.
    pub attempts: u64,
}

/// An event stream that announces a server's tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its address.
    pub url: String,
    /// How long the stream may take to open, and how long it may be silent: a comment is a sign of life, too.
    pub timeout: Duration,
    /// After so many attempts in a row that brought nothing it is given up; 0 for never.
    pub retry_attempts: u64,
}

/// A server as its table in the file says it, for the JSON Schema.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ServerFile {
    /// `stdio` (default for a command), `http` (default for a url) or `sse` (the 2024 transport).
    #[schemars(extend("enum" = ["stdio", "http", "sse"]))]
    r#type: Option<String>,
    /// The program to start: a name looked up in PATH, or a path.
    command: Option<String>,
    /// Its arguments. No shell is involved.
    args: Option<Vec<String>>,
    /// Variables set for it. Values may hold `${env:NAME}`, `${file:PATH}`, `${keyring:NAME}`, `${cmd:PROGRAM ARGS}`.
    env: Option<BTreeMap<String, String>>,
    /// Its working directory.
    cwd: Option<String>,
    /// The address to reach it at.
    url: Option<String>,
    /// Headers sent with each request. Values may hold references.
    headers: Option<BTreeMap<String, String>>,
    /// `false`: known, not served, removed from clients.
    enabled: Option<bool>,
    /// What it is for.
    description: Option<String>,
    /// Words to select it by: `tag:NAME`.
    tags: Option<Vec<String>>,
    /// How its tools are named behind the all-in-one face; default the server's name.
    prefix: Option<String>,
    /// Which of its tools are offered.
    tools: Option<ToolFilter>,
    /// How long one call may take, such as "30s".
    timeout: Option<String>,
    /// Whether clients share one process of it.
    isolation: Option<Isolation>,
    /// It cannot run twice (it owns a port or a lock): stop before start.
    exclusive: Option<bool>,
    /// A child process nobody has used for so long is stopped, such as "10m".
    idle_stop: Option<String>,
    /// How its health is checked.
    health: Option<HealthFile>,
    /// How it is tried again.
    retry: Option<RetryFile>,
    /// An event stream that announces its tools.
    feed: Option<FeedFile>,
    /// Its annotations may lower a tool's risk.
    trust: Option<bool>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct HealthFile {
    /// Time between checks, such as "30s".
    every: Option<String>,
    /// How long a check may take, such as "5s".
    timeout: Option<String>,
    /// So many failed checks in a row, and it counts as down.
    failures: Option<u64>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct RetryFile {
    /// The first delay, such as "250ms".
    first: Option<String>,
    /// The longest delay, such as "30s".
    max: Option<String>,
    /// How often; 0 for ever.
    attempts: Option<u64>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct FeedFile {
    /// Its address.
    url: Option<String>,
    /// Instead of a url: its host.
    host: Option<String>,
    /// Instead of a url: its port.
    port: Option<u64>,
    /// Instead of a url: its path.
    path: Option<String>,
    /// How long the stream may take to open, and how long it may be silent, such as "30s".
    timeout: Option<String>,
    /// After so many attempts in a row that brought nothing it is given up; 0 for never.
    retry_attempts: Option<u64>,
}
