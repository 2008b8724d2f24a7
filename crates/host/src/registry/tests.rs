#![expect(clippy::disallowed_methods, reason = "the tests play those who damage files")]

mod damages;
mod moves;
mod searching;
mod together;

use std::path::{Path, PathBuf};

use switchboard_core::launch::Fingerprint;
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Content, Kind, Row};

use super::*;

/// A folder with a registry in it.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One whose registry knows `k8s` with two tools.
    fn filled() -> Self {
        let stage = Self::new();
        Registry::open(&stage.path()).replace(&[k8s()], 100).unwrap();
        stage
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state/registry.db")
    }

    fn read(&self) -> Registry {
        Registry::read(&self.path())
    }

    fn open(&self) -> Registry {
        Registry::open(&self.path())
    }
}

const LIST: &[u8] = br#"{ "name":"listPods", "description":"Lists the pods\nof a namespace", "x":[1e400] }"#;
const GET: &[u8] = br#"{"name":"get_pod","title":"One pod","inputSchema":{"type":"object"}}"#;
const PROMPT: &[u8] = br#"{"name":"explain"}"#;

fn tool<'s>(name: &'s str, raw: &'s [u8]) -> SeenItem<'s> {
    SeenItem { kind: Kind::Tool, name, raw }
}

fn k8s_seen() -> Seen<'static> {
    Seen {
        revision: "2025-11-25",
        capabilities: r#"{"tools":{}}"#,
        info: Some(r#"{"name":"k"}"#),
        instructions: Some("\"be careful\""),
        items: vec![
            tool("listPods", LIST),
            tool("get_pod", GET),
            SeenItem { kind: Kind::Prompt, name: "explain", raw: PROMPT },
        ],
    }
}

fn k8s() -> Row<Seen<'static>> {
    row("k8s", 1, Content::Seen(k8s_seen()))
}

fn row<'s>(name: &str, way: u8, content: Content<Seen<'s>>) -> Row<Seen<'s>> {
    Row { name: ServerName::parse(name).unwrap(), fingerprint: Fingerprint([way; 32]), content }
}

fn kept(from: &str) -> Content<Seen<'static>> {
    Content::Kept { from: from.to_owned() }
}

fn stale(from: Option<&str>, why: &str) -> Content<Seen<'static>> {
    Content::Stale { from: from.map(str::to_owned), why: why.to_owned() }
}

/// A server that offers this one tool.
fn one<'s>(name: &str, way: u8, tool_name: &'s str, raw: &'s [u8]) -> Row<Seen<'s>> {
    row(name, way, Content::Seen(Seen { items: vec![tool(tool_name, raw)], ..Seen::default() }))
}

/// Every tool as `server.tool`, with `!` behind those that are stale.
fn tools(registry: &mut Registry) -> String {
    let lines = registry.list(Kind::Tool, None);
    let shown = lines
        .iter()
        .map(|line| format!("{}.{}{}", line.server, line.name, if line.stale { "!" } else { "" }));
    shown.collect::<Vec<_>>().join(" ")
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.line.name.as_str()).collect()
}

