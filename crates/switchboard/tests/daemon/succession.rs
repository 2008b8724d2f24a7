//! One daemon takes the place of another, and nobody who is inside or at the door notices.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use testkit::daemon::{Daemon, GUARD};
use testkit::home::FakeHome;
use testkit::tools;

use crate::{CATALOGUE, SETTINGS};

/// A server that answers each call after as many milliseconds as the tool is called.
const SERVER: &str = r#"
import json, sys, time
def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "slow", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("1", "1500")]}
    if method == "tools/call":
        time.sleep(int(params["name"]) / 1000)
        return {"content": [{"type": "text", "text": params["name"]}]}
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        result = answer(message["method"], message.get("params"))
        error = {"code": -32601, "message": "no such method"}
        what = {"error": error} if result is None else {"result": result}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **what}), flush=True)
"#;

/// A client that runs `switchboard connect slow`.
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    heard: Receiver<String>,
    /// How often it was told that a list is another one.
    news: Cell<usize>,
}

impl Client {
    pub(crate) fn new(home: &FakeHome) -> Self {
        let mut child =
            home.command(["connect", "slow"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, heard) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let news = Cell::new(0);
        let mut client = Self { input: child.stdin.take().unwrap(), child, heard, news };
        client.say(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#);
        client.answer(0);
        client.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    pub(crate) fn call(&mut self, id: usize, tool: &str) {
        self.say(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#
        ));
    }

    pub(crate) fn answer(&self, id: usize) -> String {
        let (spaced, tight) = (format!("\"id\": {id},"), format!("\"id\":{id},"));
        loop {
            let line = self.heard.recv_timeout(GUARD).expect("an answer");
            if line.contains(&spaced) || line.contains(&tight) {
                return line;
            }
            self.news.set(self.news.get() + usize::from(line.contains("list_changed")));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Knocks again and again by new connections, until it is told to stop; returns how often, and what went wrong.
fn knock(port: u16, stop: &Arc<AtomicBool>, count: &Arc<AtomicUsize>) -> JoinHandle<Vec<String>> {
    let (stop, count) = (Arc::clone(stop), Arc::clone(count));
    thread::spawn(move || {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(GUARD))?;
            write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let mut wrong = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            match ask() {
                Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => {}
                other => {
                    wrong.push(format!("{other:?}"));
                    break;
                }
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
        wrong
    })
}

pub(crate) fn stage() -> Option<(FakeHome, u16)> {
    let python = tools::system("python3")?;
    let home = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
    home.write("server.py", SERVER);
    let script = home.path("server.py");
    home.write(
        CATALOGUE,
        format!("[servers.slow]\ncommand = \"{}\"\nargs = [\"{}\"]\n", python.display(), script.display()),
    );
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.write(SETTINGS, format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    Some((home, port))
}

fn serving(home: &FakeHome) -> u64 {
    home.ok("status --json").json()["daemon"]["pid"].as_u64().expect("a daemon")
}

#[test]
fn nobody_is_turned_away_and_no_call_fails_when_a_daemon_takes_the_place_of_another() {
    let Some((home, port)) = stage() else { return };
    let mut old = Daemon::start_with(&home, &[]);
    let (stop, knocks, calls) = (Arc::default(), Arc::default(), Arc::<AtomicUsize>::default());
    let knocking = knock(port, &stop, &knocks);
    let mut slow = Client::new(&home);
    slow.call(1, "1500");
    let calling = {
        let (mut client, stop, calls) = (Client::new(&home), Arc::clone(&stop), Arc::clone(&calls));
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let at = calls.fetch_add(1, Ordering::Relaxed) + 1;
                client.call(at, "1");
                let answer = client.answer(at);
                assert!(answer.contains("\"text\": \"1\""), "call {at}: {answer}");
            }
        })
    };
    old.wait("calls and knocks", || knocks.load(Ordering::Relaxed) > 50);
    let new = Daemon::start_with(&home, &["--replace"]);
    assert!(slow.answer(1).contains("\"text\": \"1500\""), "it ended where it began");
    // The same pipe leads to the other daemon by now.
    slow.call(2, "1");
    assert!(slow.answer(2).contains("\"text\": \"1\""));
    assert_eq!(slow.news.get(), 0, "what is as it was is no news");
    assert!(old.ended().success());
    assert_eq!(serving(&home), u64::from(new.pid()));
    let seen = [&knocks, &calls].map(|count| count.load(Ordering::Relaxed));
    new.wait("knocks at the new one", || knocks.load(Ordering::Relaxed) > seen[0] + 50);
    new.wait("calls of the new one", || calls.load(Ordering::Relaxed) > seen[1] + 50);
    stop.store(true, Ordering::Relaxed);
    assert_eq!(knocking.join().unwrap(), Vec::<String>::new());
    calling.join().unwrap();
}

#[test]
fn a_daemon_of_the_same_version_is_not_replaced_unasked() {
    let Some((home, _)) = stage() else { return };
    let old = Daemon::start_with(&home, &[]);
    let second = home.run("serve");
    assert!(second.all().contains("switchboard serve --replace"), "{}", second.all());
    assert_eq!(serving(&home), u64::from(old.pid()));
}

/// Asks a daemon to make room for one of this version, and returns the stream behind the answer's head.
fn claim(home: &FakeHome, version: &str) -> (String, UnixStream) {
    let mut stream = UnixStream::connect(home.path("switchboard/run/control.sock")).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    write!(
        stream,
        "GET /api/v1/succession HTTP/1.1\r\nHost: switchboard\r\nConnection: Upgrade\r\nUpgrade: switchboard\r\nSwitchboard-Version: {version}\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (String::from_utf8(head).unwrap(), stream)
}

#[test]
fn a_newer_version_is_given_the_sockets_and_its_doors_are_open_whatever_becomes_of_it() {
    let Some((home, port)) = stage() else { return };
    let mut old = Daemon::start_with(&home, &[]);
    assert!(claim(&home, "0.0.1").0.contains(" 409 "));
    let (head, stream) = claim(&home, "999.0.0");
    assert!(head.contains(" 101 "), "{head}");
    let mut text = [0; 4096];
    let (_, sockets) = switchboard_host::socket::passed(&stream, &mut text).unwrap();
    assert_eq!(sockets.len(), 2, "the control socket and the port");
    assert!(old.ended().success());
    drop(sockets);
    // It kept nothing, and the next daemon opens doors of its own.
    let next = Daemon::start_with(&home, &[]);
    assert_eq!(serving(&home), u64::from(next.pid()));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
}

/// A server that cannot run twice: it says in a file when it begins and when it ends.
const ONLY: &str = r#"
import json, signal, sys
log = open(sys.argv[1], "a")
def note(what):
    log.write(what + "\n")
    log.flush()
note("begins")
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        what = {"result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "o", "version": "1"}}}
    elif message["method"] == "tools/list":
        what = {"result": {"tools": [{"name": "1", "inputSchema": {"type": "object"}}]}}
    elif message["method"] == "tools/call":
        what = {"result": {"content": [{"type": "text", "text": "1"}]}}
    else:
        what = {"error": {"code": -32601, "message": "no such method"}}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **what}), flush=True)
note("ends")
"#;

#[test]
fn a_server_that_cannot_run_twice_does_not_while_a_daemon_takes_the_place_of_another() {
    let Some((home, _)) = stage() else { return };
    home.write("only.py", ONLY);
    let (script, log) = (home.path("only.py"), home.path("said"));
    home.write(
        CATALOGUE,
        format!(
            "[servers.slow]\ncommand = \"python3\"\nargs = [\"{}\", \"{}\"]\nexclusive = true\n",
            script.display(),
            log.display()
        ),
    );
    let mut old = Daemon::start_with(&home, &[]);
    let mut client = Client::new(&home);
    client.call(1, "1");
    assert!(client.answer(1).contains("\"text\": \"1\""));
    let _new = Daemon::start_with(&home, &["--replace"]);
    assert!(old.ended().success());
    client.call(2, "1");
    assert!(client.answer(2).contains("\"text\": \"1\""));
    assert_eq!(home.text("said"), "begins\nends\nbegins\n");
}
