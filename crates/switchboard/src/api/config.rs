//! What followers read: the version, the servers, the whole file of one client.

use axum::http::StatusCode;
use bytes::Bytes;
use serde::Serialize;
use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::known;
use switchboard_core::document::Format;
use switchboard_core::export::export;
use switchboard_core::nearest::nearest;
use switchboard_core::revision::content_hash;
use switchboard_core::settings::Via;

use super::Reply;
use super::call::Call;
use super::problem::Problem;
use super::reply::Tagged;
use crate::cmd::config::settings_of;
use crate::daemon::board::Board;

/// The version, as all five strategies tell it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Version {
    /// `1.REVISION.0`.
    #[serde(rename = "version")]
    #[schema(example = "1.42.0")]
    number: String,
    /// The hash over what the catalogue says.
    hash: String,
    /// When it became so.
    #[schema(format = DateTime)]
    last_modified: String,
    /// How many servers are served.
    servers_count: usize,
    /// The servers that changed: with this revision, or since the one that was named.
    changed_servers: Vec<String>,
}

/// What stands before the servers.
#[derive(Serialize)]
struct Head {
    version: String,
    hash: String,
    last_modified: String,
}

/// The servers, with the version that they are of.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Whole {
    /// `1.REVISION.0`.
    version: String,
    /// The hash over what the catalogue says.
    hash: String,
    /// When it became so.
    last_modified: String,
    /// The servers in the usual form.
    #[serde(rename = "mcpServers")]
    #[schema(value_type = Object)]
    servers: serde_json::Value,
}

fn head(board: &Board) -> Head {
    match board.now() {
        Some(now) => Head {
            version: now.entry.revision.version(),
            hash: now.entry.revision.hash.clone(),
            last_modified: crate::when::stamp(now.entry.at),
        },
        None => Head {
            version: "1.0.0".to_owned(),
            hash: content_hash(&Catalogue::default()),
            last_modified: crate::when::stamp(0),
        },
    }
}

/// Returns the version on the board, as JSON; with the servers that changed since the version that is named, or since
/// the revision before.
pub(crate) fn version_json(board: &Board, since: Option<&str>) -> String {
    serde_json::to_string(&version(board, since)).unwrap_or_default()
}

fn version(board: &Board, since: Option<&str>) -> Version {
    let Head { version, hash, last_modified } = head(board);
    let changed_servers = match (since, board.now()) {
        // What cannot be read was never seen: then all of them changed.
        (Some(since), _) => board.changed_since(number(since).unwrap_or(0)),
        (None, Some(now)) => now.entry.changed.clone(),
        (None, None) => Vec::new(),
    };
    let servers_count = board.now().map_or(0, |now| now.names().len());
    Version { number: version, hash, last_modified, servers_count, changed_servers }
}

/// The revision in `1.42.0`, or in `42`.
fn number(version: &str) -> Option<u64> {
    let mut parts = version.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(number), None, ..) | (Some("1"), Some(number), Some("0"), None) => {
            number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
        }
        _ => None,
    }
}

/// Before the daemon has looked, an empty answer would be a wrong one.
fn readable(board: &Board) -> Result<(), Box<Problem>> {
    if board.now().is_some() || board.ready {
        return Ok(());
    }
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the daemon is still starting")
        .header(axum::http::header::RETRY_AFTER, "1"))
}

/// `GET _version`.
pub(super) fn read_version(board: &Board, call: &Call) -> Result<Reply, Box<Problem>> {
    readable(board)?;
    let body = version_json(board, call.query("since")).into();
    Ok(tagged(board, body, "application/json").reply(&call.headers))
}

/// `GET _config`.
pub(super) fn read_config(board: &Board, call: &Call) -> Result<Reply, Box<Problem>> {
    readable(board)?;
    let head = serde_json::to_string(&head(board)).unwrap_or_default();
    let servers = board.servers();
    let mut body = Vec::with_capacity(head.len() + servers.len() + 16);
    body.extend_from_slice(head.strip_suffix('}').unwrap_or(&head).as_bytes());
    body.extend_from_slice(b",\"mcpServers\":");
    body.extend_from_slice(&servers);
    body.push(b'}');
    Ok(tagged(board, body.into(), "application/json").reply(&call.headers))
}

/// `GET _config/{client}`.
pub(super) fn read_client(board: &Board, call: &Call) -> Result<Reply, Box<Problem>> {
    readable(board)?;
    let name = call.param("client");
    let mut settings = settings_of(&board.settings, name).ok_or_else(|| unknown(board, name))?;
    match call.query("via") {
        None => {}
        Some("bridge") => settings.via = Via::Bridge,
        Some("direct") => settings.via = Via::Direct,
        Some("http") => settings.via = Via::Http,
        Some(_) => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "`via` is `bridge`, `http` or `direct`"));
        }
    }
    let dialect = settings.known.dialect;
    let file = export(&board.catalogue(), &settings, &dialect, &board.bridge).map_err(|error| {
        let detail = format!("failed to export for `{}`: {error}", settings.id);
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
        error.help().into_iter().fold(problem, Problem::hint)
    })?;
    Ok(tagged(board, file.text.into(), kind(dialect.format)).reply(&call.headers))
}

/// Returns the whole file of one client, for those who do not ask over HTTP.
///
/// # Errors
/// Why there is none, as a sentence.
pub(crate) fn client_file(board: &Board, name: &str) -> Result<String, String> {
    let settings = settings_of(&board.settings, name)
        .ok_or_else(|| format!("there is no client `{}`", crate::cmd::server::shown(name)))?;
    export(&board.catalogue(), &settings, &settings.known.dialect, &board.bridge)
        .map(|file| file.text)
        .map_err(|error| format!("failed to export for `{}`: {error}", settings.id))
}

fn tagged(board: &Board, body: Bytes, kind: &'static str) -> Tagged {
    Tagged { body, kind, at: board.now().map_or(0, |now| now.entry.at) }
}

/// The media type of a format. Browsers and scripts know JSON with comments by no name of its own.
fn kind(format: Format) -> &'static str {
    match format {
        Format::Json | Format::JsonComments | Format::Jsonc => "application/json",
        Format::Json5 => "application/json5",
        Format::Toml => "application/toml",
        Format::Yaml => "application/yaml",
    }
}

fn unknown(board: &Board, name: &str) -> Box<Problem> {
    let shown = crate::cmd::server::shown(name);
    let problem = Problem::new(StatusCode::NOT_FOUND, format!("there is no client `{shown}`"));
    let linked = board.settings.clients.iter().map(|own| own.id.as_str());
    // A name of any length would be compared letter by letter.
    let short = Some(name).filter(|name| name.len() <= 64);
    let near = short.and_then(|name| nearest(name, linked.clone()).or_else(|| known::nearest(name)));
    let problem = match near {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("see `switchboard client list --all` for those that are known"),
    };
    let mut all: Vec<String> = known::all().map(|known| known.id).chain(linked).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    problem.known(all)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_version_is_told_in_full_or_by_its_number() {
        for (text, revision) in [
            ("1.40.0", Some(40)),
            ("40", Some(40)),
            ("0", Some(0)),
            ("1.40", None),
            ("2.40.0", None),
            ("1.40.1", None),
            ("1.40.0.0", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.x.0", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number(text), revision, "{text}");
        }
    }
}
