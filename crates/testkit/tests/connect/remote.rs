//! The pipe to remote servers: what goes over the wire, and what a client hears when something goes wrong.

use std::sync::Mutex;
use std::sync::mpsc::{channel, sync_channel};
use std::time::{Duration, Instant};

use switchboard_core::launch::{Launch, Remote};
use testkit::servers::http::{HttpServer, Reply, Request, result};

use crate::pipe::{PATIENCE, Pipe};

fn connect(server: &HttpServer, path: &str, kind: Remote) -> Pipe {
    let headers = [("Authorization".to_owned(), "Bearer ${env:TOKEN}".to_owned())].into();
    let launch = Launch::Remote { kind, url: format!("{}{path}", server.origin), headers };
    Pipe::start_with("there", &launch, |command| {
        command.env("TOKEN", "s3cret");
    })
}

fn http(script: impl Fn(&Request, &mut Reply) + Send + Sync + 'static) -> (HttpServer, Pipe) {
    let server = HttpServer::start(script).unwrap();
    let pipe = connect(&server, "/mcp", Remote::Http);
    (server, pipe)
}

fn call(id: &str, method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#)
}

/// Waits until `seen` holds for the requests of `server`.
fn wait_for(server: &HttpServer, seen: impl Fn(&[Request]) -> bool) -> Vec<Request> {
    let end = Instant::now() + PATIENCE;
    loop {
        let requests = server.requests();
        if seen(&requests) {
            return requests;
        }
        assert!(Instant::now() < end, "{requests:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(mut pipe: Pipe) -> String {
    pipe.close_stdin();
    assert_eq!(pipe.wait().code(), Some(0));
    assert!(pipe.is_silent());
    pipe.errors()
}

const INITIALIZE: &str =
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

#[test]
fn a_session_runs_from_initialize_to_delete() {
    let (server, mut pipe) = http(|request, reply| match (&*request.method, &*request.rpc()) {
        ("POST", "initialize") => reply.send(
            200,
            &[("content-type", "application/json; charset=utf-8"), ("mcp-session-id", "s-1")],
            &result(request, r#"{"protocolVersion":"2025-06-18"}"#),
        ),
        ("POST", "" | "notifications/initialized") => reply.send(202, &[], ""),
        ("POST", _) => {
            reply.json(&result(request, r#"{"x":1.0,"y":[123456789012345678901234567890,"\ud800"]}"#));
        }
        ("GET", _) => {
            reply.events(&[]);
            reply.raw(": hello\n\nevent: message\nid: 7\ndata: {\"jsonrpc\":\"2.0\",\r\ndata: \"method\":\"note\"}\n\n");
            reply.wait_for_hang_up();
        }
        _ => reply.send(200, &[], ""),
    });
    pipe.send(INITIALIZE);
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}}"#);
    pipe.send(INITIALIZED);
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0", "method":"note"}"#);
    pipe.send(&call(r#""a""#, "tools/list"));
    assert_eq!(
        pipe.line(),
        r#"{"jsonrpc":"2.0","id":"a","result":{"x":1.0,"y":[123456789012345678901234567890,"\ud800"]}}"#
    );
    assert_eq!(end(pipe), "");

    let requests = server.requests();
    let shown: Vec<String> = requests
        .iter()
        .map(|request| {
            let header = |name| request.header(name).unwrap_or("-").to_owned();
            format!("{} {} {}", request.method, header("mcp-session-id"), header("mcp-protocol-version"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "POST - -",
            "POST s-1 2025-06-18",
            "GET s-1 2025-06-18",
            "POST s-1 2025-06-18",
            "DELETE s-1 2025-06-18"
        ]
    );
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer s3cret")));
    assert_eq!(requests[0].header("accept"), Some("application/json, text/event-stream"));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].body, INITIALIZE);
}

#[test]
fn an_answer_may_come_as_events_with_others_before_it() {
    let (_server, mut pipe) = http(|request, reply| {
        reply.events(&[]);
        reply.raw("data: {\"method\":\"notifications/progress\"}\n\ndata:\n\nevent: ping\ndata: x\n\n");
        reply.raw(&format!("data: {}\n\n", result(request, "{\n\"a\":\n1}").replace('\n', "\r\ndata: ")));
    });
    pipe.send(&call("1", "slow"));
    assert_eq!(pipe.line(), r#"{"method":"notifications/progress"}"#);
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0","id":1,"result":{ "a": 1}}"#);
    assert_eq!(end(pipe), "");
}

#[test]
fn calls_do_not_wait_for_each_other() {
    let (send, receive) = sync_channel::<()>(0);
    let receive = Mutex::new(receive);
    let (_server, mut pipe) = http(move |request, reply| {
        if request.rpc() == "slow" {
            let _ = receive.lock().unwrap().recv_timeout(PATIENCE);
        }
        reply.json(&result(request, "{}"));
    });
    pipe.send(&call("1", "slow"));
    for id in 2..50 {
        pipe.send(&call(&id.to_string(), "quick"));
    }
    let mut ids: Vec<i64> = (2..50)
        .map(|_| serde_json::from_str::<serde_json::Value>(&pipe.line()).unwrap()["id"].as_i64().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (2..50).collect::<Vec<_>>());
    send.send(()).unwrap();
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(end(pipe), "");
}

#[test]
fn each_failure_is_told_to_its_caller_and_harms_no_other() {
    let (_server, mut pipe) = http(|request, reply| match &*request.rpc() {
        "login" => reply.send(401, &[("www-authenticate", "Bearer")], "no"),
        "forbidden" => reply.send(403, &[], ""),
        "busy" => reply.send(429, &[("retry-after", "7")], ""),
        "broken" => reply.send(500, &[("content-type", "application/json")], r#"{"oops":1}"#),
        "html" => reply.send(200, &[("content-type", "text/html")], "<html>"),
        "cut" => {
            reply.events(&[]);
            reply.raw("data: {\"method\":\"x\"}\n\ndata: {\"half\":");
        }
        "nothing" => reply.send(202, &[], ""),
        "modern" => {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32020,"message":"m"}}}}"#,
                request.json()["id"]
            );
            reply.send(400, &[("content-type", "application/json")], &body);
        }
        "huge" => {
            reply.send(200, &[("content-type", "application/json")], &"x".repeat((16 << 20) + 1));
        }
        "huge event" => {
            reply.events(&[]);
            for _ in 0..17 {
                reply.raw(&format!("data: {}\n", "x".repeat(1 << 20)));
            }
            reply.raw("\n");
        }
        _ => reply.json(&result(request, "{}")),
    });
    let error = |id: usize, text: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32000,"message":"{text}"#)
    };
    for (id, (method, sentence)) in [
        ("login", "`there` needs a login or a token: it answered 401 Unauthorized; hint: run `switchboard server login there`"),
        ("forbidden", "`there` needs a login or a token: it answered 403 Forbidden"),
        ("busy", "`there` answered 429 Too Many Requests; hint: it asks to be tried again after 7"),
        ("broken", "`there` answered 500 Internal Server Error; hint: run `switchboard server test there`"),
        ("initialize", ""),
        ("html", "`there` answered with `text/html`, not with a message"),
        ("cut", "`there` closed the stream before it had answered"),
        ("nothing", "`there` answered with nothing, not with a message"),
        ("huge", "the answer of `there` is longer than 16 MiB"),
        ("huge event", "the answer of `there` is longer than 16 MiB"),
    ]
    .into_iter()
    .enumerate()
    {
        pipe.send(&call(&id.to_string(), method));
        let mut line = pipe.line();
        if line == r#"{"method":"x"}"# {
            line = pipe.line();
        }
        let expected = if sentence.is_empty() { result_of(id) } else { error(id, sentence) };
        assert!(line.starts_with(&expected), "{method}: {line}");
    }
    pipe.send(&call("99", "modern"));
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0","id":99,"error":{"code":-32020,"message":"m"}}"#);
    assert!(end(pipe).contains("switchboard: `there` needs a login or a token"));
}

