//! Unmanaged entries into servers of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::edit::{ServerEdit, edited};
use crate::catalogue::{self, Catalogue, Server};
use crate::client::dialect::{Note, Variables, header_to_ours, to_ours, without_default};
use crate::client::reconcile::Same;
use crate::client::relation::{ClientRecord, Relation, Standing};
use crate::client::scan::Found;
use crate::launch::{Fingerprint, Launch};
use crate::name::ServerName;
use crate::problem::Problem;
use crate::secret::{names_secret, secret_in};

/// What an import of one client's unmanaged entries would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// Servers that the catalogue does not have yet.
    pub servers: Vec<Server>,
    /// Records that make the entries managed; a push then writes them.
    pub relations: Vec<Relation>,
    /// Secrets found in the entries, by the name under which they are to be stored.
    pub secrets: BTreeMap<String, String>,
    /// What a person should know: entries that were passed over, variables that mean something to that client only.
    pub notes: Vec<String>,
}

impl ImportPlan {
    /// Returns whether there is nothing to import.
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty()
    }
}

/// What becomes of secrets that stand openly in a client's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They go to the secret store, and the catalogue gets a reference.
    Store,
    /// They stand in the catalogue as they stood in the file.
    Keep,
}

/// Returns the plan that makes `chosen` entries of a file managed.
///
/// The same canonical launch data means the same server, also when the catalogue has its secrets by reference (`same`
/// sees through that); a taken name gets a number; the alias in the client's file stays.
pub fn import(
    chosen: &[&Found],
    variables: Variables,
    record: &ClientRecord,
    catalogue: &Catalogue,
    secrets: Secrets,
    same: &Same<'_>,
) -> ImportPlan {
    let mut plan = ImportPlan::default();
    let mut fresh: BTreeMap<Fingerprint, ServerName> = BTreeMap::new();
    let mut new_names: BTreeSet<ServerName> = BTreeSet::new();
    let in_use = stored_names(catalogue);
    // One section never gets two entries of one server.
    let mut served: BTreeSet<(Option<String>, ServerName)> =
        record.relations.iter().map(|relation| (relation.section.clone(), relation.server.clone())).collect();
    for found in chosen {
        let Some(raw) = &found.launch else {
            plan.notes.push(format!(
                "`{}` is left alone: {}",
                found.alias,
                found.problem.as_deref().unwrap_or("no server")
            ));
            continue;
        };
        let (launch, notes) = translated(raw, variables);
        plan.notes.extend(notes.iter().map(|note| format!("`{}`: {note}", found.alias)));
        let fingerprint = launch.fingerprint();
        let server = if let Some(name) = same.server(&launch).or_else(|| fresh.get(&fingerprint)) {
            name.clone()
        } else {
            let name = ServerName::near(found.alias.as_str())
                .free(|name| catalogue.server(name.as_str()).is_some() || new_names.contains(name));
            let mut stored = BTreeMap::new();
            let launch = match secrets {
                Secrets::Store => without_secrets(&name, launch, &mut stored, &|name| {
                    plan.secrets.contains_key(name) || in_use.contains(name)
                }),
                Secrets::Keep => launch,
            };
            let server = Server::new(name.clone(), launch);
            if let Some(why) = refused(&server) {
                plan.notes.push(format!("`{}` stays the client's own: {why}", found.alias));
                continue;
            }
            plan.secrets.extend(stored);
            fresh.insert(fingerprint, name.clone());
            new_names.insert(name.clone());
            plan.servers.push(server);
            name
        };
        if !served.insert((found.section.clone(), server.clone())) {
            plan.notes.push(format!(
                "`{}` is the same server as another entry of this file; push will join them",
                found.alias
            ));
            continue;
        }
        plan.relations.push(Relation {
            section: found.section.clone(),
            alias: found.alias.clone(),
            server,
            standing: Standing::Managed { base: raw.clone(), origin: Some(found.value.clone()) },
        });
    }
    plan
}

