//! The settings: `switchboard.toml`.

mod policy;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::known::{self, Known};
use crate::fields::{Fields, read};
use crate::name::ClientId;
use crate::problem::{Parsed, Problem};

pub use policy::{ExportSettings, OnChange, Policy};

/// No public name is shorter or longer than this, whatever the settings say (SEP-986 has 128 as the end).
const SHORTEST_LIMIT: usize = 24;
const LONGEST_LIMIT: usize = 128;

/// What `switchboard.toml` says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The `[http]` table.
    pub http: Http,
    /// The `[client_sync]` table: the five strategies.
    pub client_sync: ClientSync,
    /// The `[gateway]` table.
    pub gateway: Gateway,
    /// The `[policy]` table.
    pub policy: Policy,
    /// The `[[clients]]` tables.
    pub clients: Vec<ClientSettings>,
}

/// How calls to servers are passed on.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct Gateway {
    /// How long calls in flight may take once their server is no longer wanted, such as "30s".
    #[schemars(default, with = "String")]
    pub drain: Duration,
    /// The longest tool name behind any client's own prefix, in bytes.
    #[schemars(default)]
    pub name_limit: usize,
    /// Whether clients are offered a tool that reloads by hand, `switchboard_reload`.
    #[schemars(default)]
    pub reload_tool: bool,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { drain: Duration::from_secs(30), name_limit: 64, reload_tool: false }
    }
}

/// Where and how the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct Http {
    /// The address; another interface than loopback refuses to start without auth.
    #[schemars(default)]
    pub listen: String,
    /// `token`, or `none` on loopback only.
    #[schemars(default)]
    pub auth: String,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_owned(), auth: "token".to_owned() }
    }
}

/// The five strategies; each can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct ClientSync {
    /// Linked auto clients are rewritten at once.
    #[schemars(default)]
    pub auto_write_enabled: bool,
    /// More files to keep in step: `path` (the client is recognised by it) or `client-id=path`.
    #[schemars(default)]
    pub client_configs: Vec<String>,
    /// The route that serves configs.
    #[schemars(default)]
    pub pull_endpoint: String,
    /// The route that serves the version.
    #[schemars(default)]
    pub version_endpoint: String,
    /// Whether changes are pushed as server-sent events.
    #[schemars(default)]
    pub sse_push_enabled: bool,
    /// The route of the event stream.
    #[schemars(default)]
    pub sse_endpoint: String,
    /// Whether changes are signalled over D-Bus.
    #[schemars(default)]
    pub dbus_notify: bool,
    /// The D-Bus interface; the object path follows from it.
    #[schemars(default)]
    pub dbus_interface: String,
    /// `session` or `system`.
    #[schemars(default)]
    pub dbus_bus: String,
}

impl Default for ClientSync {
    fn default() -> Self {
        Self {
            auto_write_enabled: true,
            client_configs: Vec::new(),
            pull_endpoint: "/api/mcp/_config".to_owned(),
            version_endpoint: "/api/mcp/_version".to_owned(),
            sse_push_enabled: true,
            sse_endpoint: "/api/mcp/_config/events".to_owned(),
            dbus_notify: true,
            dbus_interface: "org.opdbus.MCP".to_owned(),
            dbus_bus: "session".to_owned(),
        }
    }
}

/// Whether a change of the catalogue is written when asked, or at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Changes stay pending until `push`.
    #[default]
    Manual,
    /// A change of the catalogue is written at once.
    Auto,
}

/// What a managed entry in a client's file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// `switchboard connect NAME`.
    #[default]
    Bridge,
    /// The gateway's URL.
    Http,
    /// The server's own config.
    Direct,
}

/// How a client sees the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// One entry per server.
    #[default]
    PerServer,
    /// One entry for all.
    Single,
}

/// Which tools a client with a single entry is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tools {
    /// All of them.
    #[default]
    Full,
    /// Three that search, describe and call.
    Search,
}

/// One `[[clients]]` table.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Its id: a known client's, or any with `dialect` and `path`.
    pub id: ClientId,
    /// The known client whose dialect its file is written in; the one of that id when not named.
    pub known: &'static Known,
    /// Its file, as written (`~` unexpanded); `None` for the known client's own place.
    pub path: Option<String>,
    /// Manual or auto.
    pub mode: Mode,
    /// What a managed entry says.
    pub via: Via,
    /// One entry per server, or one for all.
    pub face: Face,
    /// Which tools a single entry offers.
    pub tools: Tools,
    /// Which servers it is given.
    pub servers: Vec<String>,
}

/// Reads the settings. Whatever is wrong has its place; the rest counts.
pub fn parse(text: &str) -> Parsed<Settings> {
    let mut problems = Vec::new();
    let table = read(text, &mut problems);
    let mut settings = Settings::default();
    let mut fields = Fields::of(text, "the settings", table.span(), table.get_ref(), &mut problems);
    fields.text("$schema");
    if let Some(http) = fields.table("http", http) {
        settings.http = http;
    }
    if let Some(client_sync) = fields.table("client_sync", client_sync) {
        settings.client_sync = client_sync;
    }
    if let Some(gateway) = fields.table("gateway", gateway) {
        settings.gateway = gateway;
    }
    if let Some(policy) = fields.table("policy", policy::read) {
        settings.policy = policy;
    }
    settings.clients = fields.tables("clients", client).into_iter().flatten().collect();
    // Read by later parts of the product; known here so that they are no mistakes.
    for later in ["cluster", "log"] {
        fields.skip(later);
    }
    fields.skip("layers");
    fields.finish();
    let mut seen = std::collections::BTreeSet::new();
    for client in &settings.clients {
        if !seen.insert(client.id.clone()) {
            problems.push(
                Problem::error(format!("client `{}` stands twice", client.id))
                    .help("give one of them another `id`, with `dialect` and `path`"),
            );
        }
    }
    problems.sort_by_key(|problem| problem.place);
    Parsed { value: settings, problems }
}

