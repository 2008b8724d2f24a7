//! The bodies that requests bring, and the commands that they mean.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

use super::super::call::parsed;
use super::super::problem::Problem;
use super::policy::{PolicyApproveBody, PolicyBody, PolicyUndoBody};
use crate::cli::{Client, Command, FaceArg, Kind, Link, ServerAdd, Sync, ToolsArg, ViaArg, Which};
use crate::pending::WordBody;

/// A server: how to start it or reach it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerBody {
    /// What the catalogue is to call it; where the path names it already, it stands there.
    name: Option<String>,
    /// `stdio` (default for a command), `http` (default for a url) or `sse`.
    r#type: Option<Transport>,
    /// The program to start.
    command: Option<String>,
    /// Its arguments. No shell is involved.
    args: Option<Vec<String>>,
    /// Variables for it. Values may be references, such as `${keyring:github-token}`.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Its working directory.
    cwd: Option<String>,
    /// The address to reach it at.
    url: Option<String>,
    /// Headers to send. Values may hold references.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Words to select it by.
    #[serde(default)]
    tags: Vec<String>,
    /// What it is for.
    description: Option<String>,
}

/// How a server is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Stdio,
    Http,
    Sse,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameBody {
    /// What the server is to be called.
    pub(super) to: String,
}

/// How a server is tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestBody {
    /// Try the entry of this client's file in place.
    pub(super) client: Option<String>,
    /// Call this tool.
    pub(super) tool: Option<String>,
    /// The tool's arguments.
    pub(super) args: Option<Value>,
    /// How long to wait for each answer, in seconds.
    #[serde(default = "half_a_minute")]
    pub(super) timeout: u64,
}

fn half_a_minute() -> u64 {
    30
}

/// How a client is kept in step; what is not named stays, or is as usual.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkBody {
    /// Its file, when it is not at the usual place.
    #[schema(value_type = Option<String>)]
    path: Option<PathBuf>,
    /// The known client that writes its file alike.
    dialect: Option<String>,
    /// `auto`: changes of the catalogue are written at once; `manual`: when asked.
    mode: Option<Mode>,
    /// What an entry says: `bridge`, `http` or `direct`.
    #[schema(value_type = Option<String>)]
    via: Option<ViaArg>,
    /// `per-server` or `single`.
    #[schema(value_type = Option<String>)]
    face: Option<FaceArg>,
    /// What its one entry offers: `full` or `search`.
    #[schema(value_type = Option<String>)]
    tools: Option<ToolsArg>,
    /// Names, globs, `tag:NAME` and `profile:NAME`; all when not named.
    #[serde(default)]
    servers: Vec<String>,
}

/// When changes are written.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Auto,
    Manual,
}

/// How a file is read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ScanBody {
    /// Drop pending changes: what the file says now is what is wanted.
    #[serde(default)]
    discard_pending: bool,
}

/// What is imported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportBody {
    /// Only these entries.
    #[serde(default)]
    servers: Vec<String>,
    /// Leave secrets in the catalogue as they stood in the file.
    #[serde(default)]
    keep_secrets: bool,
}

/// What is written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PushBody {
    /// Only these servers.
    #[serde(default)]
    servers: Vec<String>,
}

/// Which entry is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryBody {
    /// One server; all that were changed when not named.
    pub(super) server: Option<String>,
}

/// How a push is undone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UndoBody {
    /// Also when somebody changed the file since.
    #[serde(default)]
    force: bool,
}

/// Which servers are asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SyncBody {
    /// These and no others, whether or not they have changed.
    #[serde(default)]
    servers: Vec<String>,
    /// All, whether or not they have changed.
    #[serde(default)]
    force: bool,
}

/// What is in a profile.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileBody {
    /// Names, globs, `tag:NAME`, `profile:NAME`.
    #[serde(default)]
    pub(super) servers: Vec<String>,
}

/// Where to go back to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevisionBody {
    /// The revision; the one before the last when not named.
    pub(super) revision: Option<u64>,
}

/// A token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
    /// What it is called.
    pub(super) name: String,
    /// What it permits, as `server:resource:action`; reading when not named.
    #[serde(default)]
    pub(super) permissions: Vec<String>,
}

