//! Servers behind a running daemon: started when they are needed, never twice, and never left behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use testkit::daemon::{Daemon, GUARD, Signal};
use testkit::home::FakeHome;
use testkit::tools;

use crate::faces::HELLO;
use crate::{CATALOGUE, CURSOR, wait_for};

/// A server that keeps a diary, and notes in it if it is not the only one of its kind. Of its two arguments one is the
/// diary; the other it answers calls with, and a `+` in it stands for one tool more. It takes its time to end.
const SERVER: &str = r#"
import json, os, signal, subprocess, sys, time
diary, mark = sys.argv[1:]
def note(what):
    file = os.open(diary, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, (what + "\n").encode())
    os.close(file)
try:
    os.mkdir(diary + ".lock")
except FileExistsError:
    note("twice")
if "stay" in mark:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    note("process %d" % child.pid)
note("process %d" % os.getpid())
note("began " + mark)
tools = ["who", "more"] if "+" in mark else ["who"]
def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "diary", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in tools]}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": mark}]}
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        result = answer(message["method"], message.get("params"))
        error = {"code": -32601, "message": "no such method"}
        what = {"error": error} if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **what}, separators=(",", ":")), flush=True)
time.sleep(300 if "stay" in mark else 0.2)
note("ended " + mark)
os.rmdir(diary + ".lock")
"#;

/// A home whose catalogue has the one server, `x`.
struct Stage {
    home: FakeHome,
    python: PathBuf,
}

impl Stage {
    /// Returns the stage, or nothing where there is no Python.
    fn new() -> Option<Self> {
        let python = tools::system("python3")?;
        let home = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
        home.write("server.py", SERVER);
        home.write(CURSOR, "{\n  \"mcpServers\": {}\n}\n");
        home.ok("client link cursor --auto");
        Some(Self { home, python })
    }

    /// Has the catalogue say this of the server.
    fn says(&self, mark: &str, more: &str) {
        let (python, script) = (self.python.display(), self.home.path("server.py"));
        let (script, diary) = (script.display(), self.home.path("diary"));
        let diary = diary.display();
        self.home.write(
            CATALOGUE,
            format!("[servers.x]\ncommand = \"{python}\"\nargs = [\"{script}\", \"{diary}\", \"{mark}\"]\n{more}\n"),
        );
    }

    /// Starts a daemon, and waits until it has taken in the catalogue.
    fn daemon(&self) -> Daemon {
        let daemon = Daemon::start(&self.home);
        wait_for(&daemon, &self.home, CURSOR, "\"x\"");
        daemon
    }

    fn diary(&self) -> Vec<String> {
        let text = fs::read_to_string(self.home.path("diary")).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with("process ")).map(str::to_owned).collect()
    }

    fn processes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.home.path("diary")).unwrap_or_default();
        text.lines().filter_map(|line| line.strip_prefix("process ")).map(str::to_owned).collect()
    }
}

/// A client at a pipe on the control socket, with the handshake behind it.
struct Client<'d> {
    stream: UnixStream,
    heard: Arc<Mutex<Vec<String>>>,
    daemon: &'d Daemon,
}

