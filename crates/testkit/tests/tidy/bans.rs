//! What core may not call, and what nobody may write.

use std::collections::BTreeSet;

use crate::{none, sources, text};

/// Bans of the root that core need not repeat, because it does not depend on the crate.
const NOT_IN_CORE: [&str; 2] = ["tokio::sync::mpsc::unbounded_channel", "tokio::spawn"];

fn clippy(path: &str) -> toml::Table {
    text(path).parse().unwrap()
}

fn paths(table: &toml::Table, key: &str) -> BTreeSet<String> {
    let entries = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
    entries
        .map(|entry| {
            assert!(
                entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{entry} has no reason"
            );
            entry["path"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn core_repeats_the_bans_of_the_root() {
    let (root, core) = (clippy("clippy.toml"), clippy("crates/core/clippy.toml"));
    let mut missing = Vec::new();
    for key in ["disallowed-methods", "disallowed-types", "disallowed-macros"] {
        let own = paths(&core, key);
        for path in paths(&root, key) {
            if !own.contains(&path) && !NOT_IN_CORE.contains(&path.as_str()) {
                missing.push(format!("{path} is banned, but not in core"));
            }
        }
    }
    for (key, value) in &root {
        if !key.starts_with("disallowed") && core.get(key) != Some(value) {
            missing.push(format!("{key} is another in core"));
        }
    }
    none(&missing);
}

#[test]
fn nothing_is_left_to_be_done_later() {
    // Spelt in two, so that this file does not find itself.
    let words = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
        concat!("XX", "X "),
        concat!("#[al", "low("),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{path}:{}: {}", number + 1, word.trim()));
            }
        }
    }
    none(&found);
}
