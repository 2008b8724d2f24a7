//! The text of a catalogue, read: every problem at once, each with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Catalogue, Feed, Health, Isolation, Retry, Server, ToolFilter};
use crate::fields::{Fields, read};
use crate::launch::{Launch, Remote};
use crate::mcp::public_name::public_prefix;
use crate::name::ServerName;
use crate::place::Place;
use crate::problem::{Parsed, Problem};

/// Reads a catalogue.
///
/// The value holds every server that could be understood; only a [`Parsed::is_good`] one may go into service. A text
/// that is blank is a good, empty catalogue: whether emptiness may be acted upon is for the caller to judge.
pub fn parse(text: &str) -> Parsed<Catalogue> {
    let mut problems = Vec::new();
    let table = read(text, &mut problems);
    let mut servers = Vec::new();
    let mut profiles = BTreeMap::new();
    let mut fields = Fields::of(text, "the catalogue", table.span(), table.get_ref(), &mut problems);
    fields.text("$schema");
    fields.named_tables("servers", "server", |name, place, fields| {
        if let Some(server) = server(name, place, fields) {
            servers.push(server);
        }
    });
    let mut chosen = Vec::new();
    fields.named_tables("profiles", "profile", |name, _, fields| {
        let selectors = fields.placed_texts("servers");
        if selectors.is_none() && !fields.has("servers") {
            fields.problem(
                Problem::error(format!("profile `{name}` names no servers")).help("add servers = [\"NAME\"]"),
            );
        }
        let selectors = selectors.unwrap_or_default();
        profiles.insert(name.to_owned(), selectors.iter().map(|(_, selector)| selector.clone()).collect());
        chosen.extend(selectors.into_iter().map(|selector| (name.to_owned(), selector)));
    });
    check_profiles(&mut fields, &servers, &chosen);
    fields.finish();
    problems.extend(same_prefixes(&servers));
    problems.sort_by_key(|problem| problem.place);
    Parsed { value: Catalogue::new(servers, profiles), problems }
}

fn server(name: &str, place: Place, fields: &mut Fields<'_, '_>) -> Option<Server> {
    let launch = launch(name, fields);
    let parsed = match ServerName::parse(name) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            fields.problem(
                Problem::error(format!("{name:?} cannot be a server's name: {error}"))
                    .help("use letters, digits, `-` and `_`"),
            );
            None
        }
    };
    let enabled = fields.bool("enabled").unwrap_or(true);
    let description = fields.text("description");
    let tags = fields.texts("tags").unwrap_or_default();
    let prefix = fields.text("prefix");
    let tools = fields.table("tools", tool_filter).unwrap_or_default();
    let timeout = fields.duration("timeout");
    let isolation = fields
        .word(
            "isolation",
            &[
                ("auto", Isolation::Auto),
                ("shared", Isolation::Shared),
                ("per-session", Isolation::PerSession),
            ],
        )
        .unwrap_or_default();
    let exclusive = fields.bool("exclusive").unwrap_or(false);
    let idle_stop = fields.duration("idle_stop");
    let health = fields.table("health", |fields| Health {
        every: fields.duration("every").unwrap_or(Duration::from_secs(30)),
        timeout: fields.duration("timeout").unwrap_or(Duration::from_secs(5)),
        failures: fields.number("failures").unwrap_or(3),
    });
    let retry = fields.table("retry", |fields| Retry {
        first: fields.duration("first").unwrap_or(Duration::from_millis(250)),
        max: fields.duration("max").unwrap_or(Duration::from_secs(30)),
        attempts: fields.number("attempts").unwrap_or(0),
    });
    let feed = fields.table("feed", feed).flatten();
    let trust = fields.bool("trust").unwrap_or(false);
    Some(Server {
        name: parsed?,
        place,
        launch: launch?,
        enabled,
        description,
        tags,
        prefix,
        tools,
        timeout,
        isolation,
        exclusive,
        idle_stop,
        health,
        retry,
        feed,
        trust,
    })
}

fn tool_filter(fields: &mut Fields<'_, '_>) -> ToolFilter {
    let allow = fields.texts("allow").unwrap_or_else(|| vec!["*".to_owned()]);
    ToolFilter { allow, deny: fields.texts("deny").unwrap_or_default() }
}

fn feed(fields: &mut Fields<'_, '_>) -> Option<Feed> {
    let (url, host, port, path) =
        (fields.text("url"), fields.text("host"), fields.number("port"), fields.text("path"));
    let timeout = fields.duration("timeout").unwrap_or(Duration::from_secs(30));
    let retry_attempts = fields.number("retry_attempts").unwrap_or(3);
    let wrong = |fields: &mut Fields<'_, '_>, key, what| {
        fields.problem_of(key, Problem::error(what));
        None
    };
    if timeout.is_zero() {
        return wrong(fields, "timeout", "a feed cannot open in no time: its `timeout` is nought");
    }
    let port = port.unwrap_or(80);
    if port == 0 || port > u64::from(u16::MAX) {
        return wrong(fields, "port", "the `port` of a feed is no port");
    }
    let url = match (url, host) {
        (Some(url), _) if !is_web_address(&url) => {
            return wrong(fields, "url", "the `url` of a feed is no http or https address");
        }
        (Some(url), _) => url,
        (None, Some(host)) => {
            let path = path.unwrap_or_default();
            // An address of IPv6 has colons of its own.
            let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
            format!("http://{host}:{port}/{}", path.trim_start_matches('/'))
        }
        (None, None) => {
            fields.problem(Problem::error("a feed needs a `url`, or a `host` with `port` and `path`"));
            return None;
        }
    };
    if !is_web_address(&url) {
        return wrong(fields, "host", "the `host` of a feed is no name of a host");
    }
    Some(Feed { url, timeout, retry_attempts })
}