#[test]
fn what_servers_say_comes_back_as_the_bytes_that_it_was() {
    let stage = Stage::filled();
    let mut registry = stage.read();
    let server = registry.servers().remove(0);
    assert_eq!(
        server,
        Server {
            name: "k8s".to_owned(),
            fingerprint: Fingerprint([1; 32]),
            seen: Some(100),
            state: State::Fresh,
            revision: Some("2025-11-25".to_owned()),
            capabilities: Some(r#"{"tools":{}}"#.to_owned()),
            info: Some(r#"{"name":"k"}"#.to_owned()),
            instructions: Some("\"be careful\"".to_owned()),
            counts: [2, 1, 0, 0],
        }
    );
    assert_eq!(server.era(), Some(switchboard_core::mcp::revision::Era::Legacy));
    let line = Line {
        server: "k8s".to_owned(),
        stale: false,
        name: "listPods".to_owned(),
        title: None,
        brief: Some("Lists the pods".to_owned()),
        hash: crate::hash::Hash::of(LIST),
    };
    assert_eq!(registry.list(Kind::Tool, Some("k8s"))[0], line);
    assert_eq!(registry.list(Kind::Tool, Some("other")), []);
    assert_eq!(registry.show("k8s", Kind::Tool, "listPods"), Some(Item { line, raw: LIST.to_vec() }));
    assert_eq!(registry.show("k8s", Kind::Tool, "listpods"), None);
    let raw: Vec<_> = registry.items("k8s", Kind::Prompt).into_iter().map(|item| item.raw).collect();
    assert_eq!(raw, [PROMPT]);
    assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod", "in the order of the server");
    assert_eq!(registry.notes(), []);
}

#[test]
fn readers_make_nothing() {
    let stage = Stage::new();
    let mut registry = stage.read();
    assert_eq!((tools(&mut registry), registry.held().len(), registry.notes().len()), (String::new(), 0, 0));
    assert_eq!((registry.stamp(), registry.search("x", 5)), (None, vec![]));
    assert!(stage.folder.path().read_dir().unwrap().next().is_none());
    assert!(registry.replace(&[k8s()], 1).is_err());
    let connection = Stage::filled().read().connection;
    assert!(connection.unwrap().execute("DELETE FROM server", []).is_err());
}

#[cfg(unix)]
#[test]
fn everything_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::filled();
    let mode = |end: &str| {
        let path = PathBuf::from(format!("{}{end}", stage.path().display()));
        std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o777).ok()
    };
    let registry = stage.open();
    let _write =
        registry.connection.as_ref().unwrap().execute_batch("BEGIN IMMEDIATE; DELETE FROM server; COMMIT");
    assert_eq!([mode(""), mode("-wal"), mode("-shm")], [Some(0o600); 3]);
    drop(registry);
    // Somebody was generous.
    std::fs::set_permissions(stage.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    let registry = stage.open();
    assert_eq!([mode(""), mode("-wal"), mode("-shm")], [Some(0o600); 3]);
    drop(registry);
}

#[test]
fn what_the_file_system_says_stays_until_something_is_written() {
    let stage = Stage::filled();
    let before = stage.read().stamp().unwrap();
    for _ in 0..3 {
        let mut registry = stage.read();
        assert_eq!(tools(&mut registry), "k8s.listPods k8s.get_pod");
        registry.search("pods", 3);
        drop(registry);
        let mut registry = stage.open();
        registry.check();
        assert_eq!(registry.held().len(), 1);
    }
    assert_eq!(stage.read().stamp(), Some(before));
    let files: Vec<_> = stage.path().parent().unwrap().read_dir().unwrap().flatten().collect();
    assert_eq!(files.len(), 2, "nothing is left beside it and its lock: {files:?}");
    // Also while somebody else has it open.
    let other = stage.read();
    let mut registry = stage.open();
    registry.replace(&[k8s(), one("b", 2, "x", b"{}")], 7).unwrap();
    let after = registry.stamp();
    assert_ne!(after, Some(before));
    drop(registry);
    drop(other);
    assert_eq!(stage.read().stamp(), after);
}

#[test]
fn a_reason_and_a_line_have_bounds() {
    let stage = Stage::new();
    let long = "ü".repeat(100_000);
    let raw = format!(r#"{{"title":"{long}","description":"{long}"}}"#);
    let mut registry = stage.open();
    registry.replace(&[one("a", 1, "x", raw.as_bytes()), row("b", 2, stale(None, &long))], 1).unwrap();
    let line = registry.list(Kind::Tool, None).remove(0);
    assert!(line.title.unwrap().len() <= 400 && line.brief.unwrap().len() <= 400);
    let State::Stale { why, .. } = registry.servers().remove(1).state else { panic!("it is stale") };
    assert!(why.len() <= 2_000);
    assert_eq!(
        registry.show("a", Kind::Tool, "x").unwrap().raw.len(),
        raw.len(),
        "what a server wrote is whole"
    );
}
