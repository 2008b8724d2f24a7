//! Clients on this machine: whose files are there.

use std::path::{Path, PathBuf};

use switchboard_core::client::known::{self, Known, Place, Surroundings};

use crate::observe::is_offered;

/// A place of a known client on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) known: &'static Known,
    pub(crate) place: &'static Place,
    pub(crate) path: PathBuf,
    /// The file is there.
    pub(crate) exists: bool,
}

/// Returns every place of `known` that a user's servers may be at, the most usual first.
pub(crate) fn places(known: &'static Known, around: &Surroundings) -> Vec<Found> {
    let mut found: Vec<Found> = known
        .places
        .iter()
        .filter(|place| is_offered(known, place) || (place.scope == known::Scope::User && !place.read_only))
        .flat_map(|place| {
            place
                .candidates(around, None)
                .into_iter()
                .flat_map(
                    |candidate| if candidate.glob { expand(&candidate.path) } else { vec![candidate.path] },
                )
                .map(move |path| Found { known, place, exists: path.exists(), path })
        })
        .collect();
    // Where a preferred place exists, it counts before those in front of it.
    found.sort_by_key(|found| !(found.place.prefer && found.exists));
    found
}

/// Returns the files of all known clients that are on this machine, one per file.
pub(crate) fn all(around: &Surroundings) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for known in known::all() {
        for place in places(known, around) {
            let seen = found.iter().any(|other| other.path == place.path);
            if place.exists && is_offered(known, place.place) && !seen {
                found.push(place);
            }
        }
    }
    found
}

/// Returns the paths that a path with `*` in its parts stands for, in order.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !text.contains('*') {
            for path in &mut paths {
                path.push(part);
            }
            continue;
        }
        paths = paths.iter().flat_map(|folder| matching(folder, &text)).collect();
    }
    paths
}

fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let (before, behind) = pattern.split_once('*').unwrap_or((pattern, ""));
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= before.len() + behind.len() && name.starts_with(before) && name.ends_with(behind)
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}