fn result_of(id: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

#[test]
fn a_session_that_is_over_and_a_wrong_address_are_told_apart() {
    let (_server, mut pipe) = http(|request, reply| match &*request.rpc() {
        "initialize" => reply.send(
            200,
            &[("content-type", "application/json"), ("mcp-session-id", "s")],
            &result(request, r#"{"protocolVersion":"2025-11-25"}"#),
        ),
        _ => reply.send(404, &[], ""),
    });
    pipe.send(INITIALIZE);
    pipe.line();
    pipe.send(&call("1", "tools/list"));
    assert!(
        pipe.line().contains("the session with `there` is over: it answered 404 Not Found; hint: reconnect")
    );

    let (_server, mut pipe) = http(|_, reply| reply.send(404, &[], ""));
    pipe.send(INITIALIZE);
    let line = pipe.line();
    assert!(
        line.contains("does not speak MCP at its `url`") && line.contains("`type = \\\"sse\\\"`"),
        "{line}"
    );
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut pipe = Pipe::start("there", &Launch::http(format!("http://{free}/?key=s3cret")));
    pipe.send(&call("1", "ping"));
    let line = pipe.line();
    assert!(line.contains("could not reach `there`: Connection refused"), "{line}");
    assert!(!line.contains("s3cret"));
    assert!(!end(pipe).contains("s3cret"));

    // With TLS, which needs a provider of cryptography to be installed.
    let mut pipe = Pipe::start("there", &Launch::http(format!("https://{free}/")));
    pipe.send(&call("1", "ping"));
    assert!(pipe.line().contains("could not reach `there`: Connection refused"));
}

#[test]
fn what_is_not_a_message_is_refused_and_the_pipe_goes_on() {
    let (server, mut pipe) = http(|request, reply| reply.json(&result(request, "{}")));
    pipe.send("hello");
    assert!(pipe.line().starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#));
    pipe.send("[]");
    assert!(pipe.line().starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#));
    pipe.send(&format!(r#"{{"method":"x","params":"{}","id":"late"}}"#, "x".repeat(17 << 20)));
    assert_eq!(
        pipe.line(),
        r#"{"jsonrpc":"2.0","id":"late","error":{"code":-32600,"message":"a message on standard input is longer than 16 MiB"}}"#
    );
    pipe.send(&call("2", "ping"));
    assert_eq!(pipe.line(), result_of(2));
    assert_eq!(server.requests().len(), 1);
    assert!(end(pipe).contains("switchboard: a line on standard input is not JSON\n"));
}

#[test]
fn headers_stay_within_the_origin() {
    let elsewhere = HttpServer::start(|request, reply| reply.json(&result(request, "{}"))).unwrap();
    let target = elsewhere.origin.clone();
    let (server, mut pipe) = http(move |request, reply| match (&*request.rpc(), &*request.path) {
        ("away", _) => reply.send(307, &[("location", &format!("{target}/mcp"))], ""),
        ("round", _) => reply.send(308, &[("location", "/mcp")], ""),
        ("near", "/mcp") => reply.send(307, &[("location", "/mcp/")], ""),
        _ => reply.json(&result(request, "{}")),
    });
    pipe.send(&call("1", "near"));
    assert_eq!(pipe.line(), result_of(1));
    let last = server.requests().pop().unwrap();
    assert_eq!(
        (&*last.method, &*last.path, last.header("authorization")),
        ("POST", "/mcp/", Some("Bearer s3cret"))
    );
    pipe.send(&call("2", "away"));
    assert!(pipe.line().contains("which must not see its headers"));
    pipe.send(&call("3", "round"));
    assert!(pipe.line().contains("redirects again and again"));
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_broken_stream_is_taken_up_where_it_broke() {
    let (server, mut pipe) = http(|request, reply| {
        reply.events(&[]);
        match request.header("last-event-id") {
            None => reply.raw("id: e-1\nretry: 10\ndata:\n\n"),
            Some("e-1") => reply.raw("id: e-2\ndata: {\"method\":\"half-way\"}\n\ndata: {\"cut"),
            _ => reply.raw(r#"data: {"id":1,"result":{}}"#),
        }
        if request.header("last-event-id") == Some("e-2") {
            reply.raw("\n\n");
        }
    });
    pipe.send(&call("1", "long"));
    assert_eq!(pipe.line(), r#"{"method":"half-way"}"#);
    assert_eq!(pipe.line(), r#"{"id":1,"result":{}}"#);
    assert_eq!(end(pipe), "");
    let methods: Vec<String> = server.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
}

#[test]
fn stateless_calls_repeat_themselves_in_headers_and_are_cancelled_by_hanging_up() {
    let (hung_up, was_hung_up) = channel();
    let hung_up = Mutex::new(hung_up);
    let (server, mut pipe) = http(move |request, reply| {
        if request.json()["params"]["name"] == "slow" {
            reply.events(&[]);
            reply.wait_for_hang_up();
            let _ = hung_up.lock().unwrap().send(());
        }
        reply.send(
            200,
            &[("content-type", "application/json"), ("mcp-session-id", "never")],
            &match &*request.rpc() {
                "tools/list" => result(
                    request,
                    r#"{"tools":[{"name":"wetter-für","inputSchema":{"properties":{"ort":{"type":"string","x-mcp-header":"Ort"}}}}]}"#,
                ),
                _ => result(request, r#"{"resultType":"complete"}"#),
            },
        );
    });
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
    let tool = |id: u32, name: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"ort":"Köln"}},{meta}}}}}"#
        )
    };
    pipe.send(&format!(r#"{{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{{{meta}}}}}"#));
    assert!(pipe.line().contains("x-mcp-header"));
    pipe.send(&tool(1, "wetter-für"));
    assert_eq!(pipe.line(), r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#);
    pipe.send(&tool(2, "slow"));
    wait_for(&server, |requests| requests.len() == 3);
    pipe.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#);
    was_hung_up.recv_timeout(PATIENCE).unwrap();
    assert_eq!(end(pipe), "");
    let requests = server.requests();
    assert_eq!(requests.len(), 3, "nothing but the list and two calls: {requests:#?}");
    let header = |name| requests[1].header(name);
    assert_eq!(header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(header("mcp-method"), Some("tools/call"));
    assert_eq!(header("mcp-name"), Some("=?base64?d2V0dGVyLWbDvHI=?="));
    assert_eq!(header("mcp-param-ort"), Some("=?base64?S8O2bG4=?="));
    assert_eq!(header("mcp-session-id"), None);
}

#[test]
fn a_pipe_ends_by_a_signal_or_with_its_client() {
    use rustix::process::{Pid, Signal, kill_process};
    let slow = |_: &Request, reply: &mut Reply| {
        reply.events(&[]);
        reply.wait_for_hang_up();
    };
    let (server, mut pipe) = http(slow);
    pipe.send(&call("1", "slow"));
    wait_for(&server, |requests| requests.len() == 1);
    kill_process(Pid::from_child(&pipe.process), Signal::TERM).unwrap();
    assert_eq!(pipe.wait().code(), Some(128 + 15));

    // A client that is gone has closed both sides; what was in flight is not waited for then.
    let server = HttpServer::start(slow).unwrap();
    let (read, write) = std::io::pipe().unwrap();
    let mut pipe = Pipe::start_with("there", &Launch::http(&server.origin), |command| {
        command.stdout(write);
    });
    pipe.send(&call("1", "slow"));
    wait_for(&server, |requests| requests.len() == 1);
    let started = Instant::now();
    drop(read);
    pipe.close_stdin();
    assert_eq!(pipe.wait().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// A server of the 2024 transport: what is posted to `/messages` is answered on the stream by `answer`.
fn sse(
    endpoint: &'static str,
    answer: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
) -> (HttpServer, Pipe) {
    let (send, receive) = channel::<Option<String>>();
    let (send, receive) = (Mutex::new(send), Mutex::new(receive));
    let server = HttpServer::start(move |request, reply| match &*request.method {
        "GET" => {
            reply.events(&[]);
            reply.raw(&format!(": hi\n\nevent: endpoint\ndata: {endpoint}\n\n"));
            while let Ok(Some(said)) = receive.lock().unwrap().recv() {
                reply.raw(&format!("event: message\ndata: {said}\n\n"));
            }
        }
        _ if request.rpc() == "refused" => reply.send(400, &[], ""),
        _ => {
            reply.send(202, &[], "Accepted");
            send.lock().unwrap().send(answer(request)).unwrap();
        }
    })
    .unwrap();
    let pipe = connect(&server, "/sse", Remote::Sse);
    (server, pipe)
}

#[test]
fn the_transport_of_2024_is_spoken() {
    let (server, mut pipe) = sse("/messages?session=1", |request| Some(result(request, "{}")));
    pipe.send(&call("1", "initialize"));
    assert_eq!(pipe.line(), result_of(1));
    pipe.send(&call("2", "refused"));
    assert!(
        pipe.line()
            .starts_with(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"`there` answered 400"#)
    );
    pipe.send(&call("3", "ping"));
    assert_eq!(pipe.line(), result_of(3));
    pipe.send(&call("4", "ping"));
    pipe.close_stdin();
    assert_eq!(pipe.line(), result_of(4));
    assert!(end(pipe).contains("`there` answered 400"));
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer s3cret")));
    assert_eq!((&*requests[0].path, &*requests[1].path), ("/sse", "/messages?session=1"));
}

#[test]
fn a_stream_that_ends_fails_what_waits_and_ends_the_pipe() {
    let (_server, mut pipe) =
        sse("/messages", |request| (request.rpc() != "die").then(|| result(request, "{}")));
    pipe.send(&call("1", "ping"));
    pipe.line();
    pipe.send(&call("2", "die"));
    let line = pipe.line();
    assert!(line.contains(r#""id":2,"error""#) && line.contains("closed the stream"), "{line}");
    assert_eq!(pipe.wait().code(), Some(1));
    assert!(pipe.errors().contains("could not reach `there`: `there` closed the stream"));
}

#[test]
fn messages_are_not_posted_to_another_origin() {
    let (server, mut pipe) = sse("http://127.0.0.1:1/messages", |_| None);
    assert_eq!(pipe.wait().code(), Some(1));
    assert!(pipe.errors().contains("which must not see its headers"));
    assert_eq!(server.requests().len(), 1);
}
