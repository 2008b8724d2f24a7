//! How it is found out what a server speaks (requirement L2).

use switchboard_core::mcp::revision::Era;

use super::server::{END, chunk, events, ok, reply, status};
use super::*;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn a_stateless_server_is_asked_once_and_told_what_stands_in_each_message_in_headers_too() {
    let server = Scripted::start(modern(|_| None)).await;
    let owner = Owner {
        url: server.url("/mcp?a=b"),
        headers: vec![("X-Key".to_owned(), "k".to_owned())],
        ..Owner::default()
    };
    let front = Front::new(owner);
    let upstream = front.wanted().await.unwrap();
    assert_eq!(upstream.era(), Era::Modern);
    assert_eq!(call(&upstream, "t").await.unwrap(), r#"{"resultType":"complete","content":[]}"#);
    until(|| server.count("subscriptions/listen") > 0 || server.count("tools/call") > 0).await;
    let heard = server.heard();
    let discover = heard.iter().find(|heard| heard.method() == "server/discover").unwrap();
    for (header, value) in [
        ("mcp-protocol-version", Some("2026-07-28")),
        ("mcp-method", Some("server/discover")),
        ("mcp-name", None),
        ("accept", Some("application/json, text/event-stream")),
        ("content-type", Some("application/json")),
        ("x-key", Some("k")),
        ("accept-encoding", None),
        ("mcp-session-id", None),
    ] {
        assert_eq!(discover.header(header), value, "{header}");
    }
    assert_eq!(discover.path, "/mcp?a=b");
    assert_eq!(server.count("initialize") + server.count("GET") + server.count("DELETE"), 0);
    let tools = front.slot.own_offer().unwrap();
    let names: Vec<_> = tools.of(crate::offer::Sort::Tools).iter().map(|item| item.key.as_str()).collect();
    assert_eq!(names, ["t"], "the other one cannot be called");
}

#[tokio::test]
async fn a_call_of_a_stateless_server_repeats_its_name_and_marked_arguments_in_headers() {
    let server = Scripted::start(modern(|_| None)).await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    let message = r#"{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"t","arguments":{"region":" ä"}}}"#;
    let mut frame = crate::link::Frame::request(bytes(message), 99, "tools/call", Some("t"));
    frame.call.as_mut().unwrap().headers = [
        ("mcp-param-region", "another"),
        ("mcp-param-unknown", "kept"),
        ("authorization", "never"),
        ("mcp-session-id", "never"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .to_vec();
    upstream.link.send(frame).unwrap();
    until(|| server.count("tools/call") == 1).await;
    let heard = server.heard().into_iter().find(|heard| heard.method() == "tools/call").unwrap();
    for (header, value) in [
        ("mcp-name", Some("t")),
        ("mcp-param-region", Some("=?base64?IMOk?=")),
        ("mcp-param-unknown", Some("kept")),
        ("authorization", None),
        ("mcp-session-id", None),
    ] {
        assert_eq!(heard.header(header), value, "{header}");
    }
}

#[tokio::test]
async fn what_a_server_does_with_the_question_of_a_later_revision_says_which_it_is_of() {
    type Said = fn(&Heard) -> Vec<Say>;
    let cases: [(&str, Said); 8] = [
        ("it does not take it", |_| status(400)),
        ("there is nothing", |_| status(404)),
        ("it may not", |_| status(405)),
        ("it is no message", |_| reply(422, &[("Content-Type", "text/html")], "<html>")),
        ("it says so in a message without an id", |_| {
            reply(
                400,
                &[JSON],
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}"#,
            )
        }),
        ("it does not know the method", |heard| ok(&heard.error(r#"{"code":-32601,"message":"?"}"#))),
        ("it speaks an older revision", |heard| {
            let error = r#"{"code":-32022,"message":"?","data":{"supported":["2025-11-25"]}}"#;
            reply(400, &[JSON], &heard.error(error))
        }),
        ("it breaks", |_| status(500)),
    ];
    for (name, said) in cases {
        let script = move |heard: &Heard| (heard.method() == "server/discover").then(|| said(heard));
        let server = Scripted::start(legacy(script)).await;
        let front = Front::to(&server);
        let upstream = front.wanted().await.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        assert_eq!(upstream.era(), Era::Legacy, "{name}");
        assert_eq!(call(&upstream, "t").await.unwrap(), r#"{"content":[]}"#, "{name}");
        let heard = server.heard();
        let begin = heard.iter().find(|heard| heard.method() == "initialize").unwrap();
        assert_eq!(
            (begin.header("mcp-session-id"), begin.header("mcp-protocol-version")),
            (None, None),
            "{name}"
        );
        let call = heard.iter().find(|heard| heard.method() == "tools/call").unwrap();
        assert_eq!(call.header("mcp-session-id"), Some("s1"), "{name}");
        assert_eq!(call.header("mcp-protocol-version"), Some("2025-11-25"), "{name}");
        assert_eq!((call.header("mcp-method"), call.header("mcp-name")), (None, None), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_to_be_had_is_not_taken_for_one_of_another_era() {
    let script = |heard: &Heard| {
        let error = r#"{"code":-32022,"message":"?","data":{"supported":["2031-01-01"]}}"#;
        reply(400, &[JSON], &heard.error(error))
    };
    let server = Scripted::start(script).await;
    let trouble = Front::to(&server).wanted().await.err().unwrap();
    assert_eq!(trouble, Trouble::Down(r#"it speaks only "2031-01-01", which is not known"#.to_owned()));
    assert_eq!(server.count("initialize"), 0);

    let gone = Front::new(Owner { url: "http://127.0.0.1:1/mcp".to_owned(), ..Owner::default() });
    let trouble = gone.wanted().await.err().unwrap();
    assert!(matches!(&trouble, Trouble::Down(why) if why.contains("cannot be reached")), "{trouble}");

    for (url, what) in [("ftp://x/", "web address"), ("not one", "web address"), ("http:///", "web address")]
    {
        let trouble =
            Front::new(Owner { url: url.to_owned(), ..Owner::default() }).wanted().await.err().unwrap();
        assert!(trouble.to_string().contains(what), "{trouble}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_handshake_by_post_may_be_of_the_first_transport() {
    let bell = Arc::new(tokio::sync::Notify::new());
    let waiting = Arc::clone(&bell);
    let script = move |heard: &Heard| match (heard.verb.as_str(), heard.path.as_str()) {
        ("GET", "/mcp") => {
            let hello =
                r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2024-11-05","capabilities":{}}}"#;
            vec![
                Say::Bytes(events()),
                Say::Bytes(chunk("event: endpoint\ndata: /post?session=7\n\n")),
                Say::Wait(Arc::clone(&waiting)),
                Say::Bytes(chunk(&format!("data: {hello}\n\n"))),
                Say::Wait(Arc::clone(&waiting)),
                Say::Bytes(END.to_vec()),
            ]
        }
        ("POST", "/post?session=7") => {
            if heard.method() == "initialize" {
                waiting.notify_one();
            }
            status(202)
        }
        ("POST", "/mcp") if heard.method() == "initialize" => {
            reply(405, &[("Content-Type", "text/plain")], "no")
        }
        _ => status(404),
    };
    let server = Scripted::start(script).await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    let offer = front.slot.own_offer().unwrap();
    assert_eq!((upstream.era(), &*offer.revision), (Era::Legacy, "2024-11-05"));
    until(|| server.count("notifications/initialized") == 1).await;
    assert_eq!(
        server.story(),
        ["server/discover", "initialize", "GET", "initialize", "notifications/initialized"]
    );

    let none = Scripted::start(|_: &Heard| status(404)).await;
    let trouble = Front::to(&none).wanted().await.err().unwrap();
    assert!(trouble.to_string().contains("status 404, and does not speak MCP at its `url`"), "{trouble}");
}