/// Returns a launch with the client's own variables written as ours, and notes on what could not be.
pub fn translated(launch: &Launch, variables: Variables) -> (Launch, Vec<String>) {
    let mut notes = Vec::new();
    let mut carried = |(ours, told): (String, Vec<Note>)| {
        notes.extend(told.iter().map(ToString::to_string));
        ours
    };
    let text = |text: &String| to_ours(text, variables);
    let header = |value: &String| header_to_ours(value, variables);
    let launch = match launch {
        Launch::Stdio { command, args, env, cwd } => Launch::Stdio {
            command: carried(text(command)),
            args: args.iter().map(|arg| carried(text(arg))).collect(),
            env: env.iter().map(|(key, value)| (key.clone(), carried(text(value)))).collect(),
            // A folder that is relative is so to where the client stands. It stays in the client's entry, and what the
            // client starts, stands there already: said here as well it would count twice.
            cwd: cwd.as_ref().filter(|cwd| is_absolute(cwd)).map(|cwd| carried(text(cwd))),
        },
        Launch::Remote { kind, url, headers } => Launch::Remote {
            kind: *kind,
            url: carried(text(url)),
            headers: headers.iter().map(|(key, value)| (key.clone(), carried(header(value)))).collect(),
        },
    };
    (launch, notes)
}

/// Returns whether a folder is the same wherever one stands: a path from the root, from the home, or a reference.
fn is_absolute(folder: &str) -> bool {
    folder.starts_with(['/', '~', '$', '\\', '{'])
        || folder.get(1..3).is_some_and(|drive| drive.starts_with(':'))
}

/// Returns a reference in `launch` that the client alone can fill in, so that the server would not start without it.
pub fn client_only(launch: &Launch, variables: Variables) -> Option<String> {
    let kept = |text: &String| {
        to_ours(text, variables).1.into_iter().find_map(|note| match note {
            Note::Kept(text) => Some(without_default(&text)),
            Note::ReferenceToUs(_) => None,
        })
    };
    match launch {
        Launch::Stdio { command, args, env, cwd } => {
            std::iter::once(command).chain(args).chain(env.values()).chain(cwd).find_map(kept)
        }
        Launch::Remote { url, headers, .. } => std::iter::once(url).chain(headers.values()).find_map(kept),
    }
}

/// Returns whether a server may ask for a login that only the client has made: it is far away, and nothing that is sent
/// along identifies anybody. Imported unasked, it would stop working in the client that is logged in.
pub fn may_need_login(launch: &Launch) -> bool {
    let Launch::Remote { url, headers, .. } = launch else { return false };
    let far = url.starts_with("https://") || url.starts_with("http://");
    let local = ["http://localhost", "http://127.", "http://[::1]"].iter().any(|own| url.starts_with(own));
    let identified = headers.iter().any(|(key, value)| names_secret(key) || secret_in(key, value).is_some());
    far && !local && !identified && !url.contains("${")
}

/// Moves values that look like secrets out of a launch, and leaves references in their place.
///
/// A name that is `taken` gets a number: two servers whose names differ in signs only never share a secret.
fn without_secrets(
    name: &ServerName,
    launch: Launch,
    secrets: &mut BTreeMap<String, String>,
    taken: &dyn Fn(&str) -> bool,
) -> Launch {
    let mut store = |map: BTreeMap<String, String>| -> BTreeMap<String, String> {
        map.into_iter()
            .map(|(key, value)| {
                let Some((before, secret)) = secret_in(&key, &value) else { return (key, value) };
                let plain = secret_name(name, &key);
                let stored = std::iter::once(plain.clone())
                    .chain((1..=u32::MAX).map(|number| format!("{plain}{number}")))
                    .find(|name| !taken(name) && !secrets.contains_key(name))
                    .unwrap_or(plain);
                let reference = format!("{before}${{keyring:{stored}}}");
                secrets.insert(stored, secret.to_owned());
                (key, reference)
            })
            .collect()
    };
    match launch {
        Launch::Stdio { command, args, env, cwd } => Launch::Stdio { command, args, env: store(env), cwd },
        Launch::Remote { kind, url, headers } => Launch::Remote { kind, url, headers: store(headers) },
    }
}

/// Returns why the catalogue cannot hold this server; `None` when it can.
fn refused(server: &Server) -> Option<String> {
    let text = match edited("", &[ServerEdit::Add(Box::new(server.clone()))]) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    catalogue::parse(&text).problems.into_iter().find(Problem::is_error).map(|problem| problem.what)
}

/// Returns the names of the stored secrets that servers of the catalogue refer to.
fn stored_names(catalogue: &Catalogue) -> BTreeSet<String> {
    let values = catalogue.servers().iter().flat_map(|server| match &server.launch {
        Launch::Stdio { env: map, .. } | Launch::Remote { headers: map, .. } => map.values(),
    });
    values
        .flat_map(|value| value.split("${keyring:").skip(1))
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The name under which a secret is stored: the server and the variable, in plain letters.
fn secret_name(server: &ServerName, key: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect::<String>()
            .trim_matches('-')
            .to_owned()
    };
    format!("{}-{}", plain(server.as_str()), plain(key))
}
