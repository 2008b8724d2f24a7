//! Fills a registry with tools, and prints how long it takes to list and to search them.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement by hand")]

use std::time::{Duration, Instant};

use switchboard_core::launch::Fingerprint;
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Content, Kind, Row};
use switchboard_host::registry::{Registry, Seen, SeenItem};

const SERVERS: usize = 20;
const TOOLS: usize = 10_000;
const VERBS: [&str; 8] = ["list", "get", "create", "delete", "update", "search", "describe", "restart"];
const NOUNS: [&str; 10] =
    ["Pods", "Issues", "Files", "Routes", "Nodes", "Users", "Events", "Secrets", "Jobs", "Volumes"];

fn main() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("registry.db");
    let tools: Vec<(String, String)> = (0..TOOLS).map(tool).collect();
    let rows: Vec<Row<Seen<'_>>> = tools
        .chunks(TOOLS / SERVERS)
        .enumerate()
        .map(|(number, tools)| {
            let items =
                tools.iter().map(|(name, raw)| SeenItem { kind: Kind::Tool, name, raw: raw.as_bytes() });
            Row {
                name: ServerName::parse(&format!("server{number}")).unwrap(),
                fingerprint: Fingerprint([7; 32]),
                content: Content::Seen(Seen { items: items.collect(), ..Seen::default() }),
            }
        })
        .collect();
    let begun = Instant::now();
    Registry::open(&path).replace(&rows, 1).unwrap();
    println!(
        "filled with {TOOLS} tools in {:?}, {} KiB",
        begun.elapsed(),
        path.metadata().unwrap().len() / 1024
    );
    let kept: Vec<Row<Seen<'_>>> = rows
        .iter()
        .map(|row| Row {
            name: row.name.clone(),
            fingerprint: row.fingerprint,
            content: Content::Kept { from: row.name.to_string() },
        })
        .collect();
    times("a sync that keeps all", || Registry::open(&path).replace(&kept, 1).unwrap().len());
    times("open, list", || Registry::read(&path).list(Kind::Tool, None).len());
    times("open, look through all of it", || {
        let mut registry = Registry::read(&path);
        registry.check();
        registry.notes().len()
    });
    let mut registry = Registry::read(&path);
    times("list", || registry.list(Kind::Tool, None).len());
    times("list of one server", || registry.list(Kind::Tool, Some("server3")).len());
    times("show", || usize::from(registry.show("server3", Kind::Tool, "listPods_1501").is_some()));
    for text in
        ["pods", "l", "list pods", "restart volumes 9999", "number", "nothing like it", "delete nothing"]
    {
        times(&format!("search `{text}`"), || registry.search(text, 20).len());
    }
    times("open, search `list pods`", || Registry::read(&path).search("list pods", 20).len());
}

fn tool(number: usize) -> (String, String) {
    let (verb, noun) = (VERBS[number % VERBS.len()], NOUNS[number / VERBS.len() % NOUNS.len()]);
    let name = format!("{verb}{noun}_{number}");
    let words =
        "Some more words about what it does, and what it needs, and when it should be used. ".repeat(3);
    let schema = r#"{"type":"object","properties":{"namespace":{"type":"string","description":"where"},"limit":{"type":"integer"}}}"#;
    let raw = format!(
        r#"{{"name":"{name}","description":"{verb} {noun} in one place, number {number}\n{words}","inputSchema":{schema}}}"#
    );
    (name, raw)
}

fn times(what: &str, mut act: impl FnMut() -> usize) {
    let mut all: Vec<Duration> = Vec::new();
    let mut found = 0;
    for _ in 0..21 {
        let begun = Instant::now();
        found = act();
        all.push(begun.elapsed());
    }
    all.sort();
    println!("{what}: {found} in {:?} ({:?} to {:?})", all[10], all[0], all[20]);
}
