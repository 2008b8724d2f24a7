//! `sync`: no change, no work; change, exact work.

use std::fs;
use std::time::Duration;

use testkit::home::{FakeHome, Output};

use crate::{CATALOGUE, home};

const STAMP: &str = "switchboard/state/sync-stamp.json";

/// A server that offers the tools in the file `tools-NAME` beside it, one a line, and writes into the file `asked` that it
/// was asked. Without its file it ends before it says anything. What a tool does is what stands in the file `does`.
const SERVER: &str = r#"
import json, os, sys
here, name = os.path.dirname(os.path.abspath(__file__)), sys.argv[1]
with open(os.path.join(here, "asked"), "a") as log:
    log.write(name + "\n")
try:
    tools = open(os.path.join(here, "tools-" + name)).read().split()
except FileNotFoundError:
    sys.exit("no tools today")
does = os.path.join(here, "does")
does = open(does).read() if os.path.exists(does) else "Does "
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    answer = {"jsonrpc": "2.0", "id": request["id"]}
    if request["method"] == "initialize":
        answer["result"] = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": name, "version": "1"}}
    elif request["method"] == "tools/list":
        answer["result"] = {"tools": [{"name": tool, "description": does + tool, "inputSchema": {"type": "object"}} for tool in tools]}
    else:
        answer["error"] = {"code": -32601, "message": "no such method"}
    print(json.dumps(answer), flush=True)
"#;

/// A home whose catalogue has servers of which it is known when they are asked.
pub(crate) struct Scene {
    pub(crate) home: FakeHome,
}

impl Scene {
    /// Returns a home with these servers: a name, and which of the scripted servers it is.
    pub(crate) fn new(servers: &[(&str, &str)]) -> Self {
        let scene = Self { home: home() };
        scene.home.write("server.py", SERVER);
        for (name, tools) in [("a", "a1 a2"), ("b", "b1"), ("c", "c1 c2 c3")] {
            scene.home.write(format!("tools-{name}"), tools);
        }
        scene.catalogue(servers);
        scene
    }

    /// Writes the catalogue, as a person with an editor would.
    pub(crate) fn catalogue(&self, servers: &[(&str, &str)]) {
        self.home.write(
            CATALOGUE,
            servers.iter().map(|(name, which)| self.entry(name, which)).collect::<String>(),
        );
    }

    fn entry(&self, name: &str, which: &str) -> String {
        let script = self.home.path("server.py");
        let script = script.display();
        format!("[servers.{name}]\ncommand = \"python3\"\nargs = [\"{script}\", \"{which}\"]\n\n")
    }

    /// Returns which of the scripted servers were asked since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        let log = self.home.path("asked");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
        names.sort();
        // Some are started a second time, to be spoken to in the older way.
        names.dedup();
        names
    }

    /// Syncs, which has to go well, and returns which of the scripted servers were asked.
    pub(crate) fn sync(&self) -> Vec<String> {
        self.home.ok("sync");
        self.asked()
    }

    /// Returns the tools that are known, as `server.tool`, without asking anybody.
    pub(crate) fn tools(&self) -> Vec<String> {
        let list = self.home.ok("tool list --json --dry-run").json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        list.as_array()
            .into_iter()
            .flatten()
            .map(|tool| format!("{}.{}", text(&tool["server"]), text(&tool["name"])))
            .collect()
    }

    /// Returns whether the next sync looks at nothing but the stamp.
    pub(crate) fn is_sure(&self) -> bool {
        self.home.text(STAMP).contains("\"sure\":true")
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.home.run(line)
    }
}

/// Waits until the catalogue was last changed so long ago that it is certain when nothing changes.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(250));
}

