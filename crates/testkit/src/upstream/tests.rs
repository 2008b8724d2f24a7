use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};

use super::{Kind, Lie, Options, Server, run, run_slow};

fn server(options: Options) -> Server {
    Server::new(Options { tools: options.tools.max(2), ..options })
}

fn answer(server: &Server, message: &str) -> (Kind, String) {
    let mut into = Vec::new();
    let kind = server.answer(message.as_bytes(), &mut into);
    (kind, String::from_utf8(into).unwrap())
}

#[test]
fn every_message_has_its_answer() {
    let server = server(Options::default());
    for (message, kind, answered) in [
        (
            r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo","arguments":{"text":"\ud800\n"}}}"#,
            Kind::Call,
            r#"{"jsonrpc":"2.0","id":"a","result":{"content":[{"type":"text","text":"\ud800\n"}]}}"#,
        ),
        (
            r#"{"method":"tools/call","params":{"arguments":{"bytes":5,"mark":"ab"},"name":"big","_meta":{"progressToken":1}},"id":1.0}"#,
            Kind::Call,
            r#"{"jsonrpc":"2.0","id":1.0,"result":{"content":[{"type":"text","text":"abxxx"}]}}"#,
        ),
        (
            r#"{"id":2,"method":"tools/call","params":{"name":"none"}}"#,
            Kind::Call,
            r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"there is no such tool"}}"#,
        ),
        (r#"{"id":3,"method":"ping"}"#, Kind::Other, r#"{"jsonrpc":"2.0","id":3,"result":{}}"#),
        (
            r#"{"id":4,"method":"prompts/list"}"#,
            Kind::Other,
            r#"{"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"there is no such method"}}"#,
        ),
        (r#"{"method":"notifications/initialized"}"#, Kind::Nothing, ""),
        (r#"{"id":5,"result":{}}"#, Kind::Nothing, ""),
        ("noise", Kind::Broken, ""),
    ] {
        assert_eq!(answer(&server, message), (kind, answered.to_owned()), "{message}");
    }
}

#[test]
fn both_eras_are_spoken() {
    let modern = r#"{"id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    let (kind, told) = answer(&server(Options::default()), modern);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(kind, Kind::Stateless);
    assert_eq!(told["result"]["resultType"], "complete");
    assert_eq!(told["result"]["supportedVersions"][0], "2026-07-28");
    let (_, told) = answer(&server(Options { legacy: true, ..Options::default() }), modern);
    assert!(told.contains("-32601"), "{told}");
    let opening = r#"{"id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    let (kind, told) = answer(&server(Options::default()), opening);
    assert_eq!(kind, Kind::Opening);
    assert!(told.contains(r#""protocolVersion":"2025-06-18""#), "{told}");
}

#[test]
fn the_list_has_as_many_tools_as_were_asked_for() {
    let list = r#"{"id":1,"method":"tools/list"}"#;
    let of = |options: Options| {
        let (_, told) = answer(&Server::new(options), list);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        told["result"]["tools"].as_array().unwrap().clone()
    };
    let tools = of(Options { tools: 1_000, extra: Some("new".to_owned()), ..Options::default() });
    assert_eq!(tools.len(), 1_001);
    assert_eq!((&tools[0]["name"], &tools[1_000]["name"]), (&"echo".into(), &"new".into()));
    let bytes = tools.iter().map(|tool| tool.to_string().len()).sum::<usize>() / tools.len();
    assert!((360..400).contains(&bytes), "{bytes}");
    assert_eq!(of(Options { tools: 9, lie: Some(Lie::Tools), ..Options::default() }).len(), 8);
}

#[test]
fn a_liar_lies_now_and_then() {
    let call = r#"{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"so"}}}"#;
    for lie in [Lie::Text, Lie::Id, Lie::Error] {
        let server = server(Options { lie: Some(lie), ..Options::default() });
        let honest = |told: &str| told.contains("\"so\"") && told.contains("\"id\":1,");
        let wrong = (0..70).filter(|_| !honest(&answer(&server, call).1)).count();
        assert_eq!(wrong, 10, "{lie:?}");
    }
}

/// An input that comes in pieces of a few bytes.
struct Pieces(Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

#[test]
fn lines_are_answered_however_they_are_cut() {
    let input: Vec<u8> = (0..200)
        .flat_map(|id| format!("{{\"id\":{id},\"method\":\"ping\"}}\n\nnoise\n").into_bytes())
        .collect();
    let expected: Vec<u8> = (0..200)
        .flat_map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}\n").into_bytes())
        .collect();
    for size in [1, 7, 64, usize::MAX] {
        let mut output = Vec::new();
        run(&server(Options::default()), Pieces(Cursor::new(input.clone()), size), &mut output).unwrap();
        assert!(output == expected, "in pieces of {size}");
    }
}

/// An output that a thread can write to after the server has read everything.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_call_holds_nothing_up() {
    let server = server(Options { slow_ms: 3_600_000, ..Options::default() });
    let input = "{\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"}}\n{\"id\":2,\"method\":\"ping\"}\n";
    let output = Shared::default();
    run_slow(&server, input.as_bytes(), output.clone()).unwrap();
    let told = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert_eq!(told, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
}