/// Returns whether a text can be asked over HTTP: it names a host, and has nothing that no address has (RFC 3986).
fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (place, ""),
    };
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    !url.chars().any(|c| c.is_whitespace() || c.is_control())
        && !host.is_empty()
        && !host.contains(['<', '>', '"', '\\', '^', '`', '{', '|', '}', '%'])
        && (is_bracketed || !host.contains([':', '[', ']']))
        && (port.is_empty() || port.parse::<u16>().is_ok())
}

/// The three ways to say how a server is started or reached.
#[derive(Clone, Copy)]
enum Kind {
    Stdio,
    Remote(Remote),
}

fn launch(name: &str, fields: &mut Fields<'_, '_>) -> Option<Launch> {
    let kind = fields.word(
        "type",
        &[("stdio", Kind::Stdio), ("http", Kind::Remote(Remote::Http)), ("sse", Kind::Remote(Remote::Sse))],
    );
    let kind_is_wrong = kind.is_none() && fields.has("type");
    let (command, args, env, cwd) =
        (fields.text("command"), fields.texts("args"), fields.text_map("env"), fields.text("cwd"));
    let (url, headers) = (fields.text("url"), fields.text_map("headers"));
    let wrong_type = (command.is_none() && fields.has("command")) || (url.is_none() && fields.has("url"));
    if kind_is_wrong || wrong_type {
        return None;
    }
    let launch = match (command, url, kind) {
        (Some(_), Some(_), _) => {
            fields.problem_of(
                "url",
                Problem::error(format!("server `{name}` has both a `command` and a `url`"))
                    .help("remove one: a server is either started or reached"),
            );
            return None;
        }
        (None, None, _) => {
            fields.problem(
                Problem::error(format!("server `{name}` has neither a `command` nor a `url`"))
                    .help("add command = \"PROGRAM\" or url = \"https://..\""),
            );
            return None;
        }
        (Some(command), None, None | Some(Kind::Stdio)) => {
            if command.trim().is_empty() {
                fields.problem_of(
                    "command",
                    Problem::error(format!("the `command` of server `{name}` is empty")),
                );
                return None;
            }
            Launch::Stdio { command, args: args.unwrap_or_default(), env: env.unwrap_or_default(), cwd }
        }
        (None, Some(url), None | Some(Kind::Remote(_))) => {
            if !url.contains("${") && !url.starts_with("http://") && !url.starts_with("https://") {
                fields.problem_of(
                    "url",
                    Problem::error(format!("the `url` of server `{name}` is no http or https address")),
                );
                return None;
            }
            let kind = if let Some(Kind::Remote(kind)) = kind { kind } else { Remote::Http };
            Launch::Remote { kind, url, headers: headers.unwrap_or_default() }
        }
        (Some(_), None, Some(Kind::Remote(_))) => {
            fields.problem_of(
                "type",
                Problem::error(format!("server `{name}` has a `command`, so its type is \"stdio\"")),
            );
            return None;
        }
        (None, Some(_), Some(Kind::Stdio)) => {
            fields.problem_of(
                "type",
                Problem::error(format!("server `{name}` has a `url`, so its type is \"http\" or \"sse\"")),
            );
            return None;
        }
    };
    strays(name, &launch, fields);
    Some(launch)
}

/// Fields of the other transport have no effect: they are warned of, not guessed at.
fn strays(name: &str, launch: &Launch, fields: &mut Fields<'_, '_>) {
    let (strays, other): (&[&str], _) = match launch {
        Launch::Stdio { .. } => (&["headers"], "url"),
        Launch::Remote { .. } => (&["args", "env", "cwd"], "command"),
    };
    for key in strays {
        if !fields.has(key) {
            continue;
        }
        fields.problem_of(
            key,
            Problem::warning(format!("`{key}` of server `{name}` has no effect without a `{other}`"))
                .help("remove it"),
        );
    }
}

/// Warns of servers whose tools would be told under the same names.
fn same_prefixes(servers: &[Server]) -> Vec<Problem> {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for server in servers.iter().filter(|server| server.enabled) {
        let name = server.name.as_str();
        let prefix = public_prefix(server.prefix.as_deref(), name);
        match first.get(&prefix) {
            None => drop(first.insert(prefix, name)),
            Some(other) => problems.push(
                Problem::warning(format!(
                    "tools of server `{name}` begin with `{prefix}` like those of `{other}`: of two with one name the first \
                     counts"
                ))
                .at(server.place)
                .help("give it another `prefix`"),
            ),
        }
    }
    problems
}

/// Warns of selectors that choose nothing. A server whose entry is wrong is there all the same.
fn check_profiles(fields: &mut Fields<'_, '_>, servers: &[Server], chosen: &[(String, (usize, String))]) {
    let (names, profiles) = (fields.keys_of("servers"), fields.keys_of("profiles"));
    let tags: BTreeSet<&str> = servers.iter().flat_map(|server| &server.tags).map(String::as_str).collect();
    for (profile, (offset, selector)) in chosen {
        let known = match selector.split_once(':') {
            Some(("tag", tag)) => tags.contains(tag),
            Some(("profile", other)) => profiles.contains(other),
            _ => selector.contains(['*', '?', '[', '{']) || names.contains(selector),
        };
        if !known {
            let mut problem =
                Problem::warning(format!("profile `{profile}` names `{selector}`, which is not there"));
            if let Some(near) = crate::nearest::nearest(selector, names.iter().map(String::as_str)) {
                problem = problem.help(format!("did you mean `{near}`?"));
            }
            fields.problem_at(*offset, problem);
        }
    }
}

#[cfg(test)]
mod tests;