pub(crate) const TWO: [(&str, &str); 2] = [("a", "a"), ("b", "b")];

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_first_run_asks_everybody_and_the_next_ones_nobody() {
    let scene = Scene::new(&TWO);
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 0
    ----- stdout -----
    synced 3 tools from 2 servers
    ");
    assert_eq!(scene.asked(), ["a", "b"]);
    settle();
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 0
    ----- stdout -----
    nothing changed: 3 tools from 2 servers
    ");
    assert!(scene.is_sure());
    assert_eq!(scene.run("sync").stdout, "nothing changed: 3 tools from 2 servers\n");
    assert_eq!(scene.asked(), [""; 0]);
    insta::assert_snapshot!(scene.run("sync --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "asked": [],
      "changed": [],
      "dropped": [],
      "failed": [],
      "odd": [],
      "renamed": [],
      "servers": 2,
      "tools": 3
    }
    "#);
    assert_eq!(scene.run("sync --quiet").all(), "");
}

#[test]
fn where_nothing_has_changed_nothing_is_opened() {
    if !testkit::strace::is_there() {
        return;
    }
    let scene = Scene::new(&TWO);
    settle();
    scene.sync();
    assert!(scene.is_sure());
    let points = testkit::strace::points(&scene.home.command(["sync"]), &scene.home.path("trace"));
    let lines: Vec<&str> = points.iter().map(|point| point.line.as_str()).collect();
    let of = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    let whole = lines.join("\n");
    assert_eq!((of("sync-stamp.json"), of("mcp-servers.toml"), of("registry.db")), (1, 1, 1), "{whole}");
    assert!(lines.iter().filter(|line| line.starts_with("openat")).count() <= 1, "{whole}");
    assert!(lines.iter().all(|line| !line.starts_with("clone") && !line.starts_with("epoll")), "{whole}");
    assert!(lines.len() <= 12, "{whole}");
}

#[test]
fn an_edit_asks_those_that_it_is_about() {
    let scene = Scene::new(&TWO);
    scene.sync();
    for (story, catalogue, asked, tools) in [
        (
            "one more",
            vec![("a", "a"), ("b", "b"), ("c", "c")],
            &["c"][..],
            &["a.a1", "a.a2", "b.b1", "c.c1", "c.c2", "c.c3"][..],
        ),
        (
            "another order",
            vec![("b", "b"), ("a", "a"), ("c", "c")],
            &[],
            &["b.b1", "a.a1", "a.a2", "c.c1", "c.c2", "c.c3"],
        ),
        (
            "one has changed",
            vec![("b", "b"), ("a", "c"), ("c", "c")],
            &["c"],
            &["b.b1", "a.c1", "a.c2", "a.c3", "c.c1", "c.c2", "c.c3"],
        ),
        ("two are gone", vec![("b", "b")], &[], &["b.b1"]),
        ("all are back", vec![("a", "a"), ("b", "b")], &["a"], &["a.a1", "a.a2", "b.b1"]),
    ] {
        scene.catalogue(&catalogue);
        assert_eq!(scene.sync(), asked, "{story}");
        assert_eq!(scene.tools(), tools, "{story}");
    }
    // What does not say how a server is launched is nothing to ask about.
    scene.home.edit(
        CATALOGUE,
        "[servers.a]\n",
        "# the first\n[servers.a]\ndescription = \"one\"\ntags = [\"x\"]\ntimeout = \"9s\"\n",
    );
    assert_eq!(scene.run("sync").stdout, "nothing changed: 3 tools from 2 servers\n");
    settle();
    scene.home.ok("sync");
    assert!(scene.is_sure());
    assert_eq!(scene.asked(), [""; 0]);
    // A variable says it, and so does a folder.
    scene.home.edit(CATALOGUE, "[servers.b]\n", "[servers.b]\nenv = { X = \"1\" }\n");
    assert_eq!(scene.sync(), ["b"]);
    scene.home.edit(CATALOGUE, "[servers.b]\n", "[servers.b]\ncwd = \"/\"\n");
    assert_eq!(scene.sync(), ["b"]);
}

#[test]
fn a_server_keeps_its_tools_under_its_new_name() {
    let scene = Scene::new(&TWO);
    scene.sync();
    scene.catalogue(&[("z", "a"), ("b", "b")]);
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ z: it was called `a`, and keeps its tools
    synced 3 tools from 2 servers
    ");
    assert_eq!(scene.tools(), ["z.a1", "z.a2", "b.b1"]);
    scene.catalogue(&[("z", "b"), ("b", "a")]);
    scene.home.ok("sync");
    assert_eq!(scene.tools(), ["z.b1", "b.a1", "b.a2"], "an exchange");
    assert_eq!(scene.asked(), [""; 0]);
    // By a command, too.
    scene.home.ok("server rename z y");
    insta::assert_snapshot!(scene.run("sync --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "asked": [],
      "changed": [],
      "dropped": [],
      "failed": [],
      "odd": [],
      "renamed": [
        {
          "from": "z",
          "to": "y"
        }
      ],
      "servers": 2,
      "tools": 3
    }
    "#);
    assert_eq!(scene.asked(), [""; 0]);
    assert_eq!(scene.home.ok("tool search y").stdout.lines().count(), 2, "it is found under its new name");
}

#[test]
fn a_server_that_fails_keeps_what_was_known_and_is_asked_again() {
    let scene = Scene::new(&TWO);
    scene.sync();
    fs::remove_file(scene.home.path("tools-a")).unwrap();
    insta::assert_snapshot!(scene.run("sync a"), @"
    exit code: 1
    ----- stdout -----
    synced 1 tool from 1 server (1 failed: a: it ended with code 1)
    ----- stderr -----
    error: failed to sync `a`: it ended with code 1; it said last: no tools today
    hint: try it by itself with `switchboard server test a`
    ");
    assert_eq!(scene.asked(), ["a"]);
    assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1"]);
    settle();
    for _ in 0..2 {
        assert_eq!(scene.run("sync").code, 1);
        assert_eq!(scene.asked(), ["a"], "it is asked each time, and nobody else");
        assert!(!scene.is_sure());
    }
    let json = scene.run("sync --json");
    assert_eq!(json.code, 1);
    assert_eq!(json.json()["failed"][0]["server"], "a");
    assert_eq!(json.json()["servers"], 1);
    scene.asked();
    // A changed one that fails, and is changed back.
    scene.catalogue(&[("a", "nobody"), ("b", "b")]);
    assert_eq!(scene.run("sync").code, 1);
    assert_eq!(scene.tools(), ["a.a1", "a.a2", "b.b1"]);
    scene.asked();
    scene.home.write("tools-a", "a9");
    scene.catalogue(&TWO);
    assert_eq!(scene.sync(), ["a"]);
    assert_eq!(scene.tools(), ["a.a9", "b.b1"]);
}

#[test]
fn several_that_fail_are_told_one_by_one() {
    let scene = Scene::new(&[("x", "x"), ("b", "b"), ("y", "y")]);
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 1
    ----- stdout -----
    synced 1 tool from 1 server (2 failed: x: it ended with code 1, y: it ended with code 1)
    ----- stderr -----
    x: it ended with code 1; it said last: no tools today
    hint: try it by itself with `switchboard server test x`
    y: it ended with code 1; it said last: no tools today
    hint: try it by itself with `switchboard server test y`
    error: failed to sync 2 of 3 servers
    hint: what was known of them stays; `switchboard sync` asks them again
    ");
    assert_eq!(scene.tools(), ["b.b1"]);
    assert_eq!(scene.home.ok("tool list").stdout.matches("has never answered").count(), 2);
}

#[test]
fn one_that_says_nothing_has_the_time_that_its_owner_gives_it() {
    let scene = Scene::new(&[("b", "b")]);
    let text = scene.home.text(CATALOGUE);
    scene.home.write(
        CATALOGUE,
        format!("{text}[servers.mute]\ncommand = \"sleep\"\nargs = [\"300\"]\ntimeout = \"300ms\"\n"),
    );
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 1
    ----- stdout -----
    synced 1 tool from 1 server (1 failed: mute: it did not come up within 0.3 s)
    ----- stderr -----
    error: failed to sync `mute`: it did not come up within 0.3 s
    hint: try it by itself with `switchboard server test mute`
    ");
    assert_eq!(scene.tools(), ["b.b1"]);
}

#[test]
fn who_is_named_is_asked_and_nobody_else() {
    let scene = Scene::new(&TWO);
    scene.home.ok("sync b");
    assert_eq!(scene.asked(), ["b"]);
    assert_eq!(scene.tools(), ["b.b1"]);
    settle();
    // The other one still has to be asked.
    assert_eq!(scene.sync(), ["a"]);
    scene.home.ok("sync b");
    assert_eq!(scene.asked(), ["b"]);
    scene.home.ok("sync --force");
    assert_eq!(scene.asked(), ["a", "b"]);
    insta::assert_snapshot!(scene.run("sync bb"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find server `bb`
    hint: did you mean `b`?
    ");
    scene.home.ok("server disable b");
    insta::assert_snapshot!(scene.run("sync b"), @"
    exit code: 2
    ----- stderr -----
    error: failed to sync `b`: it is disabled
    hint: enable it with `switchboard server enable b`
    ");
    assert_eq!(scene.asked(), [""; 0]);
    scene.home.ok("sync");
    assert_eq!(scene.tools(), ["a.a1", "a.a2"], "nobody can use what a disabled server offers");
    scene.home.ok("server enable b");
    assert_eq!(scene.sync(), ["b"]);
}

#[test]
fn a_dry_run_says_who_would_be_asked() {
    let scene = Scene::new(&TWO);
    scene.sync();
    scene.catalogue(&[("z", "a"), ("c", "c"), ("d", "b")]);
    let text = scene.home.text(CATALOGUE);
    scene.home.write(CATALOGUE, text.replace("\"b\"]", "\"b\", \"more\"]"));
    let before = scene.home.tree();
    insta::assert_snapshot!(scene.run("sync --dry-run"), @"
    exit code: 0
    ----- stdout -----
    → z: it was called `a`, and would keep its tools
    → c: would be asked (new)
    → d: would be asked (new)
    → b: would go, with its tools
    ");
    insta::assert_snapshot!(scene.run("sync --dry-run --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "ask": [
        "c",
        "d"
      ],
      "drop": [
        "b"
      ],
      "rename": [
        {
          "from": "a",
          "to": "z"
        }
      ]
    }
    "#);
    scene.run("sync --force --dry-run");
    scene.run("tool list --dry-run");
    assert_eq!(before.changes(&scene.home.tree()), Vec::<String>::new());
}

#[test]
fn most_runs_ask_nobody() {
    let scene = Scene::new(&TWO);
    settle();
    let mut asked = scene.sync().len();
    for round in 0..100 {
        if round == 50 {
            scene.catalogue(&[("a", "a"), ("b", "c")]);
        }
        asked += scene.sync().len();
    }
    assert_eq!(asked, 3);
    assert_eq!(scene.tools(), names(&["a.a1", "a.a2", "b.c1", "b.c2", "b.c3"]));
}

#[test]
fn whoever_never_syncs_has_the_tools_as_they_are_all_the_same() {
    let scene = Scene::new(&TWO);
    let listed = |story: &str, asked: &[&str], tools: usize| {
        settle();
        let list = scene.home.ok("tool list --json").json();
        assert_eq!(list.as_array().map(Vec::len), Some(tools), "{story}");
        assert_eq!(scene.asked(), asked, "{story}");
    };
    listed("the first run", &["a", "b"], 3);
    listed("nothing has changed", &[], 3);
    let script = scene.home.path("server.py");
    scene.home.ok(&format!("server add c -- python3 {} c", script.display()));
    listed("a server is added by a command", &["c"], 6);
    scene.home.edit(CATALOGUE, "[servers.a]", "[servers.renamed]");
    listed("one is renamed by hand", &[], 6);
    assert_eq!(scene.tools()[0], "renamed.a1", "and nothing of its old name is left: {:?}", scene.tools());
    fs::remove_file(scene.home.path("switchboard/state/registry.db")).unwrap();
    listed("the registry is taken away", &["a", "b", "c"], 6);
}
