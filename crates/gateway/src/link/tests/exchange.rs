//! Calls and what comes back for them.

use tokio::sync::Notify;

use super::server::{END, chunk, events, ok, reply, status, stream, whole};
use super::*;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Returns a server with sessions whose tools do what the script says.
async fn tools(script: impl Fn(&str, &Heard) -> Option<Vec<Say>> + Send + Sync + 'static) -> Scripted {
    Scripted::start(legacy(move |heard| script(heard.tool()?, heard))).await
}

#[tokio::test]
async fn answers_arrive_in_whatever_form_they_come() {
    let server = tools(|tool, heard| {
        let answer = heard.result(r#"{"ä":[1.0,"\ud800"]}"#);
        let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#;
        let lines = answer.replace(r#","result""#, ",\ndata: \"result\"");
        Some(match tool {
            "json" => ok(&answer),
            "pretty" => {
                ok(&format!("\u{feff}\r\n{}\r\n", answer.replace(r#","result""#, ",\r\n\t\"result\"")))
            }
            "charset" => reply(200, &[("Content-Type", "Application/JSON; charset=utf-8")], &answer),
            "events" => vec![Say::Bytes(stream(&format!("data: {progress}\n\ndata: {answer}\n\n")))],
            "lines" => {
                vec![Say::Bytes(stream(&format!(": hello\r\nevent: message\r\ndata: {lines}\r\n\r\n")))]
            }
            "slow json" => vec![Say::Slowly(whole(200, &[JSON], &answer))],
            "slow events" => {
                vec![Say::Slowly(stream(&format!("id: 1\ndata: {progress}\n\ndata: {answer}\n\n")))]
            }
            "no end" => vec![
                Say::Bytes(events()),
                Say::Bytes(chunk(&format!("data: {answer}\n\n"))),
                Say::Wait(Arc::default()),
            ],
            "array" => ok(&format!("[{progress},{answer}]")),
            "error" => ok(&heard.error(r#"{"code":7,"message":"no"}"#)),
            "bad status" => reply(500, &[JSON], &heard.error(r#"{"code":7,"message":"no"}"#)),
            "unnamed error" => {
                reply(400, &[JSON], r#"{"jsonrpc":"2.0","id":null,"error":{"code":7,"message":"no"}}"#)
            }
            _ => return None,
        })
    })
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    let result = r#"{"ä":[1.0,"\ud800"]}"#;
    let error = r#"error {"code":7,"message":"no"}"#;
    for (tool, expected) in [
        ("json", result),
        ("pretty", result),
        ("charset", result),
        ("events", result),
        ("lines", result),
        ("slow json", result),
        ("slow events", result),
        ("no end", result),
        ("array", result),
        ("error", error),
        ("bad status", error),
        ("unnamed error", error),
    ] {
        assert_eq!(call(&upstream, tool).await.unwrap(), expected, "{tool}");
    }
    assert_eq!(upstream.in_flight(), 0);
}

#[tokio::test]
async fn what_is_no_answer_is_told_to_the_caller() {
    let server = tools(|tool, heard| {
        let other = r#"{"jsonrpc":"2.0","id":99999,"result":{}}"#;
        Some(match tool {
            "nothing" => status(200),
            "html" => reply(200, &[("Content-Type", "text/html")], "<html>"),
            "gzip" => reply(200, &[JSON, ("Content-Encoding", "gzip")], "\u{1f}"),
            "garbage" => ok("{"),
            "other" => ok(other),
            "other event" => vec![Say::Bytes(stream(&format!("data: {other}\n\n")))],
            "cut" => {
                let answer = whole(200, &[JSON], &heard.result("{}"));
                vec![Say::Bytes(answer[..answer.len() - 1].to_vec()), Say::Cut]
            }
            "cut head" => vec![Say::Bytes(b"HTTP/1.1 200 OK\r\nConte".to_vec()), Say::Cut],
            "cut at once" => vec![Say::Cut],
            "no http" => vec![Say::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()), Say::Cut],
            "500" => status(500),
            "429" => reply(429, &[("Retry-After", "7")], ""),
            "400" => reply(400, &[JSON], &heard.result("{}")),
            _ => return None,
        })
    })
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    for (tool, expected) in [
        ("nothing", "answered with nothing"),
        ("html", "answered with `text/html`, which is no message"),
        ("gzip", "answered with something compressed, which nobody asked for"),
        ("garbage", "answered with no message, or one for somebody else"),
        ("other", "answered with no message, or one for somebody else"),
        ("other event", "was lost before it had answered (its stream ended)"),
        ("cut", "was lost before it had answered"),
        ("cut head", "was lost before it had answered"),
        ("cut at once", "was lost before it had answered"),
        ("no http", "was lost before it had answered"),
        ("500", "answered with the status 500"),
        ("429", "answered with the status 429; it asks to be left alone for 7"),
        ("400", "answered with the status 400"),
    ] {
        let trouble = call(&upstream, tool).await.expect_err(tool);
        assert!(trouble.to_string().starts_with(expected), "{tool}: {trouble}");
        assert_eq!(trouble.is_retryable(), tool == "429", "{tool}");
    }
    assert_eq!(call(&upstream, "t").await.unwrap(), r#"{"content":[]}"#, "the connection is what it was");
    assert_eq!(server.count("initialize"), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_told_to_the_caller() {
    let server = tools(|tool, heard| {
        let long = heard.result(&format!(r#"{{"text":"{}"}}"#, "x".repeat(crate::MESSAGE_LIMIT)));
        Some(match tool {
            "json" => ok(&long),
            "events" => vec![Say::Bytes(stream(&format!("data: {long}\n\n")))],
            "fits" => {
                ok(&heard.result(&format!(r#"{{"text":"{}"}}"#, "x".repeat(crate::MESSAGE_LIMIT - 1000))))
            }
            _ => return None,
        })
    })
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    for tool in ["json", "events"] {
        let trouble = call(&upstream, tool).await.expect_err(tool);
        assert_eq!(trouble, Trouble::Answer("more than 16 MiB".to_owned()), "{tool}");
    }
    assert_eq!(call(&upstream, "fits").await.unwrap().len(), crate::MESSAGE_LIMIT - 1000 + 11);
}

#[tokio::test]
async fn connections_are_used_again_whatever_the_answer_was() {
    let server = tools(|tool, heard| {
        let answer = heard.result("{}");
        (tool == "events").then(|| vec![Say::Bytes(stream(&format!("data: {answer}\n\n")))])
    })
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    until(|| server.count("GET") == 1).await;
    for tool in ["t", "events"].repeat(10) {
        call(&upstream, tool).await.unwrap();
    }
    let calls = server.heard().into_iter().filter(|heard| heard.method() == "tools/call");
    let mut connections: Vec<_> = calls.map(|heard| heard.connection).collect();
    connections.dedup();
    assert!(connections.len() <= 2, "{connections:?}");
}

#[tokio::test]
async fn a_stream_that_breaks_is_taken_up_where_it_broke_wherever_that_is() {
    let answer = |id: &serde_json::Value| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"a":"ä"}}}}"#);
    let text =
        move |id: &serde_json::Value| format!("id: 1\nretry: 1\ndata:\n\nid: 2\ndata: {}\n\n", answer(id));
    // As the id has one digit or two, its length may differ by one.
    let length = text(&7.into()).len();
    let pending = Arc::new(Mutex::new(serde_json::Value::Null));
    let at = Arc::new(Mutex::new(0));
    let (cut, called) = (Arc::clone(&at), Arc::clone(&pending));
    let server = Scripted::start(legacy(move |heard| {
        if heard.tool() == Some("t") {
            *called.lock().unwrap() = heard.body["id"].clone();
            let text = text(&heard.body["id"]);
            let bytes = &text.as_bytes()[..*cut.lock().unwrap()];
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
            return Some(vec![Say::Bytes(head.to_vec()), Say::Bytes(bytes.to_vec()), Say::Cut]);
        }
        let text = text(&called.lock().unwrap());
        match (heard.verb.as_str(), heard.header("last-event-id")) {
            ("GET", Some("1")) => {
                let (_, rest) = text.split_once("\n\n").unwrap();
                Some(vec![Say::Bytes(stream(rest))])
            }
            _ => None,
        }
    }))
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    let first = "id: 1\nretry: 1\ndata:\n\n".len();
    for place in 0..length {
        *at.lock().unwrap() = place;
        match call(&upstream, "t").await {
            Ok(result) => assert!(place >= first && result == r#"{"a":"ä"}"#, "{place}: {result}"),
            Err(trouble) => {
                assert!(place < first, "{place}: {trouble}");
                assert_eq!(trouble, Trouble::Lost("its stream ended".to_owned()), "{place}");
            }
        }
    }
    assert_eq!(server.count("initialize"), 1, "the session is what it was");
}

#[tokio::test]
async fn a_stateless_stream_that_breaks_is_lost() {
    let server = Scripted::start(modern(|heard| {
        heard
            .tool()
            .map(|_| vec![Say::Bytes(events()), Say::Bytes(chunk("id: 1\nretry: 1\ndata:\n\n")), Say::Cut])
    }))
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    assert_eq!(call(&upstream, "t").await, Err(Trouble::Lost("its stream ended".to_owned())));
    assert_eq!(server.count("GET"), 0);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_cancelled_in_the_way_of_its_era() {
    let script = |heard: &Heard| match heard.tool()? {
        "no head" => Some(vec![Say::Wait(Arc::default())]),
        "no end" => {
            Some(vec![Say::Bytes(events()), Say::Bytes(chunk(": soon\n\n")), Say::Wait(Arc::default())])
        }
        _ => None,
    };
    for is_modern in [false, true] {
        let server = if is_modern {
            Scripted::start(modern(script)).await
        } else {
            Scripted::start(legacy(script)).await
        };
        let front = Front::to(&server);
        let upstream = front.wanted().await.unwrap();
        for tool in ["no head", "no end"] {
            let limit = Duration::from_millis(50);
            assert_eq!(call_for(&upstream, tool, limit).await, Err(Trouble::Timeout(limit)));
        }
        until(|| server.hung_up().iter().filter(|method| *method == "tools/call").count() == 2).await;
        let expected = if is_modern { 0 } else { 2 };
        until(|| server.count("notifications/cancelled") == expected).await;
        let heard = server.heard();
        let ids = |method: &str, member: fn(&Heard) -> &serde_json::Value| -> Vec<serde_json::Value> {
            heard.iter().filter(|heard| heard.method() == method).map(|heard| member(heard).clone()).collect()
        };
        let calls = ids("tools/call", |heard| &heard.body["id"]);
        let cancelled = ids("notifications/cancelled", |heard| &heard.body["params"]["requestId"]);
        assert_eq!(cancelled, if is_modern { vec![] } else { calls });
        assert!(call(&upstream, "t").await.is_ok());
    }
}

#[tokio::test]
async fn what_is_told_keeps_its_order_and_is_not_overtaken() {
    let bell = Arc::new(Notify::new());
    let held = Arc::clone(&bell);
    let server = Scripted::start(legacy(move |heard| {
        (heard.method() == "notifications/initialized")
            .then(|| [vec![Say::Wait(Arc::clone(&held))], status(202)].concat())
    }))
    .await;
    let front = Front::to(&server);
    let slot = Arc::clone(&front.slot);
    let wanted = async move { slot.wanted().await.unwrap() };
    let ringing = async {
        until(|| server.count("notifications/initialized") == 1).await;
        assert_eq!(server.count("tools/list"), 0, "it waits");
        bell.notify_one();
    };
    let (upstream, ()) = tokio::join!(wanted, ringing);
    for number in 0..20 {
        upstream.tell(bytes(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{{"n":{number}}}}}"#
        )));
    }
    call(&upstream, "t").await.unwrap();
    let heard = server.heard();
    let numbers: Vec<_> = heard
        .iter()
        .filter(|heard| matches!(heard.method(), "notifications/x" | "tools/call"))
        .map(|heard| heard.body["params"]["n"].as_i64())
        .collect();
    assert_eq!(numbers, (0..20).map(Some).chain([None]).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_belongs_to_a_call_reaches_its_client_in_order_before_the_answer() {
    let server = Scripted::start(legacy(|heard| {
        let token = heard.tool().map(|_| heard.body["params"]["_meta"]["progressToken"].clone())?;
        let progress = |number| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{number}}}}}"#
            )
        };
        let messages: Vec<_> = (0..50).map(progress).chain([heard.result("{}")]).collect();
        let text = format!("data: {}\n\n", messages.join("\n\ndata: "));
        Some(vec![Say::Bytes(events()), Say::Slowly(chunk(&text)), Say::Bytes(END.to_vec())])
    }))
    .await;
    let front = Front::to(&server);
    let session = front.session().await;
    let (mail, extra) = (Arc::<crate::mailbox::Mailbox>::default(), crate::session::Extra::default());
    for message in [
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","_meta":{"progressToken":"007"}}}"#,
    ] {
        session.receive(&bytes(message), &mail, &extra);
    }
    let mut got = Vec::new();
    loop {
        let letter = tokio::time::timeout(LONG, mail.next()).await.unwrap().unwrap();
        let message: serde_json::Value = serde_json::from_slice(&letter.bytes).unwrap();
        if message["id"] == 0 {
            continue;
        }
        if letter.last {
            assert_eq!(message, serde_json::json!({"jsonrpc":"2.0","id":"a","result":{}}));
            break;
        }
        assert_eq!(message["params"]["progressToken"], "007");
        got.push(message["params"]["progress"].as_u64().unwrap());
    }
    assert_eq!(got, (0..50).collect::<Vec<_>>());
}
