//! Values that look like secrets, withheld: a reference stands where they stood.
//!
//! What says nothing of itself, such as a secret in the middle of an address's path, cannot be told from any other
//! text. A secret belongs into a reference; this is the net below.

use std::collections::BTreeMap;

use crate::catalogue::Server;
use crate::launch::Launch;
use crate::reference::{Part, Reference, parse};
use crate::secret::{names_secret, secret_in};

/// Returns how a server is started or reached, with a reference in the place of each value that looks like a secret:
/// the variable's own name, or for what is no variable the server's name and the name of the header or the argument.
pub fn withheld(server: &Server) -> Launch {
    let name = server.name.as_str();
    match &server.launch {
        Launch::Stdio { command, args, env, cwd } => Launch::Stdio {
            command: command.clone(),
            args: arguments(name, args),
            env: env.iter().map(|(key, value)| (key.clone(), text(key, value, key))).collect(),
            cwd: cwd.clone(),
        },
        Launch::Remote { kind, url, headers } => Launch::Remote {
            kind: *kind,
            url: address(name, url),
            headers: headers
                .iter()
                .map(|(key, value)| (key.clone(), text(key, value, &variable(name, key))))
                .collect::<BTreeMap<_, _>>(),
        },
    }
}

/// Returns `${env:NAME}`, which says where a value should come from.
fn reference(name: &str) -> String {
    Reference::Env { name: name.to_owned(), default: None }.to_string()
}

/// Returns the name of a variable for what has none of its own: `LINEAR_AUTHORIZATION`.
fn variable(server: &str, key: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect::<String>()
            .trim_matches('_')
            .to_owned()
    };
    format!("{}_{}", plain(server), plain(key)).trim_matches('_').to_owned()
}

/// Returns a value of `key` with what is secret in it withheld, also where it stands beside a reference, or as the
/// default of one.
fn text(key: &str, value: &str, own: &str) -> String {
    if let Some((before, _)) = secret_in(key, value) {
        return format!("{before}{}", reference(own));
    }
    let Ok(parsed) = parse(value) else { return value.to_owned() };
    if parsed.references().next().is_none() {
        return value.to_owned();
    }
    // A default is no reference: it is the value itself.
    let is_secret = |part: &Part| match part {
        Part::Reference(Reference::Env { name, default: Some(default) }) => {
            secret_in(key, default).or_else(|| secret_in(name, default)).is_some()
        }
        Part::Text(text) => secret_in("", text.trim()).is_some(),
        Part::Reference(_) => false,
    };
    if !parsed.parts.iter().any(is_secret) {
        return value.to_owned();
    }
    parsed
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(_) if is_secret(part) => reference(own),
            Part::Text(text) => text.replace("${", "$${"),
            Part::Reference(named) => named.to_string(),
        })
        .collect()
}

/// Arguments as programs take them: `--token X`, `--token=X`, `-e TOKEN=X`, `--header "Authorization: Bearer X"`.
fn arguments(server: &str, args: &[String]) -> Vec<String> {
    let mut secret_follows: Option<&str> = None;
    let mut out = Vec::with_capacity(args.len());
    for arg in args {
        let named_before = secret_follows.take();
        let option = arg.trim_start_matches('-');
        let split = arg
            .split_once('=')
            .map(|pair| (pair, "="))
            .or_else(|| arg.split_once(": ").map(|pair| (pair, ": ")));
        let told = if let Some(name) = named_before.filter(|_| !arg.starts_with('-')) {
            text(name, arg, &variable(server, name))
        } else if let Some(((name, value), sign)) = split.filter(|((name, _), _)| is_plain(name)) {
            let plain = name.trim_start_matches('-');
            // What sets a variable for a container names it already.
            let own = if name == plain && sign == "=" { plain.to_owned() } else { variable(server, plain) };
            format!("{name}{sign}{}", text(plain, value, &own))
        } else if arg.contains("://") {
            address(server, arg)
        } else {
            text("", arg, &variable(server, "argument"))
        };
        secret_follows = (option != arg && names_secret(option)).then_some(option);
        out.push(told);
    }
    out
}

/// The name of an option, a variable or a header: nothing that could be part of an address or a sentence.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// An address without the password before its host and the secrets behind its `?`.
fn address(server: &str, url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (before_query, query) =
        rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let end = before_query.find('/').unwrap_or(before_query.len());
    let (authority, path) = before_query.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((who, host)) if !who.contains("${") => match who.split_once(':') {
            Some((user, _)) => format!("{user}:{}@{host}", reference(&variable(server, "password"))),
            None => format!("{}@{host}", text("", who, &variable(server, "password"))),
        },
        _ => authority.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(|part| text("", part, &variable(server, "path"))).collect();
    let mut out = format!("{scheme}://{authority}{}", path.join("/"));
    if let Some(query) = query {
        let told: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) => format!("{key}={}", text(key, value, &variable(server, key))),
                None => pair.to_owned(),
            })
            .collect();
        out.push('?');
        out.push_str(&told.join("&"));
    }
    out
}
