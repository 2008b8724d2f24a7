//! What must hold for the repository as a whole: the books, the arrows between crates, bans, sizes, licences.

#![expect(clippy::disallowed_methods, reason = "the test reads the repository itself, not a user's files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]

mod bans;
mod books;
mod commands;
mod crates;
mod modules;
mod size;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the repository, by its path from the root.
fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file, by its path from the root, with its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                let text = text(&name);
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

/// Fails with everything that was found, if anything was.
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