fn bad(detail: impl Into<String>) -> Box<Problem> {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// Reads a server; `named` where the path says its name.
pub(super) fn server(named: Option<&str>, body: &[u8]) -> Result<ServerAdd, Box<Problem>> {
    let said: ServerBody = parsed(body)?;
    let name = match (named, said.name) {
        (Some(named), own) if own.as_deref().is_none_or(|own| own == named) => named.to_owned(),
        (Some(_), _) => return Err(bad("the body names another server; `/rename` calls it otherwise")),
        (None, Some(own)) => own,
        (None, None) => return Err(bad("the server has no `name`")),
    };
    let starts = said.command.is_some() || said.cwd.is_some() || !said.env.is_empty() || said.args.is_some();
    let reached = said.url.is_some() || !said.headers.is_empty();
    if starts && reached {
        return Err(bad("a server is either started by a `command` or reached at a `url`"));
    }
    if said.args.is_some() && said.command.is_none() {
        return Err(bad("`args` need a `command`"));
    }
    if !said.headers.is_empty() && said.url.is_none() {
        return Err(bad("`headers` need a `url`"));
    }
    let kind = match said.r#type {
        Some(Transport::Stdio) if reached => return Err(bad("a `url` is no `stdio` server")),
        Some(Transport::Http | Transport::Sse) if starts => {
            return Err(bad("a `command` is a `stdio` server"));
        }
        Some(Transport::Http) => Some(Kind::Http),
        Some(Transport::Sse) => Some(Kind::Sse),
        Some(Transport::Stdio) | None => None,
    };
    let command = said.command.into_iter().chain(said.args.into_iter().flatten()).collect();
    Ok(ServerAdd {
        name,
        url: said.url,
        headers: pairs(said.headers, ": ", ':')?,
        kind,
        env: pairs(said.env, "=", '=')?,
        cwd: said.cwd,
        tags: said.tags,
        description: said.description,
        command,
    })
}

/// Writes pairs as the command line has them; a name with the sign in it would be cut there.
fn pairs(map: BTreeMap<String, String>, between: &str, sign: char) -> Result<Vec<String>, Box<Problem>> {
    map.into_iter()
        .map(|(name, value)| {
            if name.trim() != name
                || name.is_empty()
                || name.contains(sign)
                || name.contains(char::is_control)
            {
                return Err(bad(format!("`{}` cannot be a name here", name.escape_debug())));
            }
            Ok(format!("{name}{between}{value}"))
        })
        .collect()
}

/// Reads how a client is linked.
pub(super) fn link(id: &str, body: &[u8]) -> Result<Link, Box<Problem>> {
    let LinkBody { path, dialect, mode, via, face, tools, servers } = parsed(body)?;
    Ok(Link {
        id: id.to_owned(),
        path,
        dialect,
        auto: mode == Some(Mode::Auto),
        manual: mode == Some(Mode::Manual),
        via,
        face,
        tools,
        servers,
    })
}

pub(super) fn scan(which: Which, body: &[u8]) -> Result<Command, Box<Problem>> {
    let ScanBody { discard_pending } = parsed(body)?;
    Ok(Command::Client(Client::Scan { which, discard_pending }))
}

pub(super) fn import(which: Which, body: &[u8]) -> Result<Command, Box<Problem>> {
    let ImportBody { servers, keep_secrets } = parsed(body)?;
    Ok(Command::Client(Client::Import { which, servers, keep_secrets }))
}

pub(super) fn push(which: Which, body: &[u8]) -> Result<Command, Box<Problem>> {
    let PushBody { servers } = parsed(body)?;
    Ok(Command::Client(Client::Push { which, servers }))
}

pub(super) fn undo(which: Which, body: &[u8]) -> Result<Command, Box<Problem>> {
    let UndoBody { force } = parsed(body)?;
    Ok(Command::Client(Client::Undo { which, force }))
}

pub(super) fn sync(body: &[u8]) -> Result<Command, Box<Problem>> {
    let SyncBody { servers, force } = parsed(body)?;
    Ok(Command::Sync(Sync { servers, force }))
}

/// Returns the schemas of all bodies, by name.
pub(in crate::api) fn schemas() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    add::<ServerBody>(&mut all);
    add::<RenameBody>(&mut all);
    add::<TestBody>(&mut all);
    add::<LinkBody>(&mut all);
    add::<ScanBody>(&mut all);
    add::<ImportBody>(&mut all);
    add::<PushBody>(&mut all);
    add::<EntryBody>(&mut all);
    add::<UndoBody>(&mut all);
    add::<SyncBody>(&mut all);
    add::<PolicyBody>(&mut all);
    add::<PolicyApproveBody>(&mut all);
    add::<WordBody>(&mut all);
    add::<PolicyUndoBody>(&mut all);
    add::<ProfileBody>(&mut all);
    add::<RevisionBody>(&mut all);
    add::<TokenBody>(&mut all);
    all
}

/// Adds the schema of a type, and of those in it.
pub(in crate::api) fn add<T: ToSchema + PartialSchema>(all: &mut BTreeMap<String, Value>) {
    let mut parts = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    for (name, schema) in parts {
        all.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
}