fn http(fields: &mut Fields<'_, '_>) -> Http {
    let default = Http::default();
    Http {
        listen: fields.text("listen").unwrap_or(default.listen),
        auth: fields
            .word("auth", &[("token", "token"), ("none", "none")])
            .map_or(default.auth, str::to_owned),
    }
}

fn gateway(fields: &mut Fields<'_, '_>) -> Gateway {
    let default = Gateway::default();
    let limit = fields.number("name_limit").and_then(|limit| usize::try_from(limit).ok());
    Gateway {
        drain: fields.duration("drain").unwrap_or(default.drain),
        // A name has to have room for the mark that tells it from others.
        name_limit: limit.unwrap_or(default.name_limit).clamp(SHORTEST_LIMIT, LONGEST_LIMIT),
        reload_tool: fields.bool("reload_tool").unwrap_or(default.reload_tool),
    }
}

fn client_sync(fields: &mut Fields<'_, '_>) -> ClientSync {
    let default = ClientSync::default();
    ClientSync {
        auto_write_enabled: fields.bool("auto_write_enabled").unwrap_or(default.auto_write_enabled),
        client_configs: fields.texts("client_configs").unwrap_or_default(),
        pull_endpoint: fields.text("pull_endpoint").unwrap_or(default.pull_endpoint),
        version_endpoint: fields.text("version_endpoint").unwrap_or(default.version_endpoint),
        sse_push_enabled: fields.bool("sse_push_enabled").unwrap_or(default.sse_push_enabled),
        sse_endpoint: fields.text("sse_endpoint").unwrap_or(default.sse_endpoint),
        dbus_notify: fields.bool("dbus_notify").unwrap_or(default.dbus_notify),
        dbus_interface: fields.text("dbus_interface").unwrap_or(default.dbus_interface),
        dbus_bus: fields
            .word("dbus_bus", &[("session", "session"), ("system", "system")])
            .map_or(default.dbus_bus, str::to_owned),
    }
}

fn client(fields: &mut Fields<'_, '_>) -> Option<ClientSettings> {
    let id = fields.text("id");
    let dialect = fields.text("dialect");
    let path = fields.text("path");
    let mode = fields.word("mode", &[("manual", Mode::Manual), ("auto", Mode::Auto)]).unwrap_or_default();
    let via = fields
        .word("via", &[("bridge", Via::Bridge), ("http", Via::Http), ("direct", Via::Direct)])
        .unwrap_or_default();
    let face =
        fields.word("face", &[("per-server", Face::PerServer), ("single", Face::Single)]).unwrap_or_default();
    let tools = fields.word("tools", &[("full", Tools::Full), ("search", Tools::Search)]).unwrap_or_default();
    let servers = fields.texts("servers").unwrap_or_else(|| vec!["*".to_owned()]);
    let Some(id) = id else {
        if !fields.has("id") {
            fields.problem(Problem::error("a client needs an `id`").help("add id = \"cursor\""));
        }
        return None;
    };
    let named = dialect.as_deref().unwrap_or(&id);
    let Some(known) = known::find(named) else {
        let key = if dialect.is_some() { "dialect" } else { "id" };
        let mut problem = Problem::error(format!("`{named}` is no known client"));
        problem = match known::nearest(named) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("name the known client that writes its file alike: dialect = \"cursor\""),
        };
        fields.problem_of(key, problem);
        return None;
    };
    // An alias of a known client is that client.
    let id = if dialect.is_none() { known.id.to_owned() } else { id };
    let id = match ClientId::parse(&id) {
        Ok(id) => id,
        Err(error) => {
            fields.problem_of("id", Problem::error(format!("{id:?} is no client id: {error}")));
            return None;
        }
    };
    Some(ClientSettings { id, known, path, mode, via, face, tools, servers })
}

/// The whole settings file, for the JSON Schema.
#[derive(JsonSchema)]
#[schemars(title = "Switchboard settings")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct SettingsFile {
    /// Where and how the daemon listens.
    http: Option<Http>,
    /// The five strategies by which clients stay in step.
    client_sync: Option<ClientSync>,
    /// How calls to servers are passed on.
    gateway: Option<Gateway>,
    /// What tools may do.
    policy: Option<policy::PolicyFile>,
    /// The clients whose files are kept in step.
    #[schemars(default)]
    clients: Vec<ClientFile>,
}

/// One client whose file is kept in step.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ClientFile {
    /// A known client, or any id with `dialect` and `path`.
    id: String,
    /// The known client that writes its file alike.
    dialect: Option<String>,
    /// Its file, when it is not at the usual place.
    path: Option<String>,
    /// Whether changes are written when asked, or at once.
    mode: Option<Mode>,
    /// What an entry says.
    via: Option<Via>,
    /// One entry per server, or one for all.
    face: Option<Face>,
    /// Which tools a single entry offers.
    tools: Option<Tools>,
    /// Which servers it is given: names, globs, `tag:NAME`, `profile:NAME`.
    servers: Option<Vec<String>>,
}

#[cfg(test)]
mod tests;
