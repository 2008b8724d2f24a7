//! Which crate may know which, and what comes from outside.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::{none, root, text};

/// The crates of the workspace, each with those that it may know. testkit may be known by tests alone.
const ARROWS: [(&str, &[&str]); 7] = [
    ("switchboard-core", &[]),
    ("switchboard-host", &["switchboard-core"]),
    ("switchboard-gateway", &["switchboard-core"]),
    ("switchboard", &["switchboard-core", "switchboard-gateway", "switchboard-host"]),
    ("testkit", &["switchboard", "switchboard-core", "switchboard-gateway", "switchboard-host"]),
    ("testkit-rmcp", &[]),
    ("xtask", &[]),
];

/// Where crates come from.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn crates_know_only_those_below_them() {
    let packages = packages();
    let own: BTreeSet<&str> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert_eq!(own, ARROWS.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>());
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = ARROWS.iter().find(|(known, _)| *known == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let is_dev = dependency["kind"] == "dev";
            if own.contains(to) && !allowed.contains(&to) && !(is_dev && to == "testkit") {
                wrong.push(format!("{name} may not know {to}"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn what_comes_from_outside_may_be_used() {
    let deny: toml::Table = text("deny.toml").parse().unwrap();
    let allowed: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap())
        .collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        let words = licence.replace('(', " ( ").replace(')', " ) ");
        if !may(&mut words.split_whitespace().peekable(), &allowed) {
            wrong.push(format!("{name} is under {licence}, which deny.toml does not allow"));
        }
        if package["source"].as_str().is_some_and(|source| source != SOURCE) {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
    }
    none(&wrong);
}

/// Reads an SPDX expression: one of the parts between `OR`, all of those between `AND`.
fn may<'w>(words: &mut std::iter::Peekable<impl Iterator<Item = &'w str>>, allowed: &[&str]) -> bool {
    let (mut any, mut all) = (false, true);
    while let Some(word) = words.next() {
        match word {
            ")" => break,
            "OR" => (any, all) = (any | all, true),
            "AND" => {}
            "(" => all &= may(words, allowed),
            licence => {
                let with = words.next_if_eq(&"WITH").and_then(|_| words.next());
                let licence = with.map_or(licence.to_owned(), |with| format!("{licence} WITH {with}"));
                all &= allowed.contains(&licence.as_str());
            }
        }
    }
    any | all
}

#[test]
fn expressions_of_licences_are_understood() {
    let allowed = ["A", "B", "C WITH x"];
    for (expression, good) in [
        ("A", true),
        ("D", false),
        ("D OR A", true),
        ("A AND D", false),
        ("( A OR D ) AND B", true),
        ("( A OR D ) AND E", false),
        ("D AND E OR B", true),
        ("C WITH x", true),
        ("C", false),
        ("", true),
    ] {
        assert_eq!(may(&mut expression.split_whitespace().peekable(), &allowed), good, "{expression}");
    }
}
