//! The two ends of the benchmarks against each other: what is right is seen to be, and what is wrong too.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use testkit::servers::http::HttpServer;

const ECHO: &str = env!("CARGO_BIN_EXE_testkit-echo");
const LOAD: &str = env!("CARGO_BIN_EXE_testkit-load");

/// The fast upstream over HTTP; it ends with this.
struct Echo {
    child: Child,
    url: String,
}

impl Echo {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(ECHO)
            .args(["--http", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    fn load(&self, args: &[&str]) -> Output {
        Command::new(LOAD).args(["--url", &self.url]).args(args).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns whether everything was right, and what was counted.
fn told(output: &Output) -> (bool, serde_json::Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let told = serde_json::from_str(&text).unwrap_or_else(|error| {
        let why = String::from_utf8_lossy(&output.stderr);
        serde_json::json!({ "error": error.to_string(), "stdout": text, "stderr": why })
    });
    (output.status.success(), told)
}

#[test]
fn every_answer_of_the_fast_upstream_is_right() {
    let echo = Echo::start(&["--tools", "40"]);
    for (line, calls) in [
        ("calls --callers 1 --calls 50", 50),
        ("calls --callers 8 --calls 50", 400),
        ("calls --callers 2 --calls 5 --bytes 65536", 10),
        ("calls --callers 2 --calls 5 --bytes 65536 --big --tool big", 10),
        ("calls --callers 2 --calls 50 --era modern", 100),
        ("list --count 5 --tools 40", 5),
        ("list --count 5 --tools 40 --era modern", 5),
    ] {
        let (is_right, told) = told(&echo.load(&line.split(' ').collect::<Vec<_>>()));
        assert!(is_right, "{line}: {told}");
        assert_eq!(told["calls"], calls, "{line}: {told}");
    }
    for line in ["sessions --count 20", "sessions --count 20 --streams --at-once 3"] {
        let (is_right, told) = told(&echo.load(&line.split(' ').collect::<Vec<_>>()));
        assert!(is_right && told["opened"] == 20, "{line}: {told}");
    }
}

#[test]
fn a_command_is_asked_over_its_streams() {
    for (line, calls) in [
        ("calls --callers 1 --calls 50 --", 50),
        ("calls --callers 8 --calls 50 --", 400),
        ("calls --callers 2 --calls 5 --bytes 65536 --big --tool big --", 10),
        ("first-list --tools 2 --", 1),
    ] {
        let output = Command::new(LOAD).args(line.split(' ')).arg(ECHO).output().unwrap();
        let (is_right, told) = told(&output);
        assert!(is_right, "{line}: {told}");
        assert_eq!(told["calls"], calls, "{line}: {told}");
    }
}

#[test]
fn every_lie_is_noticed() {
    for (lie, line, of) in [
        ("text", "calls --calls 20 --warm 0", "wrong"),
        ("text", "calls --calls 1 --warm 20", "wrong"),
        ("id", "calls --calls 20 --callers 4", "wrong"),
        ("size", "calls --calls 20 --bytes 100 --big --tool big", "wrong"),
        ("error", "calls --calls 20", "failed"),
        ("tools", "list --count 3 --tools 9", "wrong"),
    ] {
        let echo = Echo::start(&["--lie", lie, "--tools", "9"]);
        let (is_right, told) = told(&echo.load(&line.split(' ').collect::<Vec<_>>()));
        assert!(!is_right, "{lie}: {told}");
        assert!(told[of].as_u64().unwrap() > 0, "{lie}: {told}");
    }
    for lie in ["text", "id", "error"] {
        let line = ["calls", "--callers", "4", "--calls", "20", "--", ECHO, "--lie", lie];
        let output = Command::new(LOAD).args(line).output().unwrap();
        assert!(!output.status.success(), "{lie}: {:?}", told(&output));
    }
}

#[test]
fn nobody_who_answers_is_no_success() {
    let gone = Echo::start(&[]).url.clone();
    for line in ["calls --calls 1", "list --tools 2 --count 1"] {
        let output = Command::new(LOAD).args(["--url", &gone]).args(line.split(' ')).output().unwrap();
        assert!(!output.status.success(), "{line}");
    }
    let output = Command::new(LOAD).args(["calls", "--calls", "1", "--", "/bin/true"]).output().unwrap();
    assert!(!output.status.success());
}

/// An answer in a stream of events, with something else before it; `{}` is the id with its result.
const STREAM: &str = ": hello\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n\
                      data: {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}\n\ndata: {\ndata: {}}\n\n";

#[test]
fn an_answer_in_a_stream_is_found() {
    for is_chunked in [false, true] {
        let server = HttpServer::start(move |request, reply| {
            let asked = request.json();
            let text = &asked["params"]["arguments"]["text"];
            let result = match request.rpc().as_str() {
                "initialize" => serde_json::json!({ "protocolVersion": "2025-11-25" }),
                "tools/call" => serde_json::json!({ "content": [{ "type": "text", "text": text }] }),
                _ => return reply.send(202, &[], ""),
            };
            let stream = STREAM.replace("{}}", &format!("\"id\":{},\"result\":{result}}}", asked["id"]));
            let chunked = [("transfer-encoding", "chunked")];
            reply.events(if is_chunked { &chunked } else { &[] });
            for part in stream.as_bytes().chunks(50) {
                let part = std::str::from_utf8(part).unwrap();
                if is_chunked {
                    reply.raw(&format!("{:x}\r\n{part}\r\n", part.len()));
                } else {
                    reply.raw(part);
                }
            }
            if is_chunked {
                reply.raw("0\r\n\r\n");
            }
        })
        .unwrap();
        let output = Command::new(LOAD)
            .args(["--url", &server.origin, "calls", "--calls", "10", "--callers", "2"])
            .output()
            .unwrap();
        let (is_right, told) = told(&output);
        assert!(is_right && told["calls"] == 20, "{is_chunked}: {told}");
    }
}

#[test]
fn answers_may_come_on_a_stream_that_was_opened_first() {
    let (to_stream, answers) = std::sync::mpsc::channel::<String>();
    let answers = std::sync::Mutex::new(answers);
    let server = HttpServer::start(move |request, reply| {
        if request.method == "GET" {
            reply.events(&[]);
            reply.raw("event: endpoint\ndata: /messages?session=1\n\n");
            let answers = answers.lock().unwrap();
            return answers
                .iter()
                .for_each(|answer| reply.raw(&format!("event: message\ndata: {answer}\n\n")));
        }
        assert_eq!(request.path, "/messages?session=1");
        let asked = request.json();
        let text = &asked["params"]["arguments"]["text"];
        let result = match request.rpc().as_str() {
            "initialize" => serde_json::json!({ "protocolVersion": "2024-11-05" }),
            "tools/call" => serde_json::json!({ "content": [{ "type": "text", "text": text }] }),
            _ => return reply.send(202, &[], ""),
        };
        to_stream.send(serde_json::json!({ "id": asked["id"], "result": result }).to_string()).unwrap();
        reply.send(202, &[], "Accepted");
    })
    .unwrap();
    let output = Command::new(LOAD)
        .args(["--events", "--url", &format!("{}/sse", server.origin), "calls", "--calls", "10"])
        .output()
        .unwrap();
    let (is_right, told) = told(&output);
    assert!(is_right && told["calls"] == 10, "{told}");
}
