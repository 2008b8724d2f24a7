//! Names for the shell to complete.

use clap_complete::CompletionCandidate;
use switchboard_core::catalogue;
use switchboard_core::client::known;
use switchboard_core::registry::Kind;
use switchboard_core::settings;
use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::file;
use switchboard_host::registry::Registry;

fn text(path: impl FnOnce(&Dirs) -> std::path::PathBuf) -> String {
    Dirs::from_env(&Env::read())
        .ok()
        .and_then(|dirs| file::read(&path(&dirs)).ok())
        .and_then(|snapshot| String::from_utf8(snapshot.bytes).ok())
        .unwrap_or_default()
}

/// The servers of the catalogue.
pub(crate) fn servers() -> Vec<CompletionCandidate> {
    let parsed = catalogue::parse(&text(Dirs::catalogue));
    parsed
        .value
        .servers()
        .iter()
        .map(|server| {
            CompletionCandidate::new(server.name.as_str())
                .help(server.description.as_ref().map(|text| text.clone().into()))
        })
        .collect()
}

/// The tools that servers were last seen to offer; nobody is asked for it.
pub(crate) fn tools() -> Vec<CompletionCandidate> {
    let Ok(dirs) = Dirs::from_env(&Env::read()) else { return Vec::new() };
    let lines = Registry::read(&dirs.registry()).list(Kind::Tool, None);
    lines
        .into_iter()
        .map(|line| {
            CompletionCandidate::new(format!("{}/{}", line.server, line.name))
                .help(line.brief.map(Into::into))
        })
        .collect()
}

/// The servers, and the tools that they were last seen to offer.
pub(crate) fn servers_and_tools() -> Vec<CompletionCandidate> {
    servers().into_iter().chain(tools()).collect()
}

/// The profiles of the catalogue.
pub(crate) fn profiles() -> Vec<CompletionCandidate> {
    let parsed = catalogue::parse(&text(Dirs::catalogue));
    parsed.value.profiles.keys().map(CompletionCandidate::new).collect()
}

/// The clients that are linked.
pub(crate) fn clients() -> Vec<CompletionCandidate> {
    let parsed = settings::parse(&text(Dirs::settings));
    parsed
        .value
        .clients
        .iter()
        .map(|client| CompletionCandidate::new(client.id.as_str()).help(Some(client.known.name.into())))
        .collect()
}

/// The clients that are known.
pub(crate) fn known_clients() -> Vec<CompletionCandidate> {
    known::all().map(|known| CompletionCandidate::new(known.id).help(Some(known.name.into()))).collect()
}