impl<'d> Client<'d> {
    fn connect(stage: &Stage, daemon: &'d Daemon) -> Self {
        let mut stream = UnixStream::connect(stage.home.path("switchboard/run/control.sock")).unwrap();
        let head = "GET /mcp/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: mcp\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut output = BufReader::new(stream.try_clone().unwrap());
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") {
            assert_ne!(output.read_line(&mut answer).unwrap(), 0, "{answer}");
        }
        assert!(answer.contains(" 101 "), "{answer}");
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                ear.lock().unwrap().push(line);
            }
        });
        let mut client = Self { stream, heard, daemon };
        client.ask(
            0,
            "initialize",
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}"#,
        );
        client.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    fn say(&mut self, line: &str) {
        self.stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Waits for a line that has this in it.
    fn hear(&self, what: &str) -> String {
        let found = || self.heard.lock().unwrap().iter().find(|line| line.contains(what)).cloned();
        self.daemon.wait(what, || found().is_some());
        found().unwrap()
    }

    fn ask(&mut self, id: u32, method: &str, params: &str) -> String {
        self.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        self.hear(&format!("\"id\":{id},"))
    }

    /// Asks the server who it is.
    fn who(&mut self, id: u32) -> String {
        let answer = self.ask(id, "tools/call", r#"{"name":"who","arguments":{}}"#);
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["result"]["content"][0]["text"].as_str().expect("a text").to_owned()
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        // The other handle is the ear's, which hears the end by this.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

#[test]
fn nothing_is_left_of_a_server_when_the_daemon_is_killed() {
    let Some(stage) = Stage::new() else { return };
    stage.says("stay", "");
    let mut daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    assert_eq!(client.who(1), "stay");
    drop(client);
    let processes = stage.processes();
    assert_eq!(processes.len() % 2, 0, "each has a child: {processes:?}");
    let lives = |pid: &String| {
        let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    assert!(processes.iter().any(lives), "{processes:?}");
    daemon.signal(Signal::KILL);
    daemon.ended();
    let begun = std::time::Instant::now();
    while stage.processes().iter().any(lives) {
        assert!(begun.elapsed() < GUARD, "{:?}", stage.processes());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_server_that_cannot_run_twice_ends_before_the_next_version_begins() {
    let Some(stage) = Stage::new() else { return };
    stage.says("1", "exclusive = true");
    let daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    assert_eq!(client.who(1), "1");
    for (id, mark) in [(10, "2+"), (30, "3")] {
        stage.says(mark, "exclusive = true");
        daemon.wait(mark, || stage.diary().contains(&format!("began {mark}")));
        assert_eq!(client.who(id), mark);
    }
    let diary = stage.diary();
    assert!(!diary.contains(&"twice".to_owned()), "{diary:?}");
    let last = diary.iter().rposition(|line| line == "ended 2+").expect("the second has ended");
    assert_eq!(diary[last + 1], "began 3", "{diary:?}");
}

#[test]
fn what_a_server_offers_is_known_before_it_is_started_again() {
    let Some(stage) = Stage::new() else { return };
    stage.says("1+", "");
    let mut daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    let before = client.ask(1, "tools/list", "{}");
    assert!(before.contains("\"more\""), "{before}");
    drop(client);
    daemon.signal(Signal::TERM);
    daemon.ended();
    let began = stage.diary().iter().filter(|line| line.starts_with("began")).count();
    let daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    assert_eq!(client.ask(1, "tools/list", "{}"), before);
    let now = || stage.diary().iter().filter(|line| line.starts_with("began")).count();
    assert_eq!(now(), began, "nobody has called it, and nothing was started: {:?}", stage.diary());
    assert_eq!(client.who(2), "1+");
    assert!(now() > began);
}

#[test]
fn a_server_that_changes_is_seen_in_an_open_conversation() {
    let Some(stage) = Stage::new() else { return };
    stage.says("1", "");
    let daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    assert!(!client.ask(1, "tools/list", "{}").contains("\"more\""));
    assert_eq!(client.who(2), "1");
    stage.says("2+", "");
    client.hear("notifications/tools/list_changed");
    assert!(client.ask(3, "tools/list", "{}").contains("\"more\""));
    assert_eq!(client.who(4), "2+");
    let told = client.heard.lock().unwrap().iter().filter(|line| line.contains("list_changed")).count();
    assert_eq!(told, 1);
}

#[test]
fn each_call_is_a_span_with_the_trace_that_it_belongs_to_and_without_what_was_said() {
    let Some(stage) = Stage::new() else { return };
    stage.says("answer", "");
    let daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let params = format!(
        r#"{{"name":"who","arguments":{{"password":"hunter2"}},"_meta":{{"traceparent":"{trace}"}}}}"#
    );
    client.ask(1, "tools/call", &params);
    let status = stage.home.ok("status");
    assert!(status.stdout.contains("x       ready  1      1"), "{status}");
    client.ask(2, "resources/read", r#"{"uri":"x:none"}"#);
    daemon.wait_log(trace);
    daemon.wait("its outcome", || {
        let log = daemon.log();
        let told = log.lines().find(|line| line.contains(trace)).unwrap_or_default();
        ["server=x", "tools/call", "who", "outcome=\"ok\"", "close"].iter().all(|word| told.contains(word))
    });
    assert!(!daemon.log().contains("hunter2"), "{}", daemon.log());
    // Every change of its phase is counted, however many are remembered.
    let (_, metrics) = daemon.get("/metrics").unwrap();
    let came = "switchboard_server_transitions_total{server=\"x\",to=\"ready\"} 1";
    assert!(metrics.contains(came), "{metrics}");
}

#[test]
fn who_asks_for_a_server_that_is_switched_off_is_told_so() {
    let Some(stage) = Stage::new() else { return };
    stage.says("answer", "enabled = false");
    let daemon = Daemon::start(&stage.home);
    let (code, body) = daemon.post("/mcp/x", "{}").unwrap();
    assert!(code == 404 && body.contains("is disabled"), "{code}: {body}");
    let told = stage.home.run("connect x");
    assert!(told.code != 0 && told.stderr.contains("switchboard server enable x"), "{told}");
    let told = stage.home.run("connect y");
    assert!(told.stderr.contains("there is no server `y`"), "{told}");
}

#[test]
fn what_does_not_come_up_is_told_wherever_servers_are_shown() {
    let Some(stage) = Stage::new() else { return };
    stage.says("1", "");
    let daemon = stage.daemon();
    let mut client = Client::connect(&stage, &daemon);
    assert_eq!(client.who(1), "1");
    let good = stage.home.text(CATALOGUE);
    // The next version ends at once, and beside it there is a server that never came up.
    stage.home.write(
        CATALOGUE,
        format!("{}\n[servers.y]\ncommand = \"false\"\n", good.replace("server.py", "gone.py")),
    );
    let told = |command: &str, what: &[&str]| {
        let shown = || stage.home.run(command);
        daemon.wait(command, || {
            what.iter().all(|what| shown().stdout.contains(what) || shown().stderr.contains(what))
        });
    };
    let before = "the version before goes on";
    told("server list", &["x: as the catalogue has it", before, "server.py"]);
    told("server show x", &["as the catalogue has it", before, "server.py"]);
    told("doctor", &["server `x`: as the catalogue has it", before, "switchboard server show x"]);
    told("status", &["[servers.x]", "gone.py", before]);
    assert_eq!(client.who(2), "1", "it goes on");
    daemon.post("/mcp/y", HELLO).unwrap();
    told("status", &["[servers.y]: is not to be had"]);
    told("doctor", &["server `y` is not to be had"]);
    let status: serde_json::Value = serde_json::from_str(&stage.home.ok("status --json").stdout).unwrap();
    let y =
        status["daemon"]["servers"].as_array().unwrap().iter().find(|server| server["name"] == "y").unwrap();
    assert!(y["trouble"].as_str().unwrap().contains("is not to be had"), "{y}");
    stage.home.write(CATALOGUE, good);
    let clean = || !stage.home.run("server list").stdout.contains("as the catalogue has it");
    daemon.wait("nothing is the matter any more", clean);
}

#[test]
fn what_happens_with_a_server_is_followed_by_people_and_programs() {
    let Some(stage) = Stage::new() else { return };
    stage.says("1", "");
    let daemon = stage.daemon();
    let follow = |line: &str| {
        let mut child =
            stage.home.command(line.split(' ')).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                ear.lock().unwrap().push(line);
            }
        });
        (child, heard)
    };
    let (mut people, shown) = follow("server log x -f");
    let (mut programs, objects) = follow("server log x -f --json");
    let has = |heard: &Arc<Mutex<Vec<String>>>, what: &[&str]| {
        heard.lock().unwrap().iter().any(|line| what.iter().all(|what| line.contains(what)))
    };
    let mut client = Client::connect(&stage, &daemon);
    let mut id = 0;
    // Nobody says when they have begun to follow.
    while ![&shown, &objects].into_iter().all(|heard| has(heard, &["tools/call"])) {
        id += 1;
        assert!(id < 10_000, "{}", daemon.log());
        client.ask(id, "tools/call", r#"{"name":"who","arguments":{"password":"hunter2"}}"#);
    }
    stage.says("2", "");
    daemon.wait("what people see", || {
        has(&shown, &["  ready"])
            && has(&shown, &["-> ", "tools/call"])
            && has(&shown, &["<- ", "\"text\":\"1\""])
    });
    daemon.wait("what programs see", || {
        has(&objects, &["\"phase\":\"ready\""]) && has(&objects, &["\"way\":\"to\"", "tools/call"])
    });
    for line in objects.lock().unwrap().iter() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["at_ms"].is_u64(), "{line}");
    }
    for heard in [&shown, &objects] {
        assert!(!has(heard, &["hunter2"]));
    }
    for child in [&mut people, &mut programs] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
