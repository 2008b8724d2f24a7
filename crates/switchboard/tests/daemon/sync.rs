//! `sync` beside a daemon: what it serves is asked where it is.

use testkit::daemon::Daemon;

use crate::{CATALOGUE, home};

/// A server that cannot run twice: it holds a lock, and ends where somebody has it. It writes down each of its starts.
const SERVER: &str = r#"
import fcntl, json, sys
log = open(sys.argv[1], "a")
log.write("started\n")
log.flush()
lock = open(sys.argv[1] + ".lock", "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit("I run already")
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    answer = {"jsonrpc": "2.0", "id": request["id"]}
    if request["method"] == "initialize":
        answer["result"] = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "one", "version": "1"}}
    elif request["method"] == "tools/list":
        answer["result"] = {"tools": [{"name": "only", "inputSchema": {"type": "object"}}]}
    else:
        answer["error"] = {"code": -32601, "message": "no such method"}
    print(json.dumps(answer), flush=True)
"#;

#[test]
fn a_server_that_cannot_run_twice_is_asked_where_it_runs() {
    let home = home();
    home.write("server.py", SERVER);
    let (script, log) = (home.path("server.py"), home.path("starts"));
    let entry = |more: &str| {
        let (script, log) = (script.display(), log.display());
        format!(
            "[servers.one]\ncommand = \"python3\"\nargs = [\"{script}\", \"{log}\"]\nexclusive = true\n{more}"
        )
    };
    // It is kept running from the beginning.
    home.write(CATALOGUE, entry("idle_stop = \"0s\"\n"));
    let daemon = Daemon::start(&home);
    daemon.wait("it runs", || home.path("starts").exists());
    // The daemon has kept what it said already, or is about to.
    home.ok("sync");
    let output = home.ok("sync --force");
    assert_eq!(output.stdout, "synced 1 tool from 1 server\n", "{output}");
    let starts = home.text("starts").lines().count();
    assert_eq!(starts, 1, "the daemon's own: {}", daemon.log());
    let list = home.ok("tool list --json").json();
    assert_eq!(list[0]["name"], "only");
    drop(daemon);
    // Without it, it is started for this, and gone when it has answered.
    for _ in 0..2 {
        home.ok("sync --force");
    }
    assert_eq!(home.text("starts").lines().count(), starts + 2);
}

#[test]
fn what_a_server_tells_by_itself_is_in_the_registry_though_the_catalogue_is_the_same() {
    let home = crate::pins::stage("");
    let daemon = Daemon::start(&home);
    let listed = || -> Vec<String> {
        let list = home.ok("tool list --json").json();
        let names =
            list.as_array().expect("tools").iter().map(|tool| tool["name"].as_str().unwrap_or_default());
        names.map(str::to_owned).collect()
    };
    assert_eq!(listed(), ["grow", "turn"]);
    let mut client = crate::succession::Client::new(&home);
    for number in 1..=3 {
        client.call(number, "grow");
        client.answer(number);
        daemon.wait("the registry", || listed().last() == Some(&format!("get_more_{}", number + 1)));
    }
    // The way without looking is still open: nobody was asked for this.
    daemon.wait("it is signed", || home.ok("sync").stdout.starts_with("nothing changed: 5 tools"));
}
